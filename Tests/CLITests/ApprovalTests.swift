// SPDX-License-Identifier: Apache-2.0
import Foundation
import JSONCodec
import TestSupport
import Testing

/// Runs that wait for people, in the real server.
@Suite("Approvals")
struct ApprovalTests {
  private static let scripts = [
    "tools/bank.lua": """
    return {
      schema = "create table payments (id integer primary key, amount integer)",
      pay = {
        description = "Pays.", parameters = { amount = { type = "integer" } }, access = { db = "write" },
        approve = function(ctx, args) return args.amount > 100 and ("Pay %d?"):format(args.amount) end,
        run = function(ctx, args)
          db.exec("insert into payments (amount) values (?)", args.amount)
          return { paid = args.amount }
        end,
      },
      careful = {
        description = "Asks in its middle.", parameters = {}, access = { db = "write" },
        run = function()
          db.exec("insert into payments (amount) values (1)")
          local answer = approval.request{ title = "Go on?" }
          return { approved = answer.approved, by = answer.by }
        end,
      },
      total = {
        description = "Adds up.", parameters = {}, access = { db = "read" }, effect = "read",
        run = function() return db.query("select count(*) as n from payments")[1] end,
      },
    }
    """,
    "agents/refund.lua": """
    return {
      tools = { "careful", "total" },
      run = function(ctx)
        local r = parallel{
          a = function()
            return approval.request{
              title = "Refund?", detail = { order = 7 }, fields = { sum = { type = "integer", minimum = 1 } },
            }
          end,
          b = function() time.sleep(0.05) return "slept" end,
        }
        if not r.a.approved then return "not refunded: " .. tostring(r.a.comment) end
        return ("refunded %d, %s"):format(r.a.values.sum, r.b)
      end,
    }
    """,
    "agents/quick.lua": """
    return { run = function() return approval.request{ title = "Now?", timeout = "1s" }.decision end }
    """,
    "agents/middle.lua": """
    return {
      tools = { "careful", "total" },
      run = function()
        local r = tools.call("careful")
        return ("%s by %s, %d"):format(tostring(r.approved), r.by, tools.call("total").n)
      end,
    }
    """,
    "agents/teller.lua": "return { prompt = 'p', tools = { 'pay', 'total' } }",
  ]

  private static func decide(
    _ server: RunningServer, _ id: String, _ body: String
  ) async throws -> RunningServer.Answer {
    try await server.send("POST", "/v1/approvals/\(id)", body: Array(body.utf8))
  }

  private static func approval(_ answer: RunningServer.Answer) throws -> String {
    #expect(answer.status == 202, "\(answer.text)")
    #expect(answer.json["status"] == "waiting")
    return try #require(answer.json["approval"]?["id"]?.string)
  }

  /// The session's answers, once none of its runs waits any more.
  private static func ended(_ server: RunningServer, session: String = "s") async throws -> [String] {
    while true {
      let runs = try await server.get("/v1/runs").json["data"]?.array ?? []
      if !runs.contains(where: { $0["status"] == "running" || $0["status"] == "waiting" }) { break }
    }
    return try await server.get("/v1/sessions/\(session)/messages").json["data"]?.array?.filter {
      $0["role"] == "assistant"
    }.compactMap { $0["content"]?.string } ?? []
  }

  @Test("a run waits for a person over a restart, and of many who decide one does")
  func restart() async throws {
    let (workspace, data) = (try Folder(Self.scripts), try Folder())
    let first = try await RunningServer(workspace: workspace.path, data: data.path)
    let answer = try await first.chat("refund", "please", session: "s")
    let id = try Self.approval(answer)
    #expect(answer.json["approval"]?["detail"]?["order"] == 7)
    #expect(try await first.get("/v1/runs").json["data"]?.array?.first?["status"] == "waiting")
    // Another message to the session does not wait for a person.
    #expect(try await first.chat("quick", "x", session: "s").status == 202)
    #expect(try await Self.decide(first, id, #"{"decision":"maybe"}"#).status == 400)
    let refused = try await Self.decide(first, id, #"{"decision":"approve","values":{"sum":0}}"#)
    #expect(refused.status == 400)
    #expect(refused.json["errors"] == [["field": "values.sum", "message": "must be at least 1"]])
    await first.stop(signal: SIGKILL)

    let second = try await RunningServer(workspace: workspace.path, data: data.path)
    let statuses = try await withThrowingTaskGroup(of: Int.self) { group in
      for number in 1...20 {
        group.addTask {
          try await Self.decide(second, id, #"{"decision":"approve","values":{"sum":\#(number)}}"#).status
        }
      }
      return try await group.reduce(into: []) { $0.append($1) }
    }
    #expect(statuses.filter { $0 == 200 }.count == 1 && statuses.filter { $0 == 409 }.count == 19)
    let decided = try await second.get("/v1/approvals/\(id)").json
    let sum = try #require(decided["decision"]?["values"]?["sum"]?.integer)
    let answers = try await Self.ended(second)
    #expect(answers.contains("refunded \(sum), slept"), "\(answers)")
    #expect(answers.contains("expired"))
    let list = try await second.get("/v1/approvals?limit=1").json
    #expect(list["data"]?.array?.count == 1 && list["next"]?.isNull == false)
    await second.stop()
  }

  @Test("a tool waits in its middle, and does not do again what it did before")
  func middle() async throws {
    let (workspace, data) = (try Folder(Self.scripts), try Folder())
    let server = try await RunningServer(workspace: workspace.path, data: data.path)
    let id = try Self.approval(try await server.chat("middle", "go", session: "s"))
    #expect(try await Self.decide(server, id, #"{"decision":"approve"}"#).status == 200)
    #expect(try await Self.ended(server) == ["true by local, 1"])
    await server.stop()
  }

  @Test("a tool that wants a person to agree runs when one has, and the model hears of a no")
  func tools() async throws {
    let turn = Tally()
    let provider = try ScriptedProvider { request in
      switch turn.increment() {
      case 0: return .toolCalls([("c1", "pay", #"{"amount":50}"#), ("c2", "pay", #"{"amount":500}"#)])
      case 1: return .toolCalls([("c3", "pay", #"{"amount":900}"#)])
      default:
        return .completion(request.json["messages"]?.array?.last?["content"]?.string ?? "?")
      }
    }
    let (workspace, data) = (try Folder(Self.scripts), try Folder())
    let server = try await RunningServer(
      workspace: workspace.path, data: data.path,
      environment: ["OPENAI_BASE_URL": provider.baseURL, "OPENAI_API_KEY": "sk-secret"])
    let id = try Self.approval(try await server.chat("teller", "pay", session: "s"))
    #expect(try await server.get("/v1/approvals/\(id)").json["title"] == "Pay 500?")
    #expect(try await Self.decide(server, id, #"{"decision":"approve"}"#).status == 200)
    var next: String?
    while next == nil {
      next = try await server.get("/v1/approvals").json["data"]?.array?.first {
        $0["status"] == "pending" && $0["title"] == "Pay 900?"
      }?["id"]?.string
    }
    #expect(
      try await Self.decide(server, next ?? "", #"{"decision":"reject","comment":"too much"}"#).status == 200)
    let answers = try await Self.ended(server)
    #expect(answers.first?.contains("a person rejected this call of pay: too much") == true, "\(answers)")
    #expect(provider.requests.count == 3)
    let calls = try await server.get("/v1/sessions/s/messages").json["data"]?.array?.last?["tool_calls"]?
      .array
    #expect(calls?.map { $0["error"]?["code"]?.string } == [nil, nil, "denied"])
    await server.stop()
  }

  @Test("a run that waits can be cancelled, and its question goes with it")
  func cancelled() async throws {
    let (workspace, data) = (try Folder(Self.scripts), try Folder())
    let server = try await RunningServer(workspace: workspace.path, data: data.path)
    let answer = try await server.chat("refund", "please", session: "s")
    let id = try Self.approval(answer)
    let run = try #require(answer.json["run_id"]?.string)
    #expect(try await server.send("POST", "/v1/runs/\(run)/cancel", body: []).status == 202)
    #expect(try await server.get("/v1/runs/\(run)").json["status"] == "cancelled")
    #expect(try await server.get("/v1/approvals/\(id)").json["status"] == "cancelled")
    #expect(try await Self.decide(server, id, #"{"decision":"approve"}"#).status == 409)
    await server.stop()
  }

  @Test("a person says what became of a call that was under way when the server was killed")
  func unknownOutcome() async throws {
    let gate = Gate()
    let service = try ScriptedProvider(.pieces([(gate: gate, bytes: [])]))
    let workspace = try Folder([
      "perigee.yaml": "http: { private_addresses: true }",
      "tools/mail.lua": """
      return { send = {
        description = "Sends.", parameters = {}, access = { http = { "127.0.0.1:\(service.port)" } },
        run = function() return http.post("\(service.origin)/send").status end,
      } }
      """,
      "agents/a.lua":
        "return { tools = { 'send' }, run = function() return tostring(tools.call('send').sent) end }",
    ])
    let data = try Folder()
    let first = try await RunningServer(workspace: workspace.path, data: data.path)
    let lost = Task { try await first.chat("a", "go", session: "s") }
    await service.requests(atLeast: 1)
    await first.stop(signal: SIGKILL)
    _ = await lost.result
    gate.open()
    let second = try await RunningServer(workspace: workspace.path, data: data.path)
    var question: JSON?
    while question == nil { question = try await second.get("/v1/approvals").json["data"]?.array?.first }
    #expect(question?["choices"]?.array == ["retry", "done", "abort"])
    let id = try #require(question?["id"]?.string)
    #expect(
      try await Self.decide(second, id, #"{"decision":"done","values":{"result":{"sent":true}}}"#).status
        == 200)
    #expect(try await Self.ended(second) == ["true"])
    #expect(service.requests.count == 1)
    await second.stop()
  }

  private static func question(_ server: RunningServer, _ choice: String) async throws -> String {
    while true {
      let asked = try await server.get("/v1/approvals").json["data"]?.array?.first {
        $0["status"] == "pending" && $0["choices"]?.array?.contains(.string(choice)) == true
      }
      if let id = asked?["id"]?.string { return id }
    }
  }

  @Test("who said to retry a call is asked again when the server is killed in that attempt, too")
  func unknownTwice() async throws {
    let gate = Gate()
    let scene = try Counted(
      "return tostring(tools.call('work').n)",
      tools: """
        return { work = { description = "d", unknown = "ask", access = { http = { "SERVICE" } },
          run = function() return http.post("http://SERVICE/slow", {}).json end } }
        """, slow: gate)
    var server = try await scene.start()
    let lost = Task { [server] in try await server.chat("a", "go", session: "s") }
    for attempt in 1...2 {
      await scene.service.requests(atLeast: attempt)
      await server.stop(signal: SIGKILL)
      server = try await scene.start()
      let id = try await Self.question(server, "retry")
      let choice =
        attempt == 1 ? #"{"decision":"retry"}"# : #"{"decision":"done","values":{"result":{"n":7}}}"#
      #expect(try await Self.decide(server, id, choice).status == 200)
    }
    _ = await lost.result
    gate.open()
    #expect(try await Self.ended(server) == ["7"])
    #expect(scene.count("/slow") == 2)
    await server.stop()
  }

  @Test("a tool that waited in its middle is not done again when a person says that it was done")
  func unknownAfterWaiting() async throws {
    let gate = Gate()
    let scene = try Counted(
      "return tostring(tools.call('work').n)",
      tools: """
        return { work = { description = "d", unknown = "ask", access = { http = { "SERVICE" } },
          run = function()
            approval.request{ title = "Go?" }
            return http.post("http://SERVICE/slow", {}).json
          end } }
        """, slow: gate)
    let first = try await scene.start()
    let id = try Self.approval(try await first.chat("a", "go", session: "s"))
    #expect(try await Self.decide(first, id, #"{"decision":"approve"}"#).status == 200)
    await scene.service.requests(atLeast: 1)
    await first.stop(signal: SIGKILL)
    gate.open()
    let second = try await scene.start()
    let unknown = try await Self.question(second, "retry")
    #expect(
      try await Self.decide(second, unknown, #"{"decision":"done","values":{"result":{"n":7}}}"#).status
        == 200)
    #expect(try await Self.ended(second) == ["7"])
    #expect(scene.count("/slow") == 1)
    await second.stop()
  }

  /// Kills the server in the tool's call as often as the choices say, and gives them as answers in between.
  private static func killing(_ run: String, _ choices: [String]) async throws -> (
    answer: [String], calls: Int
  ) {
    let gate = Gate()
    let scene = try Counted(
      "return tostring(tools.call('work').n)",
      tools: """
        return { work = { description = "d", access = { http = { "SERVICE" } },
          unknown = function()
            local done = approval.request{ title = "Was it done?" }.approved
            if done then return "done", { n = 7 } end
            return "retry"
          end,
          run = function() \(run) return http.post("http://SERVICE/slow", {}).json end } }
        """, slow: gate)
    var server = try await scene.start()
    let lost = Task { [server] in try await server.chat("a", "go", session: "s") }
    if run.contains("approval") {
      let id = try await question(server, "approve")
      #expect(try await decide(server, id, #"{"decision":"approve"}"#).status == 200)
    }
    for (index, choice) in choices.enumerated() {
      await scene.service.requests(atLeast: index + 1)
      await server.stop(signal: SIGKILL)
      server = try await scene.start()
      let id = try await question(server, "approve")
      #expect(try await decide(server, id, #"{"decision":"\#(choice)"}"#).status == 200)
    }
    _ = await lost.result
    gate.open()
    let answers = try await ended(server)
    await server.stop()
    return (answers, scene.count("/slow"))
  }

  @Test("what a tool's own function found out of one attempt says nothing of the next")
  func checkTwice() async throws {
    let (answer, calls) = try await Self.killing("", ["reject", "approve"])
    #expect(answer == ["7"] && calls == 2)
  }

  @Test("what it found out is heard though the tool had waited before")
  func checkAfterWaiting() async throws {
    let (answer, calls) = try await Self.killing("approval.request{ title = 'Go?' }", ["approve"])
    #expect(answer == ["7"])
    #expect(calls == 1)
  }

  /// A workspace whose agents ask, and call a service that counts and may be slow.
  private struct Counted {
    let service: ScriptedProvider
    let workspace: Folder
    let data: Folder

    init(_ run: String, tools: String = "return {}", slow gate: Gate? = nil, when path: String = "/slow")
      throws
    {
      service = try ScriptedProvider { request in
        let body = #"{"n":1}"#
        if let gate, request.path == path {
          return .pieces([(gate: gate, bytes: Array(body.utf8))])
        }
        return .json(["n": 1])
      }
      data = try Folder()
      let host = "127.0.0.1:\(service.port)"
      workspace = try Folder([
        "perigee.yaml": "http: { private_addresses: true }",
        "agents/a.lua": """
        return { tools = { "work" }, access = { http = { "\(host)" }, db = "read" }, run = function(ctx)
        \(run.replacingOccurrences(of: "SERVICE", with: "http://" + host))
        end }
        """,
        "tools/work.lua": tools.replacingOccurrences(of: "SERVICE", with: host),
      ])
    }

    func start() async throws -> RunningServer {
      try await RunningServer(workspace: workspace.path, data: data.path)
    }

    func count(_ path: String) -> Int { service.requests.filter { $0.path == path }.count }
  }

  private static let noTool = "return { work = { description = 'd', run = function() end } }"

  @Test("a run that was woken and is killed then goes on, though a server started while it waited")
  func wokenAndKilled() async throws {
    let gate = Gate()
    let scene = try Counted(
      """
      local answer = approval.request{ title = "Go?" }
      http.post("SERVICE/before", {})
      http.get("SERVICE/slow")
      return answer.decision
      """, tools: Self.noTool, slow: gate)
    let first = try await scene.start()
    let id = try Self.approval(try await first.chat("a", "go", session: "s"))
    await first.stop()
    let second = try await scene.start()
    #expect(try await Self.decide(second, id, #"{"decision":"approve"}"#).status == 200)
    await scene.service.requests(atLeast: 2)
    // What was written before is on the disk when this is.
    _ = try await second.send("POST", "/v1/sessions", body: Array("{}".utf8))
    await second.stop(signal: SIGKILL)
    gate.open()
    let third = try await scene.start()
    #expect(try await Self.ended(third) == ["approve"])
    #expect(scene.count("/before") == 1)
    await third.stop()
  }

  @Test("of two servers on one folder one takes a run up")
  func twoServers() async throws {
    let scene = try Counted(
      """
      approval.request{ title = "Go?" }
      http.post("SERVICE/effect", {})
      return "done"
      """, tools: Self.noTool)
    let (one, two) = (try await scene.start(), try await scene.start())
    var ids: [String] = []
    for session in 0..<8 {
      ids.append(try Self.approval(try await one.chat("a", "go", session: "s\(session)")))
    }
    for (number, id) in ids.enumerated() {
      let server = number.isMultiple(of: 2) ? one : two
      #expect(try await Self.decide(server, id, #"{"decision":"approve"}"#).status == 200)
    }
    #expect(try await Self.ended(one, session: "s0") == ["done"])
    #expect(scene.count("/effect") == 8)
    await one.stop()
    await two.stop()
  }

  @Test("a run with work under way stays until that has ended, however long somebody is asked")
  func worksBeside() async throws {
    let gate = Gate()
    let scene = try Counted(
      """
      local r = parallel{
        asked = function() return approval.request{ title = "Go?" }.decision end,
        -- Longer than a run with nothing to do stays, in steps that each take less, and in a call that takes more.
        worked = function() return tools.call("work") end,
      }
      return r.asked .. " " .. r.worked
      """,
      tools: """
        return { work = { description = 'd', access = { http = { "SERVICE" } }, run = function()
          http.post("http://SERVICE/one", {})
          time.sleep(0.8)
          http.post("http://SERVICE/two", {})
          time.sleep(0.8)
          return "worked " .. http.post("http://SERVICE/slow", {}).status
        end } }
        """, slow: gate)
    let server = try await scene.start()
    let waiting = Task { try await server.chat("a", "go", session: "s") }
    await scene.service.requests(atLeast: 3)
    #expect(try await server.get("/v1/runs").json["data"]?.array?.first?["status"] == "running")
    gate.open()
    let id = try Self.approval(try await waiting.value)
    #expect(try await Self.decide(server, id, #"{"decision":"approve"}"#).status == 200)
    #expect(try await Self.ended(server) == ["approve worked 200"])
    #expect(["/one", "/two", "/slow"].map(scene.count) == [1, 1, 1])
    #expect(try await server.get("/v1/approvals").json["data"]?.array?.count == 1)
    await server.stop()
  }

  @Test("a tool that waits sees on its way back what it saw before")
  func seesTheSame() async throws {
    let scene = try Counted(
      "return tools.call('work')",
      tools: """
        return {
          schema = "create table t (n integer)",
          work = { description = 'd', access = { db = "write", http = { "SERVICE" } }, run = function()
            local id, at = uuid(), time.now()
            local n = db.transaction(function()
              db.exec("insert into t values (1)")
              return db.query("select count(*) as n from t")[1].n
            end)
            local price = http.get("http://SERVICE/price").json.n
            local r = parallel.settle{
              function() error("no") end,
              function() return approval.request{ title = "Go?", detail = { id, at, n, price } }.approved end,
            }
            return ("%s %d %d"):format(tostring(r[2].value), n, db.query("select count(*) as n from t")[1].n)
          end },
        }
        """)
    let server = try await scene.start()
    let id = try Self.approval(try await server.chat("a", "go", session: "s"))
    #expect(try await Self.decide(server, id, #"{"decision":"approve"}"#).status == 200)
    #expect(try await Self.ended(server) == ["true 1 1"])
    #expect(scene.count("/price") == 1)
    await server.stop()
  }

  @Test("a transaction that could not be committed fails again on the way back, whatever has changed since")
  func failsAgain() async throws {
    let scene = try Counted(
      "return tools.call('work')",
      tools: """
        return {
          schema = "create table a (id integer primary key); create table b (a integer references a deferrable initially deferred)",
          work = { description = 'd', access = { db = "write" }, run = function()
            local rows
            local ok, problem = pcall(db.transaction, function()
              rows = db.exec("insert into b values (7)").changes
            end)
            db.exec("insert or ignore into a values (7)")
            local go = approval.request{ title = "Go?" }.approved
            return ("%s %s %d %s %d"):format(ok, problem.code, rows, go, db.query("select count(*) as n from b")[1].n)
          end },
        }
        """)
    let server = try await scene.start()
    let id = try Self.approval(try await server.chat("a", "go", session: "s"))
    #expect(try await Self.decide(server, id, #"{"decision":"approve"}"#).status == 200)
    #expect(try await Self.ended(server) == ["false conflict 1 true 0"])
    await server.stop()
  }

  @Test("runs of a command are left to it while it is there, and go on when it is gone")
  func guests() async throws {
    let gate = Gate()
    let scene = try Counted(
      """
      http.get("SERVICE/slow")
      return tostring(tools.call("work"))
      """, tools: "return { work = { description = 'd', effect = 'read', run = function() return 7 end } }",
      slow: gate)
    let server = try await scene.start()
    let lost = Task { try await server.chat("a", "go", session: "s") }
    await scene.service.requests(atLeast: 1)
    // A command's runs are its own: the server leaves them alone while the command is there.
    await server.stop(signal: SIGKILL)
    _ = await lost.result
    let chat = try PerigeeBinary.start(
      ["chat", "a", "--workspace", scene.workspace.path, "--data", scene.data.path], environment: [:])
    chat.send(input: "again\n")
    await scene.service.requests(atLeast: 2)
    let next = try await scene.start()
    let runs = try await next.get("/v1/runs").json["data"]?.array?.map { $0["status"]?.string }
    #expect(runs == ["running", "running"])
    chat.send(signal: SIGKILL)
    _ = await chat.end()
    gate.open()
    #expect(try await Self.ended(next) == ["7"])
    await next.stop()
  }

  @Test("a run that is done again and waits leaves one answer")
  func retriedAndWaited() async throws {
    let scene = try Counted(
      """
      assert(approval.request{ title = "Go?" }.approved, "no")
      return "yes"
      """, tools: Self.noTool)
    let server = try await scene.start()
    let first = try await server.chat("a", "go", session: "s")
    let run = try #require(first.json["run_id"]?.string)
    let reject = try Self.approval(first)
    #expect(try await Self.decide(server, reject, #"{"decision":"reject"}"#).status == 200)
    try await waitWhile { try await server.get("/v1/runs/\(run)").json["status"] != "failed" }
    #expect(try await server.send("POST", "/v1/runs/\(run)/retry", body: []).status == 202)
    var pending: String?
    while pending == nil {
      pending = try await server.get("/v1/approvals").json["data"]?.array?.first {
        $0["status"] == "pending"
      }?["id"]?
      .string
    }
    try await waitWhile { try await server.get("/v1/runs/\(run)").json["status"] != "waiting" }
    #expect(try await Self.decide(server, pending ?? "", #"{"decision":"approve"}"#).status == 200)
    #expect(try await Self.ended(server) == ["yes"])
    await server.stop()
  }

  @Test("cancelling a run while it leaves memory, or is taken up, ends it")
  func cancelledWhileLeaving() async throws {
    let scene = try Counted(
      """
      approval.request{ title = "Go?" }
      http.post("SERVICE/effect", {})
      return "done"
      """, tools: Self.noTool)
    let server = try await scene.start()
    for session in 0..<6 {
      let chat = Task { try await server.chat("a", "go", session: "s\(session)") }
      var run: String?
      while run == nil {
        run = try await server.get("/v1/runs").json["data"]?.array?.first {
          $0["session_id"] == .string("s\(session)")
        }?[
          "id"]?.string
      }
      // Before, while and after it leaves.
      try await Task.sleep(for: .milliseconds(800 + 100 * session))
      #expect(try await server.send("POST", "/v1/runs/\(run ?? "")/cancel", body: []).status == 202)
      _ = await chat.result
      try await waitWhile { try await server.get("/v1/runs/\(run ?? "")").json["status"] != "cancelled" }
    }
    #expect(scene.count("/effect") == 0)
    await server.stop()
  }
}
