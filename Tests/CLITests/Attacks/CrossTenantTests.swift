// SPDX-License-Identifier: Apache-2.0
import Foundation
import JSONCodec
import TestSupport
import Testing
import Transport

/// What is one tenant's, asked for by the users, operators and admins of another.
@Suite("Another tenant's things", .timeLimit(.minutes(5)))
struct CrossTenantTests {
  private static let auth = "auth: { mode: any, jwt: { tenant_claim: org.name } }"

  private static let scripts = [
    "tools/t.lua": """
    return { fail = { description = "Fails.", parameters = { text = "string" }, action = true,
      run = function(ctx, args) error({ code = "denied", message = args.text }) end } }
    """,
    "agents/a.lua": """
    return { access = { kv = "write", queue = true }, run = function(ctx, input)
      local word, rest = input.message:match("^(%a+) ?(.*)$")
      if word == "ask" then
        approval.request{ title = rest, by = { roles = { "clerk" } } }
      elseif word == "fail" then
        queue.publish("fail", { text = rest })
      elseif word == "share" then
        return tostring(kv.get("shared", { scope = "workspace" })) .. " "
          .. tostring(kv.set("shared", rest, { scope = "workspace" }))
      end
      event.emit("told", { text = rest })
      return ctx.user.id .. " " .. tostring(ctx.user.tenant)
    end }
    """,
  ]

  /// A tenant's people: the names are the same in each.
  private struct People {
    let ann, ops, root: String

    init(of tenant: String, in scene: TokenScene) async throws {
      ann = try await scene.token("ann", "user", "clerk", tenant: tenant)
      ops = try await scene.token("ops", "operator", "clerk", tenant: tenant)
      root = try await scene.token("root", "admin", "clerk", tenant: tenant)
    }

    var all: [String] { [ann, ops, root] }
  }

  /// What one user left everywhere.
  private struct Rows {
    let run, approval, letter: String

    /// - Parameters:
    ///   - user: Their token; they have left nothing yet.
    ///   - ops: The token of who sees their dead letter.
    init(of user: String, _ word: String, ops: String, in scene: TokenScene) async throws {
      _ = try await scene.chat("a", "fail \(word)", as: user, session: word)
      let waiting = try await scene.chat("a", "ask \(word)", as: user, session: "q-\(word)").json
      run = try #require(waiting["run_id"]?.string)
      approval = try #require(waiting["approval"]?["id"]?.string)
      var letters: [JSON] = []
      while letters.isEmpty {
        letters = try await scene.send("GET", "/v1/dead-letters", as: ops).json["data"]?.array ?? []
      }
      letter = try #require(letters.first?["id"]?.string)
    }
  }

  private static func scene(_ configuration: String = "") async throws -> TokenScene {
    try await TokenScene(
      scripts, auth: auth, configuration: configuration, arguments: ["--workers", "2"])
  }

  private static func key(_ scene: TokenScene, _ words: String...) async throws -> String {
    let made = try await perigee(
      ["keys", "create", "--name", "k"] + words
        + ["--workspace", scene.workspace.path, "--data", scene.data.path])
    try #require(made.status == 0, "\(made.errors)")
    return made.output.trimmingCharacters(in: .newlines)
  }

  @Test("is not there for anybody of another, whatever the route and the role, and no route is forgotten")
  func everyRoute() async throws {
    let scene = try await Self.scene()
    let acme = try await People(of: "acme", in: scene)
    let globex = try await People(of: "globex", in: scene)
    let rows = try await Rows(of: acme.ann, "lemon", ops: acme.ops, in: scene)
    _ = try await Rows(of: globex.ann, "plum", ops: globex.ops, in: scene)
    let ended = try await scene.chat("a", "say lemon", as: acme.ann, session: "lemon").json["run_id"] ?? .null
    func judge(_ run: JSON, as token: String) async throws -> RunningServer.Answer {
      try await scene.send(
        "POST", "/v1/feedback", as: token, ["run_id": run, "score": 1, "comment": "a lemon of acme"])
    }
    #expect(try await judge(ended, as: acme.ann).status == 200)

    /// By what a template begins with: what of Ann's fills it, what does not exist, what the user, the operator and the
    /// admin of another tenant get.
    let id = "0192f0c1-6a00-7000-8000-000000000001"
    let real: [(prefix: String, theirs: [String], missing: [String], status: [Int])] = [
      ("/v1/sessions/{id}", ["lemon"], ["nothing"], [404, 404, 404]),
      ("/v1/runs/{id}", [rows.run], [id], [404, 404, 404]),
      ("/v1/approvals/{id}", [rows.approval], [id], [404, 404, 404]),
      ("/v1/dead-letters/{id}", [rows.letter], [id], [403, 404, 404]),
      ("/v1/versions/", ["sha256:00", "sha256:01"], ["sha256:02", "sha256:03"], [403, 403, 403]),
      ("/v1/users/{user}/export", ["acme%2Fann"], ["acme%2Fnobody"], [404, 404, 404]),
      ("/v1/users/{user}", ["acme%2Fann"], ["acme%2Fnobody"], [403, 403, 404]),
    ]
    /// Everything there is, or the caller's part of it.
    let lists: [(path: String, status: [Int])] = [
      ("/v1/sessions", [200, 200, 200]), ("/v1/runs", [200, 200, 200]), ("/v1/approvals", [200, 200, 200]),
      ("/v1/events", [200, 200, 200]), ("/v1/dead-letters", [403, 200, 200]), ("/v1/audit", [403, 403, 200]),
      ("/v1/schedules", [403, 403, 403]), ("/v1/versions", [403, 403, 403]),
      ("/v1/versions/current", [403, 403, 403]), ("/v1/audit/verification", [403, 403, 403]),
      ("/v1/feedback", [403, 200, 200]), ("/v1/feedback/summary", [403, 200, 200]),
      ("/v1/users", [403, 200, 200]),
    ]
    /// They say nothing of anybody, or do what their caller asks on their own behalf.
    let others: Set = [
      "/", "/console", "/admin", "/docs", "/openapi.json", "/metrics", "/health", "/health/live",
      "/health/ready", "/v1/agents",
      "/v1/models", "/v1/chat/completions", "/v1/responses", "/v1/embeddings",
    ]
    for operation in try await Operation.all(of: scene.server) {
      let name = "\(operation.method) \(operation.template)"
      if operation.hasParameters {
        if ["/v1/agents/{agent}", "/v1/models/{model}"].contains(where: operation.template.hasPrefix) {
          continue
        }
        guard let things = real.first(where: { operation.template.hasPrefix($0.prefix) }) else {
          Issue.record("\(name) is new here: say what another tenant gets")
          continue
        }
        for (token, status) in zip(globex.all, things.status) {
          let stolen = try await scene.send(
            operation.method, operation.path(things.theirs), as: token, operation.body)
          let missing = try await scene.send(
            operation.method, operation.path(things.missing), as: token, operation.body)
          #expect(stolen.status == status && missing.status == status, "\(name): \(stolen.text)")
          // It looks as what is not there at all.
          #expect(
            missing.detail(without: things.missing.map(Self.decoded))
              == stolen.detail(without: things.theirs.map(Self.decoded)), "\(name)")
        }
      } else if operation.method == "GET", let list = lists.first(where: { $0.path == operation.template }) {
        for (token, status) in zip(globex.all, list.status) {
          let seen = try await scene.send("GET", list.path, as: token)
          #expect(seen.status == status, "\(name): \(seen.text)")
          for word in ["lemon", "acme", rows.run, rows.approval, rows.letter] {
            #expect(!seen.text.contains(word), "\(name): \(word)")
          }
        }
      } else if name == "POST /v1/feedback" {
        for token in globex.all {
          let (stolen, missing) = (try await judge(ended, as: token), try await judge("none", as: token))
          #expect(stolen.status == 404 && missing.status == 404, "\(stolen.text)")
          #expect(
            missing.detail(without: ["none"]) == stolen.detail(without: [ended.string ?? "?"]),
            "\(stolen.text)")
        }
      } else if !others.contains(operation.template), name != "POST /v1/sessions" {
        Issue.record("\(name) is new here: say what another tenant gets")
      }
    }
    // What is the host's says so to who is staff of a tenant.
    for (path, token) in [
      ("/v1/schedules", globex.ops), ("/v1/versions", globex.ops), ("/v1/versions/current", globex.root),
      ("/v1/audit/verification", globex.root),
    ] {
      let refused = try await scene.send("GET", path, as: token).json["detail"]?.string
      #expect(refused?.contains("for a tenant's operators") == true, "\(path): \(refused ?? "")")
    }
    for query in ["user_id=acme%2Fann", "user_id=ann", "run_id=\(rows.run)"] {
      let seen = try await scene.send("GET", "/v1/audit?\(query)", as: globex.root)
      #expect(seen.status == 200 && !seen.text.contains("acme/"), "\(query): \(seen.text)")
    }

    // Nothing of it did anything, and the tenant's own staff reach all of it.
    let ran = try await scene.send("GET", "/v1/runs/\(rows.run)", as: acme.ops)
    #expect(ran.json["status"] == "waiting" && ran.json["user_id"] == "acme/ann", "\(ran.text)")
    let trail = try await scene.send("GET", "/v1/audit?user_id=ann&limit=200", as: acme.root)
    #expect(trail.text.contains("acme/ann") && !trail.text.contains("globex"), "\(trail.text)")
    #expect(
      trail.json["data"]
        == (try await scene.send("GET", "/v1/audit?user_id=acme%2Fann&limit=200", as: acme.root)).json["data"]
    )
    for path in ["/v1/feedback", "/v1/feedback/summary", "/v1/users"] {
      let seen = try await scene.send("GET", path, as: acme.ops).json["data"]?.array
      #expect(seen?.count == 1, "\(path)")
    }
    let events = try await scene.send("GET", "/v1/events?limit=200", as: acme.ops)
    #expect(events.text.contains("lemon") && !events.text.contains("plum"))
    let decided = try await scene.send(
      "POST", "/v1/approvals/\(rows.approval)", as: acme.ops, ["decision": "approve"])
    #expect(decided.status == 200, "\(decided.text)")
    #expect(
      try await scene.send("POST", "/v1/dead-letters/\(rows.letter)/retry", as: acme.root).status == 202)
    // What is wrong with the scripts shows lines of them.
    try scene.workspace.write("agents/wrong.lua", "return {")
    scene.server.send(SIGHUP)
    try await waitWhile { try await scene.server.get("/health/ready").json["status"] != "degraded" }
    for token in globex.all {
      #expect(try await scene.send("GET", "/v1/agents", as: token).json["problems"] == [])
    }
    // Whoever is of no tenant runs the host.
    let host = try await Self.key(scene, "--user", "chief", "--role", "admin")
    #expect(try await scene.send("GET", "/v1/agents", as: host).json["problems"]?.array?.count == 1)
    let all = try await scene.send("GET", "/v1/runs?limit=200", as: host)
    #expect(all.text.contains("acme/ann") && all.text.contains("globex/ann"))
    for path in ["/v1/versions", "/v1/schedules", "/v1/audit/verification", "/v1/users/acme%2Fann/export"] {
      let seen = try await scene.send("GET", path, as: host)
      #expect(seen.status == 200, "\(path): \(seen.text)")
    }
    await scene.server.stop()
  }

  private static func decoded(_ text: String) -> String { text.removingPercentEncoding ?? text }

  @Test("two users of one name are two, and a bare name is one's own tenant's")
  func sameName() async throws {
    let scene = try await Self.scene()
    let acme = try await People(of: "acme", in: scene)
    let globex = try await People(of: "globex", in: scene)
    #expect(try await scene.chat("a", "say hi", as: acme.ann).json["response"] == "acme/ann acme")
    #expect(try await scene.chat("a", "say hi", as: globex.ann).json["response"] == "globex/ann globex")
    // The same session's name is another session, and the same value's key another value.
    #expect(try await scene.chat("a", "share lemon", as: acme.ann).json["response"] == "nil nil")
    #expect(try await scene.chat("a", "share plum", as: globex.ann).json["response"] == "nil nil")
    #expect(try await scene.chat("a", "share more", as: acme.ops).json["response"] == "lemon nil")
    let host = try await Self.key(scene, "--user", "ann")
    #expect(try await scene.chat("a", "share host", as: host).json["response"] == "nil nil")
    let messages = try await scene.send("GET", "/v1/sessions/s/messages", as: globex.ann)
    #expect(messages.json["data"]?.array?.count == 4 && !messages.text.contains("lemon"), "\(messages.text)")

    for (name, id) in [("ann", "acme/ann"), ("acme%2Fann", "acme/ann")] {
      for token in [acme.ann, acme.root] {
        let export = try await scene.send("GET", "/v1/users/\(name)/export", as: token)
        #expect(export.status == 200 && export.json["user_id"] == .string(id), "\(export.text)")
        #expect(!export.text.contains("plum"))
      }
    }
    #expect(try await scene.send("DELETE", "/v1/users/ann", as: globex.root).status == 200)
    #expect(try await scene.send("GET", "/v1/sessions/s", as: globex.ann).status == 404)
    #expect(try await scene.send("GET", "/v1/sessions/s", as: acme.ann).status == 200)
    #expect(try await scene.send("GET", "/v1/sessions/s", as: host).status == 200)
    await scene.server.stop()
  }

  @Test("an admin who listens hears of their own tenant alone")
  func listener() async throws {
    let scene = try await Self.scene()
    let key = try await Self.key(scene, "--tenant", "globex", "--user", "root", "--role", "admin")
    let ann = try await scene.token("ann", tenant: "acme")
    _ = try await scene.chat("a", "say lemon", as: ann)
    let listening = Task {
      try await scene.send(
        "GET", "/v1/events", as: key, headers: [("Accept", "text/event-stream"), ("Last-Event-ID", "0")])
    }
    _ = try await scene.chat("a", "say lemon", as: ann)
    _ = try await scene.chat("a", "say plum", as: key)
    let id = try #require(key.split(separator: "_").dropFirst().first.map(String.init))
    #expect(try await scene.run("keys", "revoke", id).status == 0)
    let heard = try await listening.value
    #expect(heard.text.contains("plum") && !heard.text.contains("lemon"), "\(heard.text)")
    await scene.server.stop()
  }

  @Test(
    "in the shapes of other systems a user is named by the bare name or the full one, of one's own tenant")
  func aliases() async throws {
    let scene = try await Self.scene(
      """
      routes:
        - { path: "/api/{user_id}/chat", agent: a, shape: todo }
        - { path: "/agents/{agent}/chat", shape: agents }

      """)
    let ann = try await scene.token("ann", tenant: "acme")
    for (name, status) in [("ann", 200), ("acme%2Fann", 200), ("globex%2Fann", 403), ("bob", 403)] {
      let answer = try await scene.send("POST", "/api/\(name)/chat", as: ann, ["message": "say hi"])
      #expect(answer.status == status, "\(name): \(answer.text)")
      let named = try await scene.send(
        "POST", "/agents/a/chat", as: ann,
        ["user_id": .string(Self.decoded(name)), "message": "say hi"])
      #expect(named.status == status, "\(name): \(named.text)")
    }
    await scene.server.stop()
  }

  @Test(
    "a token without a tenant, or with what is none, is refused, and says why",
    arguments: [
      nil, #""""#, #""a/b""#, #""local""#, #"" acme""#, #""a b""#, #""é""#, "7", "null", #"["acme"]"#, "{}",
      "\"" + String(repeating: "x", count: 65) + "\"",
    ])
  func claim(_ value: String?) async throws {
    let scene = try await Self.scene()
    // Of a configuration that knows no tenants, so that it signs any claims.
    let elsewhere = try Folder()
    func token(_ claim: String?) async throws -> String {
      let made = try await perigee(
        ["token", "--user", "ann"] + (claim.map { ["--claim", "org={\"name\":\($0)}"] } ?? [])
          + ["--workspace", elsewhere.path], environment: ["PERIGEE_JWT_SECRET": TokenScene.secret])
      return made.output.trimmingCharacters(in: .newlines)
    }
    #expect(try await scene.chat("a", "say hi", as: try await token(#""acme""#)).status == 200)
    let refused = try await scene.chat("a", "say hi", as: try await token(value))
    #expect(
      refused.status == 401 && refused.json["detail"]?.string?.contains("tenant") == true, "\(refused.text)")
    #expect(refused.headers["www-authenticate"]?.hasPrefix("Bearer error=\"invalid_token\"") == true)
    await scene.server.stop()
  }

  @Test("a user whose name looks as another tenant's is one of their own")
  func imitation() async throws {
    let scene = try await Self.scene()
    let ann = try await scene.token("ann", tenant: "globex")
    _ = try await scene.chat("a", "say plum", as: ann)
    let eve = try await scene.token("globex/ann", "admin", tenant: "acme")
    #expect(try await scene.chat("a", "say hi", as: eve).json["response"] == "acme/globex/ann acme")
    let export = try await scene.send("GET", "/v1/users/globex%2Fann/export", as: eve)
    #expect(export.json["user_id"] == "acme/globex/ann" && !export.text.contains("plum"), "\(export.text)")
    let runs = try await scene.send("GET", "/v1/runs", as: eve)
    #expect(runs.json["data"]?.array?.map { $0["user_id"] } == ["acme/globex/ann"], "\(runs.text)")
    await scene.server.stop()
  }

  @Test("a key's tenant is what it was made with: an id alone makes nobody a tenant's user")
  func keys() async throws {
    let scene = try await Self.scene()
    let elsewhere = try Folder([
      "perigee.yaml": "auth: { mode: any }\n", "agents/a.lua": "return { run = function() return '' end }",
    ])
    func create(in workspace: String, _ words: String...) async throws -> Outcome {
      try await perigee(
        ["keys", "create", "--name", "k"] + words + ["--workspace", workspace, "--data", scene.data.path])
    }
    let key = try await Self.key(scene, "--tenant", "acme", "--user", "ann", "--role", "operator")
    #expect(try await scene.chat("a", "say hi", as: key).json["response"] == "acme/ann acme")
    #expect(try await scene.send("GET", "/v1/versions", as: key).status == 403)
    let listed = try await scene.run("keys", "list", "--user", "acme/ann", "--json").output
    #expect(try JSON(parsing: listed)["data"]?.array?.map { $0["tenant"] } == ["acme"], "\(listed)")

    // One with a slash and no tenant would pass for a tenant's user.
    let made = try await create(in: scene.workspace.path, "--user", "acme/ann")
    #expect(made.status != 0 && made.errors.contains("--tenant acme"), "\(made.errors)")
    let early = try await create(in: elsewhere.path, "--user", "acme/ann").output.trimmingCharacters(
      in: .newlines)
    let refused = try await scene.chat("a", "say hi", as: early)
    #expect(
      refused.status == 401 && refused.json["detail"]?.string?.contains("tenant") == true, "\(refused.text)")
    // Where there are no tenants, the key of a tenant's operator is not the host's.
    let untenanted = try await create(in: elsewhere.path, "--tenant", "acme", "--user", "ann")
    #expect(
      untenanted.status != 0 && untenanted.errors.contains("auth.jwt.tenant_claim"), "\(untenanted.errors)")
    await scene.server.stop()
    let open = try await RunningServer(
      workspace: elsewhere.path, data: scene.data.path, environment: ["PERIGEE_JWT_SECRET": TokenScene.secret]
    )
    let other = try await open.send("GET", "/v1/runs", body: nil, headers: [("X-API-Key", key)])
    #expect(other.status == 401, "\(other.text)")
    let same = try await open.send("GET", "/v1/agents", body: nil, headers: [("X-API-Key", early)])
    #expect(same.status == 200, "\(same.text)")
    await open.stop()
  }

  @Test(
    "what is reserved names neither a tenant nor a user",
    arguments: [
      ["--user", "local/ann"], ["--user", "Local/x"], ["--tenant", "local", "--user", "ann"],
      ["--tenant", "a/b", "--user", "ann"], ["--tenant", "", "--user", "ann"],
      ["--tenant", "acme", "--user", String(repeating: "x", count: 252)],
    ])
  func reserved(_ words: [String]) async throws {
    let workspace = try Folder(["perigee.yaml": Self.auth + "\n"])
    let data = try Folder()
    let token = try await perigee(
      ["token"] + words + ["--workspace", workspace.path],
      environment: ["PERIGEE_JWT_SECRET": TokenScene.secret])
    #expect(token.status != 0 && token.output.isEmpty, "\(token.errors)")
    let key = try await perigee(
      ["keys", "create", "--name", "k"] + words + ["--workspace", workspace.path, "--data", data.path])
    #expect(key.status != 0 && key.output.isEmpty, "\(key.errors)")
  }
}
