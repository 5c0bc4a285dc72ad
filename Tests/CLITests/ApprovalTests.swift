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
    #expect(try await Self.decide(first, id, #"{"decision":"approve","values":{"sum":0}}"#).status == 400)
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
}
