// SPDX-License-Identifier: Apache-2.0
import Crypto
import Foundation
import JSONCodec
import TestSupport
import Testing
import Transport

/// Who may do what, with real tokens and keys over a socket.
@Suite("Access", .timeLimit(.minutes(5)))
struct AccessTests {
  private static let secret = "a secret that is long enough for HS256, of which nobody else knows"
  private static let agents = [
    "agents/a.lua":
      "return { run = function(ctx) return ctx.user.id .. ' ' .. table.concat(ctx.user.roles, ',') .. ' ' .. tostring(ctx.user.claims.tenant) end }",
    "agents/calls.lua": "return { agents = { 'b' }, run = function() return agents.run('b', {}).text end }",
    "agents/b.lua": "return { allow = { roles = { 'clerk' } }, run = function() return 'b' end }",
    "agents/masked.lua": """
    return { guardrails = { output = { "email" } }, tools = { "mail" }, run = function(ctx, input)
      local address = tools.call("mail", {}).address
      if input.message == "fail" then error("no") end
      return input.message == "show" and address or "nothing"
    end }
    """,
    "agents/steps.lua":
      "return { guardrails = { output = { 'email' } }, tools = { 'mail' }, steps = { mail = { tool = 'mail' } } }",
    "tools/mail.lua":
      "return { mail = { description = 'd', run = function() return { address = 'joe@' .. 'example.com' } end } }",
    "agents/refunds.lua":
      "return { run = function() return tools.call('refund', {}) end, tools = { 'refund' } }",
    "tools/refunds.lua":
      "return { refund = { description = 'd', allow = { roles = { 'clerk' } }, run = function() error({ code = 'upstream', message = 'down' }) end } }",
  ]

  /// What an issuer publishes of a key.
  private static func keySet(_ key: P256.Signing.PrivateKey) -> JSON {
    func text(_ data: Data) -> JSON {
      .string(
        data.base64EncodedString().replacing("+", with: "-").replacing("/", with: "_").replacing(
          "=", with: ""))
    }
    let point = key.publicKey.rawRepresentation
    return [
      "keys": [
        [
          "kty": "EC", "crv": "P-256", "kid": "k1", "alg": "ES256", "use": "sig", "x": text(point.prefix(32)),
          "y": text(point.suffix(32)),
        ]
      ]
    ]
  }

  /// A server that wants to know who asks, and what makes tokens for it.
  private struct Scene {
    let workspace: Folder
    let data: Folder
    let environment: [String: String]
    let server: RunningServer

    init(_ configuration: String, environment: [String: String] = ["PERIGEE_JWT_SECRET": secret]) async throws
    {
      var files = agents
      files["perigee.yaml"] = configuration + "\nlimits: { requests_per_minute: 0, requests_per_hour: 0 }\n"
      workspace = try Folder(files)
      data = try Folder()
      self.environment = environment
      server = try await RunningServer(workspace: workspace.path, data: data.path, environment: environment)
    }

    func run(_ words: String...) async throws -> (status: Int32, output: String, errors: String) {
      let result = try await perigee(
        words + ["--workspace", workspace.path, "--data", data.path], environment: environment)
      return (result.status, result.output.trimmingCharacters(in: .newlines), result.errors)
    }

    func token(_ user: String, _ more: String...) async throws -> String {
      let made = try await perigee(
        ["token", "--user", user] + more + ["--workspace", workspace.path], environment: environment)
      try #require(made.status == 0, "\(made.errors)")
      return made.output.trimmingCharacters(in: .newlines)
    }

    func send(
      _ method: String, _ path: String, _ headers: [(name: String, value: String)], _ body: JSON? = nil
    ) async throws -> RunningServer.Answer {
      try await server.send(method, path, body: body.map { RawJSON($0).bytes }, headers: headers)
    }

    func chat(_ token: String, agent: String = "a", session: String = "s") async throws
      -> RunningServer.Answer
    {
      try await send(
        "POST", "/v1/agents/\(agent)/chat", AccessTests.bearer(token),
        ["message": "hi", "session_id": .string(session)])
    }
  }

  private static func bearer(_ token: String) -> [(name: String, value: String)] {
    [("Authorization", "Bearer \(token)")]
  }

  @Test("a token says on whose behalf; without one, or with one that does not hold, nobody is let in")
  func tokens() async throws {
    let scene = try await Scene(
      "auth: { mode: jwt, jwt: { issuer: us, audience: agents, leeway_seconds: 0 } }")
    let ann = try await scene.token("ann", "--role", "user", "--role", "clerk", "--claim", "tenant=acme")
    let answer = try await scene.chat(ann)
    #expect(answer.json["response"] == "ann user,clerk acme", "\(answer.text)")
    #expect(try await scene.chat(ann, agent: "b").status == 200)

    let nobody = try await scene.server.get("/v1/agents")
    #expect(nobody.status == 401 && nobody.json["code"] == "unauthorized")
    #expect(nobody.headers["www-authenticate"] == "Bearer")
    #expect(nobody.headers["content-type"] == "application/problem+json")
    for path in ["/health/live", "/health/ready", "/openapi.json", "/", "/console", "/docs"] {
      #expect(try await scene.server.get(path).status == 200)
    }

    let bob = try await scene.token("bob")
    #expect(try await scene.chat(bob, agent: "b").status == 403)
    // By way of another agent as well, where that lets the error pass.
    let called = try await scene.chat(bob, agent: "calls")
    #expect(called.status == 403 && called.text.contains("you may not use the agent 'b'"), "\(called.text)")
    let parts = ann.split(separator: ".").map(String.init)
    let none = Data(#"{"alg":"none","typ":"JWT"}"#.utf8).base64EncodedString().filter { $0 != "=" }
    let others = [
      "nonsense", parts[0] + "." + parts[1] + ".", "\(none).\(parts[1]).", ann + "A",
      parts[0] + "." + bob.split(separator: ".")[1] + "." + parts[2],
    ]
    for other in others {
      let refused = try await scene.send("GET", "/v1/agents", Self.bearer(String(other)))
      #expect(refused.status == 401, "\(refused.text)")
      #expect(refused.headers["www-authenticate"]?.hasPrefix("Bearer error=\"invalid_token\"") == true)
      // What was shown is not shown back.
      #expect(!refused.text.contains(parts[1]))
    }
    let document = try await scene.server.get("/openapi.json").json
    #expect(document["components"]?["securitySchemes"]?.object?.keys == ["token"])
    #expect(document["security"] == [["token": []]])
    let described = document["paths"]?["/v1/agents"]?["get"]
    #expect(described?["responses"]?["401"]?["$ref"] == "#/components/responses/Problem401")
    #expect(described?["responses"]?["200"]?["headers"]?["RateLimit-Remaining"] != nil)
    #expect(document["paths"]?["/health/live"]?["get"]?["security"] == [])
    // One that was good is not good for ever, though the server remembers it.
    let short = try await scene.token("ann", "--ttl", "2s")
    var late = try await scene.send("GET", "/v1/agents", Self.bearer(short))
    while late.status == 200 { late = try await scene.send("GET", "/v1/agents", Self.bearer(short)) }
    #expect(late.status == 401 && late.json["detail"] == "the token has expired", "\(late.text)")
    let twice = try await scene.send("GET", "/v1/agents", Self.bearer(ann) + Self.bearer(ann))
    #expect(twice.status == 400)
    // API keys are for auth.mode api_key or any.
    let key = try await scene.run("keys", "create", "--user", "bot", "--name", "x").output
    #expect(try await scene.send("GET", "/v1/agents", Self.bearer(key)).status == 401)
    // An OpenAI client reads its own kind of error.
    let foreign = try await scene.server.get("/v1/models")
    #expect(foreign.status == 401 && foreign.json["error"]?["type"] == "authentication_error")
    await scene.server.stop()
  }

  @Test("what is one user's is not there for another, whatever is asked of it")
  func strangers() async throws {
    let scene = try await Scene("auth: { mode: jwt }")
    let (ann, eve) = (try await scene.token("ann"), try await scene.token("eve"))
    let run = try #require(try await scene.chat(ann).json["run_id"]?.string)
    _ = try await scene.chat(eve)
    let routes: [(String, String, JSON?)] = [
      ("GET", "/v1/runs/\(run)", nil), ("GET", "/v1/runs/\(run)/trace", nil),
      ("GET", "/v1/runs/\(run)/events", nil), ("POST", "/v1/runs/\(run)/cancel", [:]),
      ("POST", "/v1/runs/\(run)/retry", [:]),
    ]
    for (method, path, body) in routes {
      let answer = try await scene.send(method, path, Self.bearer(eve), body)
      #expect(answer.status == 404, "\(method) \(path): \(answer.text)")
      #expect(!answer.text.contains("ann"))
    }
    // The same name is another session.
    let mine = try await scene.send("GET", "/v1/sessions/s/messages", Self.bearer(eve))
    #expect(mine.json["data"]?.array?.map { $0["content"] }.last == "eve user nil")
    #expect(try await scene.send("GET", "/v1/runs", Self.bearer(eve)).json["data"]?.array?.count == 1)
    for path in ["/v1/audit", "/v1/dead-letters", "/v1/versions", "/v1/schedules"] {
      #expect(try await scene.send("GET", path, Self.bearer(eve)).status == 403)
    }

    // An operator sees runs, and that they looked is on record.
    let ops = try await scene.token("ops", "--role", "operator")
    #expect(try await scene.send("GET", "/v1/runs/\(run)/trace", Self.bearer(ops)).status == 200)
    #expect(try await scene.send("GET", "/v1/audit", Self.bearer(ops)).status == 403)
    let admin = try await scene.token("root", "--role", "admin")
    let looks = try await scene.send("GET", "/v1/audit?actions=data.read", Self.bearer(admin)).json["data"]?
      .array
    #expect(looks?.count == 1 && looks?[0]["user_id"] == "ops" && looks?[0]["run_id"] == .string(run))
    #expect(looks?[0]["address"] == "127.0.0.1")
    for user in ["local", "perigee:schedule"] {
      let made = try await scene.run("token", "--user", user)
      #expect(made.status == 2 && made.errors.contains("reserved"), "\(made)")
    }
    await scene.server.stop()
  }

  @Test("who does a run of their own again does it with the roles that they have by then")
  func lostRoles() async throws {
    let scene = try await Scene("auth: { mode: jwt }")
    let admin = Self.bearer(try await scene.token("root", "--role", "admin"))
    func entries(_ action: String) async throws -> [JSON] {
      try await scene.send("GET", "/v1/audit?actions=\(action)", admin).json["data"]?.array ?? []
    }
    let clerk = try await scene.token("ann", "--role", "user", "--role", "clerk")
    let failed = try await scene.chat(clerk, agent: "refunds")
    #expect(failed.status == 502, "\(failed.text)")
    #expect(try await entries("tool.called").map { $0["target"] } == ["tool:refund"])
    let run = try #require(try await entries("tool.called").first?["run_id"]?.string)

    let retry = "/v1/runs/\(run)/retry"
    let again = try await scene.send("POST", retry, Self.bearer(try await scene.token("ann")))
    #expect(again.status == 202, "\(again.text)")
    try await waitWhile { try await entries("tool.refused").isEmpty }
    // The run is hers as she is now, for somebody else who does it again as well.
    let ops = Self.bearer(try await scene.token("ops", "--role", "operator"))
    try await waitWhile { try await scene.send("POST", retry, ops).status != 202 }
    try await waitWhile { try await entries("tool.refused").count < 2 }
    #expect(try await entries("tool.called").count == 1)
    await scene.server.stop()
  }

  @Test("a run's trace shows its user nothing that guards keep from them")
  func hiddenTrace() async throws {
    let scene = try await Scene("auth: { mode: jwt }")
    let ann = try await scene.token("ann")
    let ops = Self.bearer(try await scene.token("ops", "--role", "operator"))
    for message in ["hi", "show", "fail"] {
      _ = try await scene.send(
        "POST", "/v1/agents/masked/chat", Self.bearer(ann), ["message": .string(message)])
      let run =
        try await scene.send("GET", "/v1/runs", Self.bearer(ann)).json["data"]?.array?.first?["id"]?.string
        ?? ""
      let mine = try await scene.send("GET", "/v1/runs/\(run)/trace", Self.bearer(ann))
      #expect(mine.text.contains("tool mail"))
      #expect(!mine.text.contains("joe@"), "\(mine.text)")
      #expect(try await scene.send("GET", "/v1/runs/\(run)/trace", ops).text.contains("joe@"))
    }
    // Nor do events tell it, which have what a step and a called agent really brought.
    #expect(try await scene.chat(ann, agent: "steps").status == 200)
    let told = try await scene.send("GET", "/v1/events", Self.bearer(ann))
    #expect(told.text.contains("workflow.step_completed") && !told.text.contains("joe@"), "\(told.text)")
    #expect(try await scene.send("GET", "/v1/events", ops).text.contains("joe@"))
    let export = try await scene.send("GET", "/v1/users/ann/export", Self.bearer(ann))
    #expect(export.status == 200 && export.text.contains("j***@") && !export.text.contains("joe@"))
    await scene.server.stop()
  }

  @Test("an API key acts for its user and within its agents, until it is revoked or has expired")
  func keys() async throws {
    let scene = try await Scene("auth: { mode: api_key }", environment: [:])
    let made = try JSON(
      parsing: try await scene.run(
        "keys", "create", "--user", "bot", "--name", "report", "--agent", "a", "--json"
      ).output)
    let (key, id) = (try #require(made["key"]?.string), try #require(made["id"]?.string))
    for headers in [Self.bearer(key), [(name: "X-API-Key", value: key)]] {
      let answer = try await scene.send("POST", "/v1/agents/a/chat", headers, ["message": "hi"])
      #expect(answer.json["response"] == "bot user nil", "\(answer.text)")
    }
    #expect(try await scene.chat(key, agent: "b").json["code"] == "denied")
    // It is for talking with its agents, not for all that its user may do.
    for (method, path) in [
      ("GET", "/v1/runs"), ("GET", "/v1/approvals"), ("GET", "/v1/sessions"), ("GET", "/v1/events"),
      ("POST", "/v1/runs/x/retry"), ("POST", "/v1/approvals/x"), ("POST", "/v1/embeddings"),
    ] {
      let answer = try await scene.send(method, path, Self.bearer(key), method == "POST" ? [:] : nil)
      #expect(answer.status == 403, "\(method) \(path): \(answer.text)")
    }
    let all = try await scene.run("keys", "create", "--user", "bot", "--name", "all").output
    let other = try #require(try await scene.chat(all, agent: "a", session: "x").json["run_id"]?.string)
    #expect(try await scene.send("GET", "/v1/runs/\(other)", Self.bearer(key)).status == 200)
    let completion = try await scene.send(
      "POST", "/v1/chat/completions", Self.bearer(key),
      ["model": "a", "messages": [["role": "user", "content": "hi"]]])
    #expect(
      completion.json["choices"]?.array?[0]["message"]?["content"] == "bot user nil", "\(completion.text)")

    let wrong = String(key.dropLast(8)) + "AAAAAAAA"
    #expect(try await scene.send("GET", "/v1/agents", Self.bearer(wrong)).status == 401)
    let list = try await scene.run("keys", "list")
    #expect(list.output.contains(id) && list.output.contains("in force") && !list.output.contains(key))
    // Neither is the key in any file.
    let secret = String(key.split(separator: "_")[2].prefix(43))
    for name in try FileManager.default.contentsOfDirectory(atPath: scene.data.path) {
      let bytes = FileManager.default.contents(atPath: scene.data.path + "/" + name) ?? Data()
      #expect(bytes.range(of: Data(secret.utf8)) == nil, "\(name)")
    }

    #expect(try await scene.run("keys", "revoke", id).status == 0)
    var refused = try await scene.send("GET", "/v1/agents", Self.bearer(key))
    while refused.status == 200 { refused = try await scene.send("GET", "/v1/agents", Self.bearer(key)) }
    #expect(refused.status == 401 && refused.json["detail"] == "the API key was revoked")
    #expect(try await scene.run("keys", "list").output.contains("revoked"))
    #expect(try await scene.run("keys", "revoke", "nothing").status != 0)
    let trail =
      try JSON(
        parsing: try await scene.run(
          "audit", "--action", "key.created", "--action", "key.revoked", "--json"
        ).output)["data"]?.array ?? []
    #expect(trail.count { $0["target"] == .string("key:\(id)") } == 2)
    let ends = try JSON(parsing: try await scene.run("audit", "--action", "run.ended", "--json").output)
    #expect(ends["data"]?.array?.last?["key_id"] == .string(id))
    await scene.server.stop()
  }

  @Test("public keys are fetched from where they are published, and a secret is none of them")
  func published() async throws {
    let key = P256.Signing.PrivateKey()
    let set = Self.keySet(key)
    let issuer = try ScriptedProvider { _ in .json(set) }
    let pem = try Folder([
      "private.pem": key.pemRepresentation, "other.pem": P256.Signing.PrivateKey().pemRepresentation,
    ])
    let scene = try await Scene(
      "auth: { mode: jwt, jwt: { algorithms: [ES256], jwks_url: '\(issuer.origin)/keys' } }", environment: [:]
    )
    let token = try await scene.token("ann", "--key-file", pem.path + "/private.pem", "--key-id", "k1")
    #expect(try await scene.chat(token).json["response"] == "ann user nil")
    let forged = try await scene.token("ann", "--key-file", pem.path + "/other.pem", "--key-id", "k1")
    #expect(try await scene.chat(forged).status == 401)
    #expect(issuer.requests.count == 1)
    await scene.server.stop()
  }

  @Test(
    "an issuer says where its keys are, and nobody else says it",
    arguments: [
      ("", 200), ("/openid", 200), ("/oauth/", 200), ("/liar", 503), ("/plain", 503), ("/silent", 503),
    ])
  func discovery(path: String, status: Int) async throws {
    let key = P256.Signing.PrivateKey()
    let set = Self.keySet(key)
    let provider = try ScriptedProvider { request in
      let origin = "http://\(request.header("host") ?? "")"
      return switch request.path {
      case "/keys": .json(set)
      case "/.well-known/openid-configuration", "/openid/.well-known/openid-configuration":
        .json([
          "issuer": .string(origin + (request.path.hasPrefix("/openid") ? "/openid" : "")),
          "jwks_uri": .string(origin + "/keys"),
        ])
      case "/.well-known/oauth-authorization-server/oauth":
        .json(["issuer": .string(origin + "/oauth/"), "jwks_uri": .string(origin + "/keys")])
      case "/liar/.well-known/openid-configuration":
        .json(["issuer": .string(origin), "jwks_uri": .string(origin + "/keys")])
      case "/plain/.well-known/openid-configuration":
        .json(["issuer": .string(origin + "/plain"), "jwks_uri": "file:///keys"])
      default: .json([:], status: 404)
      }
    }
    let pem = try Folder(["private.pem": key.pemRepresentation])
    let scene = try await Scene(
      "auth: { mode: jwt, jwt: { algorithms: [ES256], issuer: '\(provider.origin)\(path)' } }",
      environment: [:])
    let token = try await scene.token("ann", "--key-file", pem.path + "/private.pem", "--key-id", "k1")
    #expect(try await scene.chat(token).status == status)
    let examined = try await scene.run("doctor", "--online", "--port", "0")
    #expect(examined.output.contains("1 public keys" as String) == (status == 200), "\(examined.output)")
    await scene.server.stop()
  }

  @Test("a trusted proxy says where a request came from, and nobody else does")
  func proxies() async throws {
    let scene = try await Scene(
      "auth: { mode: jwt }\nserver: { trusted_proxies: [127.0.0.0/8, 10.0.0.1] }")
    let admin = try await scene.token("root", "--role", "admin")
    for forwarded in ["203.0.113.9, 198.51.100.7, 10.0.0.1", "junk, 198.51.100.8", "198.51.100.9", "junk"] {
      _ = try await scene.send(
        "POST", "/v1/agents/a/chat", Self.bearer(admin) + [("X-Forwarded-For", forwarded)], ["message": "hi"])
    }
    let ends = try await scene.send("GET", "/v1/audit?actions=run.ended", Self.bearer(admin)).json["data"]?
      .array
    #expect(
      ends?.reversed().map { $0["address"] } == ["198.51.100.7", "198.51.100.8", "198.51.100.9", "127.0.0.1"])
    await scene.server.stop()
    let open = try await Scene("auth: { mode: jwt }")
    let root = try await open.token("root", "--role", "admin")
    _ = try await open.send(
      "POST", "/v1/agents/a/chat", Self.bearer(root) + [("X-Forwarded-For", "203.0.113.9")], ["message": "hi"]
    )
    let end = try await open.send("GET", "/v1/audit?actions=run.ended", Self.bearer(root)).json["data"]?
      .array?.first
    #expect(end?["address"] == "127.0.0.1")
    await open.server.stop()
  }

  @Test("a server without authentication answers nobody behind a proxy")
  func behindProxy() async throws {
    let scene = try await Scene("log: { level: info }", environment: [:])
    #expect(try await scene.send("GET", "/v1/agents", []).status == 200)
    for name in ["X-Forwarded-For", "Forwarded", "Via"] {
      #expect(try await scene.send("GET", "/v1/agents", [(name, "198.51.100.7")]).status == 403)
    }
    await scene.server.stop()
  }

  @Test("whoever listens hears no more once their key is revoked")
  func listener() async throws {
    let scene = try await Scene("auth: { mode: api_key }", environment: [:])
    let key = try await scene.run("keys", "create", "--user", "bot", "--name", "x").output
    let id = try #require(key.split(separator: "_").dropFirst().first.map(String.init))
    let events = Task {
      try await scene.send("GET", "/v1/events", Self.bearer(key) + [("Accept", "text/event-stream")])
    }
    _ = try await scene.chat(key)
    #expect(try await scene.run("keys", "revoke", id).status == 0)
    // It ends by itself.
    let heard = try await events.value
    #expect(heard.status == 200 && heard.text.hasPrefix(": listening"))
    await scene.server.stop()
  }

  @Test(
    "a server that would not be safe does not start, and says how to mend it",
    arguments: [
      ("{}", ["--host", "0.0.0.0"], [:], "auth.mode none"),
      ("auth: { mode: jwt }", [], [:], "PERIGEE_JWT_SECRET"),
      ("auth: { mode: jwt }", [], ["PERIGEE_JWT_SECRET": "short"], "32"),
      ("auth: { mode: jwt, jwt: { algorithms: [RS256] } }", [], [:], "jwks_url"),
      (
        "auth: { mode: jwt, jwt: { algorithms: [RS256], public_key_file: /nowhere.pem } }", [], [:],
        "/nowhere.pem"
      ),
      (
        "auth: { mode: jwt, jwt: { algorithms: [HS256, HS512] } }", [], ["PERIGEE_JWT_SECRET": secret],
        "more than one HS"
      ),
    ] as [(String, [String], [String: String], String)])
  func unsafe(configuration: String, flags: [String], environment: [String: String], hint: String)
    async throws
  {
    let workspace = try Folder([
      "perigee.yaml": configuration, "agents/a.lua": Self.agents["agents/a.lua"] ?? "",
    ])
    let data = try Folder()
    let started = try await perigee(
      ["serve", "--port", "0", "--workspace", workspace.path, "--data", data.path] + flags,
      environment: environment)
    #expect(started.status == 2 && started.errors.contains(hint), "\(started.errors)")
    #expect(!started.errors.contains(environment["PERIGEE_JWT_SECRET"] ?? "\0"))
  }

  @Test("a conversation in the terminal shows its token to the server")
  func chat() async throws {
    let scene = try await Scene("auth: { mode: jwt }")
    let token = try await scene.token("ann")
    let chat = try await perigee(
      ["chat", "a", "--server", scene.server.origin, "--token-env", "MY_TOKEN"],
      environment: ["MY_TOKEN": token], input: "hello\n")
    #expect(chat.status == 0 && chat.output.contains("ann user"), "\(chat.errors)")
    let without = try await perigee("chat", "a", "--server", scene.server.origin)
    #expect(without.status != 0 && without.errors.contains("show who you are"))
    await scene.server.stop()
  }
}
