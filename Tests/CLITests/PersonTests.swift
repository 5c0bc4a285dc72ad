// SPDX-License-Identifier: Apache-2.0
import Foundation
import GRDB
import JSONCodec
import TestSupport
import Testing

/// All that is kept of a user, handed out and erased, with a server at work.
@Suite("A user's data", .timeLimit(.minutes(5)))
struct PersonTests {
  private static let scripts = [
    "tools/t.lua": """
    return {
      note = { description = "Notes.", parameters = { text = "string" }, access = { kv = "write" },
        run = function(ctx, args)
          kv.set("note", args.text)
          kv.set("note", args.text, { scope = "session" })
          return args.text
        end },
      fail = { description = "Fails.", parameters = { text = "string" }, action = true,
        run = function(ctx, args) error({ code = "denied", message = args.text }) end },
    }
    """,
    "agents/a.lua": """
    return { tools = { "note" }, access = { queue = true }, run = function(ctx, input)
      local text = input.message
      ctx.session.state.text = text
      event.emit("told", { text = text })
      tools.call("note", { text = text })
      queue.publish("fail", { text = text }, { key = text })
      return "answer " .. text
    end }
    """,
    "agents/asking.lua": """
    return { run = function(ctx, input)
      return tostring(approval.request{ title = input.message, detail = { text = input.message } }.approved)
    end }
    """,
    // One long sleep would leave memory, and not be under way, on a machine that is slow to start the command.
    "agents/slow.lua": "return { run = function() for _ = 1, 600 do time.sleep(0.1) end return 'x' end }",
  ]

  private static let ofUsers: Set = [
    "users", "sessions", "session_states", "session_summaries", "messages", "tool_calls", "runs", "journal",
    "approvals", "kv", "events", "idempotency_keys", "lone_answers", "jobs", "api_keys", "audit_actors",
    "channel_messages", "feedback",
  ]
  /// Tables that say nothing of users, or no more than the name of a run.
  private static let ofNobody: Set = [
    "grdb_migrations", "sqlite_sequence", "marks", "script_texts", "versions", "version_files", "deployment",
    "schedules", "event_deliveries", "cancellations", "agents", "audit", "audit_start", "audit_key",
    "job_turns",
  ]

  /// Has a user leave a word in everything that the host keeps.
  private func live(_ user: String, _ word: String, in scene: TokenScene) async throws {
    let token = try await scene.token(user, "user")
    for session in ["one", "two"] {
      let answer = try await scene.send(
        "POST", "/v1/agents/a/chat", as: token,
        ["message": .string("says \(word)"), "session_id": .string("\(session)-\(word)")],
        headers: [("Idempotency-Key", "key-\(session)-\(word)")])
      #expect(answer.status == 200, "\(answer.text)")
      let judged = try await scene.send(
        "POST", "/v1/feedback", as: token,
        ["run_id": answer.json["run_id"] ?? .null, "score": 1, "comment": .string("thinks \(word)")])
      #expect(judged.status == 200, "\(judged.text)")
    }
    #expect(try await scene.chat("asking", "ask \(word)", as: token, session: "q-\(word)").status == 202)
    let lone = try await scene.send(
      "POST", "/v1/chat/completions", as: token,
      ["model": "a", "messages": [["role": "user", "content": .string("lone \(word)")]]],
      headers: [("Idempotency-Key", "lone-\(word)")])
    #expect(lone.status == 200, "\(lone.text)")
    #expect(try await scene.run("keys", "create", "--user", user, "--name", "key \(word)").status == 0)
  }

  /// Tables in which a word stands, of the host's database; all of them for the empty word.
  private func tables(with word: String, in data: String) throws -> Set<String> {
    let queue = try DatabaseQueue(path: data + "/perigee.sqlite")
    defer { try? queue.close() }
    return try queue.read { database in
      var found: Set<String> = []
      for table in try String.fetchAll(database, sql: "SELECT name FROM sqlite_master WHERE type = 'table'") {
        if word.isEmpty { found.insert(table) }
        for row in word.isEmpty ? [] : try Row.fetchAll(database, sql: "SELECT * FROM \"\(table)\"") {
          let holds = row.databaseValues.contains { value in
            switch value.storage {
            case .string(let text): text.contains(word)
            case .blob(let bytes): bytes.range(of: Data(word.utf8)) != nil
            default: false
            }
          }
          if holds { found.insert(table) }
        }
      }
      return found
    }
  }

  private func filesHold(_ word: String, in data: String) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: data).filter { name in
      let bytes = (try? Data(contentsOf: URL(filePath: "\(data)/\(name)"))) ?? Data()
      return bytes.range(of: Data(word.utf8)) != nil
    }
  }

  @Test(
    "goes from every table and from the files; others keep theirs, and the trail holds",
    arguments: [true, false])
  func erased(overHTTP: Bool) async throws {
    let scene = try await TokenScene(Self.scripts, arguments: ["--workers", "2"])
    let (mine, theirs) = ("Xanadu7Zebra", "Quokka9Lemur")
    try await live("ann-\(mine)", mine, in: scene)
    try await live("bob-\(theirs)", theirs, in: scene)
    var letters = try await scene.run("dead-letters", "--json")
    while !letters.output.contains("lone \(mine)") || !letters.output.contains("lone \(theirs)") {
      letters = try await scene.run("dead-letters", "--json")
    }
    for (user, word) in [("ann", mine), ("bob", theirs)] {
      let queue = try DatabaseQueue(path: scene.data.path + "/perigee.sqlite")
      try await queue.write { database in
        try database.execute(
          sql: """
            INSERT INTO session_summaries SELECT id, ?1, id << 24 FROM sessions WHERE user_id = ?2 LIMIT 1;
            """, arguments: [word, "\(user)-\(word)"])
        try database.execute(
          sql: """
            INSERT INTO channel_messages (channel, id, user_id, received_at, state) VALUES ('x', ?, ?, 0, 'answered')
            """, arguments: [word, "\(user)-\(word)"])
      }
      try queue.close()
    }
    let before = try tables(with: mine, in: scene.data.path)
    // A new table that says something of a user has to be filled above, and erased.
    #expect(before.subtracting(["job_turns"]) == Self.ofUsers, "\(before.sorted())")
    #expect(try tables(with: "", in: scene.data.path).subtracting(Self.ofUsers).isSubset(of: Self.ofNobody))
    let others = try tables(with: theirs, in: scene.data.path)
    let kept = try await export(theirs, in: scene)

    if overHTTP {
      let admin = try await scene.token("root", "admin")
      let gone = try await scene.send("DELETE", "/v1/users/ann-\(mine)", as: admin)
      #expect(
        gone.status == 200 && gone.json["sessions"] == 3 && gone.json["scrubbed"] == true
          && gone.json["resumed"] == false, "\(gone.text)")
      #expect(try await scene.send("DELETE", "/v1/users/ann-\(mine)", as: admin).status == 404)
    } else {
      #expect(try await scene.run("users", "erase", "ann-\(mine)").status == 2)
      let gone = try await scene.run("users", "erase", "ann-\(mine)", "--yes")
      #expect(gone.status == 0, "\(gone.errors)")
      #expect(try await scene.run("users", "erase", "ann-\(mine)", "--yes").status == 2)
    }
    #expect(try tables(with: mine, in: scene.data.path) == [])
    #expect(try filesHold(mine, in: scene.data.path) == [])
    #expect(try tables(with: theirs, in: scene.data.path).isSuperset(of: others.subtracting(["job_turns"])))
    let after = try await export(theirs, in: scene)
    for (name, list) in kept.object?.members ?? [] where name != "audit" {
      #expect(after[name] == list, "\(name)")
    }
    let verdict = try await scene.run("audit", "verify")
    #expect(verdict.status == 0, "\(verdict.output)")
    let entries = try JSON(parsing: try await scene.run("audit", "--action", "user.erased", "--json").output)
    #expect(entries["data"]?.array?.count == 1)
    #expect(entries["data"]?.array?[0]["user_id"] == (overHTTP ? "root" : "local"))
    #expect(entries["data"]?.array?[0]["target"]?.string?.hasPrefix("person:") == true)
    // The server goes on, and they may come back as somebody new.
    let token = try await scene.token("ann-\(mine)", "user")
    let back = try await scene.chat("a", "back", as: token)
    #expect(back.status == 200, "\(back.text)")
    #expect(try await scene.send("GET", "/v1/sessions", as: token).json["data"]?.array?.count == 1)
    await scene.server.stop()
  }

  private func export(_ word: String, in scene: TokenScene) async throws -> JSON {
    let token = try await scene.token("bob-\(word)", "user")
    let answer = try await scene.send("GET", "/v1/users/bob-\(word)/export", as: token)
    #expect(answer.status == 200, "\(answer.text)")
    return answer.json
  }

  @Test("operators see who has been there, and who was here last, of their tenant; users do not")
  func listed() async throws {
    let scene = try await TokenScene(
      ["agents/a.lua": "return { run = function() return 'a' end }"],
      auth: "auth: { mode: any, jwt: { tenant_claim: org } }")
    let key = try await scene.run("keys", "create", "--user", "root", "--name", "k", "--role", "operator")
    let root = key.output.trimmingCharacters(in: .newlines)
    for (user, tenant, session) in [
      ("ann", "acme", "x"), ("bob", "acme", "y"), ("ann", "acme", "z"), ("eve", "globex", "x"),
      ("bob", "acme", "y"),
    ] {
      let token = try await scene.token(user, "user", tenant: tenant)
      #expect(try await scene.chat("a", "hi", as: token, session: session).status == 200)
    }
    let users = try await scene.send("GET", "/v1/users", as: root).json["data"]?.array ?? []
    try #require(users.map { $0["user_id"] } == ["acme/ann", "acme/bob", "globex/eve"], "\(users)")
    #expect(users.map { $0["sessions"] } == [2, 1, 1] && users.map { $0["messages"] } == [4, 4, 2])
    let bob = try await scene.token("bob", "user", tenant: "acme")
    let last = try await scene.send("GET", "/v1/sessions/y", as: bob).json["updated_at"]?.string ?? "?"
    #expect(users[1]["last_active"]?.string == last && users[1]["created_at"]?.string ?? "" < last)
    #expect(try await scene.send("GET", "/v1/users", as: bob).status == 403)
    let first = try await scene.send("GET", "/v1/users?limit=1", as: root).json
    let next = try #require(first["next"]?.string)
    let rest = try await scene.send("GET", "/v1/users?limit=2&after=\(next)", as: root).json
    #expect(first["data"]?.array == [users[0]] && rest["data"]?.array == [users[1], users[2]])
    #expect(rest["next"] == .null)
    #expect(try await scene.send("GET", "/v1/users?after=u6", as: root).status == 400)
    let tenants = try await scene.token("lead", "operator", tenant: "acme")
    let own = try await scene.send("GET", "/v1/users", as: tenants).json["data"]?.array
    #expect(own == [users[0], users[1]])
    await scene.server.stop()
  }

  @Test("is handed out whole, to them and to admins, and to nobody else")
  func exported() async throws {
    let scene = try await TokenScene(Self.scripts, arguments: ["--workers", "2"])
    try await live("ann", "Marker", in: scene)
    try await live("bob", "Other", in: scene)
    let (ann, bob) = (try await scene.token("ann", "user"), try await scene.token("bob", "operator"))
    let admin = try await scene.token("root", "admin")
    #expect(try await scene.send("GET", "/v1/users/ann/export", as: bob).status == 404)
    #expect(try await scene.send("GET", "/v1/users/nobody/export", as: admin).status == 404)
    #expect(try await scene.send("DELETE", "/v1/users/ann", as: ann).status == 403)
    let mine = try await scene.send("GET", "/v1/users/ann/export", as: ann)
    #expect(mine.status == 200 && mine.json["user_id"] == "ann", "\(mine.text.prefix(300))")
    for list in [
      "sessions", "messages", "runs", "tool_calls", "journal", "approvals", "feedback", "jobs", "events",
      "values",
      "idempotency_keys", "api_keys", "audit",
    ] {
      #expect(mine.json[list]?.array?.isEmpty == false, "\(list)")
    }
    #expect(mine.json["messages"]?.array?.count == 5)
    #expect(!mine.text.contains("Other") && !mine.text.contains("\"hash\""))
    let file = scene.data.path + "-export.json"
    defer { try? FileManager.default.removeItem(atPath: file) }
    #expect(try await scene.run("users", "export", "ann", "--output", file).status == 0)
    #expect(try await scene.run("users", "export", "ann", "--output", file).status == 2)
    let written = try JSON(parsing: try String(contentsOfFile: file, encoding: .utf8))
    #expect(written["messages"] == mine.json["messages"])
    let mode = try FileManager.default.attributesOfItem(atPath: file)[.posixPermissions] as? Int
    #expect(mode == 0o600)
    let audit = try await scene.run("audit", "--action", "user.exported", "--json")
    #expect(try JSON(parsing: audit.output)["data"]?.array?.count == 2, "\(audit.output)")
    await scene.server.stop()
  }

  @Test("many pages of it make one document")
  func pages() async throws {
    var scripts = Self.scripts
    scripts["agents/many.lua"] = """
      return { tools = { "note" }, run = function(ctx, input)
        for i = 1, 450 do tools.call("note", { text = "n" .. i }) end return "done" end }
      """
    let scene = try await TokenScene(scripts)
    let ann = try await scene.token("ann", "user")
    #expect(try await scene.chat("many", "m", as: ann).status == 200)
    let mine = try await scene.send("GET", "/v1/users/ann/export", as: ann)
    let calls = mine.json["tool_calls"]?.array?.compactMap { $0["result"]?.string }
    #expect(calls == (1...450).map { "n\($0)" }, "\(mine.text.prefix(300))")
    await scene.server.stop()
  }

  @Test("stays while a run of theirs is under way, and the refusal names it")
  func busy() async throws {
    let scene = try await TokenScene(Self.scripts)
    let (ann, admin) = (try await scene.token("ann", "user"), try await scene.token("root", "admin"))
    let slow = Task { try await scene.chat("slow", "m", as: ann) }
    var run: String?
    while run == nil {
      run = try await scene.send("GET", "/v1/runs", as: ann).json["data"]?.array?.first?["id"]?.string
    }
    let refused = try await scene.send("DELETE", "/v1/users/ann", as: admin)
    #expect(refused.status == 409 && refused.text.contains(run ?? "?"), "\(refused.text)")
    let command = try await scene.run("users", "erase", "ann", "--yes")
    #expect(command.status == 1 && command.errors.contains("cancel"), "\(command.errors)")
    _ = try await scene.send("POST", "/v1/runs/\(run ?? "")/cancel", as: ann, [:])
    _ = try await slow.value
    #expect(try await scene.send("DELETE", "/v1/users/ann", as: admin).status == 200)
    await scene.server.stop()
  }

  @Test(
    "a key that a server has just let in counts for nothing, and makes nothing of them anew",
    arguments: [true, false])
  func keyed(overHTTP: Bool) async throws {
    let scene = try await TokenScene(Self.scripts)
    let ann = "ann-Xanadu7Zebra"
    let made = try await scene.run("keys", "create", "--user", ann, "--name", "k")
    let key = made.output.trimmingCharacters(in: .whitespacesAndNewlines)
    #expect(try await scene.chat("a", "hello", as: key).status == 200)
    if overHTTP {
      let admin = try await scene.token("root", "admin")
      #expect(try await scene.send("DELETE", "/v1/users/\(ann)", as: admin).status == 200)
    } else {
      #expect(try await scene.run("users", "erase", ann, "--yes").status == 0)
    }
    let back = try await scene.chat("a", "again", as: key)
    #expect(back.status == 401, "\(back.text)")
    #expect(try await scene.send("POST", "/v1/sessions", as: key, ["title": "t"]).status == 401)
    #expect(try tables(with: ann, in: scene.data.path) == [])
    let begun = try JSON(
      parsing: try await scene.run("audit", "--action", "user.erasure_begun", "--json").output)
    #expect(begun["data"]?.array?.count == 1)
    await scene.server.stop()
  }

  @Test("what they decided for others stays decided, without their name, once the run has ended")
  func decider() async throws {
    let scene = try await TokenScene([
      "agents/twice.lua": """
      return { run = function(ctx, input)
        local by = { roles = { "manager" } }
        local first = approval.request{ title = "First?", by = by }
        if input.message == "once" then return first.decision end
        -- What it was told before it has to be told again: else this is another question.
        return approval.request{ title = "By " .. first.by .. "?" }.decision
      end }
      """
    ])
    let (bob, ann) = (try await scene.token("bob", "user"), try await scene.token("ann-Xanadu", "manager"))
    var ids: [String] = []
    for message in ["once", "twice"] {
      let asked = try await scene.chat("twice", message, as: bob, session: message)
      let id = try #require(asked.json["approval"]?["id"]?.string, "\(asked.text)")
      let decided = try await scene.send(
        "POST", "/v1/approvals/\(id)", as: ann, ["decision": "approve", "comment": "says Zebra"])
      #expect(decided.status == 200, "\(decided.text)")
      ids.append(id)
    }
    var pending: String?
    while pending == nil {
      let list = try await scene.send("GET", "/v1/approvals", as: bob).json["data"]?.array
      pending = list?.first { $0["status"] == "pending" }?["id"]?.string
    }
    try await waitWhile { try await runs("completed", of: bob, in: scene) < 1 }
    #expect(try await scene.run("users", "erase", "ann-Xanadu", "--yes").status == 0)
    for id in ids {
      let decision = try await scene.send("GET", "/v1/approvals/\(id)", as: bob).json["decision"]
      #expect(decision?["user_id"] == "perigee:erased" && decision?["decision"] == "approve", "\(id)")
    }
    #expect(try tables(with: "says Zebra", in: scene.data.path) == ["journal"])
    // It goes on by what it read, and nothing is left of it then but what it asked itself.
    let second = try await scene.send(
      "POST", "/v1/approvals/\(pending ?? "")", as: bob, ["decision": "approve"])
    #expect(second.status == 200, "\(second.text)")
    try await waitWhile { try await runs("completed", of: bob, in: scene) < 2 }
    #expect(try tables(with: "says Zebra", in: scene.data.path) == [])
    #expect(try tables(with: "\"by\":\"ann-Xanadu", in: scene.data.path) == [])
    #expect(try await scene.run("audit", "verify").status == 0)
    await scene.server.stop()
  }

  private func runs(_ status: JSON, of user: String, in scene: TokenScene) async throws -> Int {
    let runs = try await scene.send("GET", "/v1/runs", as: user).json["data"]?.array ?? []
    return runs.filter { $0["status"] == status }.count
  }
}
