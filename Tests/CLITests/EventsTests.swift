// SPDX-License-Identifier: Apache-2.0
import Crypto
import Foundation
import JSONCodec
import TestSupport
import Testing

/// What a server tells of what happens, over HTTP and to webhooks.
@Suite("Events", .timeLimit(.minutes(3)))
struct EventsTests {
  private static let files = [
    "agents/flow.lua": """
    return { steps = {
      a = { agent = "hello" },
      b = { run = function() event.emit("thing.done", { n = 1 }) return { x = 1 } end, needs = { "a" } },
      c = { run = function() error({ code = "upstream", message = "boom" }) end, needs = { "b" }, on_error = "continue" },
    } }
    """,
    "agents/asks.lua": """
    return { steps = {
      first = { run = function() event.emit("once") return 1 end },
      ask = { approval = "Go on?", needs = { "first" } },
    } }
    """,
    "agents/hello.lua": "return { run = function(ctx, input) return 'hi ' .. input.message end }",
    "agents/fails.lua": "return { run = function() error({ code = 'denied', message = 'not you' }) end }",
    "agents/many.lua": """
    return { run = function()
      local wrong = 0
      for _, call in ipairs{ { "Bad Type" }, { "a..b" }, { "" }, { "x", "text" }, { "x", { 1 } }, { "x", { s = ("y"):rep(70000) } } } do
        if not pcall(event.emit, table.unpack(call)) then wrong = wrong + 1 end
      end
      for i = 1, 1000 do event.emit("n") end
      return wrong .. " " .. select(2, pcall(event.emit, "n")).code
    end }
    """,
  ]

  private static func events(_ server: RunningServer, _ query: String = "") async throws -> [JSON] {
    try #require(try await server.get("/v1/events?limit=200\(query)").json["data"]?.array)
  }

  private static func types(_ events: [JSON]) -> [String] { events.compactMap { $0["event_type"]?.string } }

  @Test("a state tells where it leads, though a function says so")
  func states() async throws {
    let workspace = try Folder([
      "agents/machine.lua": """
      return { initial = "a", states = {
        a = {
          run = function() return 7 end, next = function(ctx, result) return result == 7 and "b" or "c" end,
          on = { error = "c" },
        },
        b = { run = function() return "done" end },
        c = { run = function() return "never" end },
      } }
      """
    ])
    try await RunningServer.with(workspace: workspace.path) { server in
      #expect(try await server.chat("machine", "x").json["response"] == "done")
      let visits = try await Self.events(server, "&types=workflow.step_completed")
      #expect(visits.map { $0["next_steps"] } == [["b", "c"], []])
    }
  }

  @Test("a workflow tells of itself, its steps and its agents, in the words of the contract")
  func workflow() async throws {
    let workspace = try Folder(Self.files)
    let data = try Folder()
    let server = try await RunningServer(workspace: workspace.path, data: data.path)
    let run = try await server.chat("flow", "you", session: "s").json
    let events = try await Self.events(server, "&types=agent.executed,workflow.*,external.*")
    #expect(
      Self.types(events) == [
        "workflow.started", "agent.executed", "workflow.step_completed", "external.thing.done",
        "workflow.step_completed", "workflow.step_completed", "workflow.completed", "agent.executed",
      ])
    guard events.count == 8 else { return }
    let id = run["run_id"]
    #expect(events.allSatisfy { $0["timestamp"]?.string?.hasSuffix("Z") == true && $0["id"]?.string != nil })
    #expect(events[0]["workflow_id"] == id && events[0]["workflow_name"] == "flow")
    let agent = events[1]
    #expect(agent["agent_id"] == "hello" && agent["user_id"] == "local" && agent["session_id"] == "s")
    #expect(agent["status"] == "completed" && agent["output_data"] == ["response": "hi you"])
    #expect(agent["metadata"]?["workflow_id"] == id && agent["metadata"]?["step_id"] == "step.a/1")
    let step = events[2]
    #expect(step["step_name"] == "a" && step["step_type"] == "agent" && step["next_steps"] == ["b"])
    #expect(step["status"] == "completed" && step["execution_time_ms"]?.double != nil)
    #expect(step["input_data"] == ["message": "you"], "\(step)")
    #expect(events[3]["data"] == ["n": 1] && events[3]["agent_id"] == "flow")
    #expect(events[4]["output_data"] == ["x": 1] && events[4]["step_type"] == "function")
    #expect(events[5]["status"] == "failed" && events[5]["error"]?["message"] == "boom")
    #expect(events[7]["agent_id"] == "flow" && events[7]["execution_id"] == id)
    #expect(
      events[7]["input_data"] == ["message": "you"] && events[7]["metadata"]?["workflow_id"]?.isNull == true)

    _ = try await server.chat("fails", "x", session: "s")
    let failed = try #require(try await Self.events(server, "&types=agent.failed").first)
    #expect(failed["error"] == ["code": "denied", "message": "not you"] && failed["status"] == "failed")
    #expect(try await server.chat("many", "x", session: "s").json["response"] == "6 limit")
    // A page at a time, and what is told of a run goes with its session.
    let page = try await server.get("/v1/events?limit=3&types=agent.failed,agent.executed").json
    #expect(page["data"]?.array?.count == 3 && page["next"]?.string != nil)
    let rest = try await server.get("/v1/events?types=agent.*&after=\(page["next"]?.string ?? "")").json
    #expect(Self.types(rest["data"]?.array ?? []).last == "agent.executed" && rest["next"]?.isNull == true)
    _ = try await server.send("DELETE", "/v1/sessions/s", body: nil)
    let gone = try #require(try await Self.events(server, "&types=agent.failed").first)
    #expect(gone["agent_id"]?.isNull == true && gone["input_data"]?.isNull == true, "\(gone)")
    let flow = try await Self.events(server, "&types=workflow.*,external.*")
    #expect(
      flow.count >= 7 && flow.allSatisfy { $0["input_data"]?.isNull == true && $0["data"] == nil }, "\(flow)")
    for wrong in ["types=Agent", "types=agent*", "types=*", "after=x", "order=desc"] {
      #expect(try await server.get("/v1/events?\(wrong)").status == 400, "\(wrong)")
    }
    await server.stop()
  }

  @Test("a run that is done again tells anew")
  func again() async throws {
    let workspace = try Folder([
      "agents/once.lua": """
      return { access = { kv = "write" }, steps = {
        a = { run = function() event.emit("seen") return 1 end },
        b = { needs = { "a" }, run = function() assert(kv.incr("n") > 1, "not yet") return 2 end },
      } }
      """
    ])
    let data = try Folder()
    let server = try await RunningServer(workspace: workspace.path, data: data.path)
    #expect(try await server.chat("once", "x", session: "s").status == 500)
    let id = try #require(try await server.get("/v1/runs").json["data"]?.array?.first?["id"]?.string)
    #expect(try await server.send("POST", "/v1/runs/\(id)/retry", body: []).status == 202)
    try await waitWhile { try await Self.events(server, "&types=workflow.completed").isEmpty }
    let told = ["workflow.started", "external.seen", "workflow.step_completed", "workflow.step_completed"]
    #expect(
      Self.types(try await Self.events(server, "&types=workflow.*,external.*"))
        == told + ["workflow.failed"] + told + ["workflow.completed"])
    try await waitWhile { try await Self.events(server, "&types=agent.executed").isEmpty }
    // What was told of the first time stays so, until the session goes.
    let failed = try #require(try await Self.events(server, "&types=agent.failed").first)
    #expect(failed["status"] == "failed" && failed["error"]?["code"] == "internal")
    #expect(failed["input_data"]?["message"] == "x" && failed["output_data"]?["response"] == "")
    #expect(try await server.send("DELETE", "/v1/sessions/s", body: nil).status == 204)
    for event in try await Self.events(server, "&types=agent.failed,agent.executed") {
      #expect(event["input_data"] == .null && event["output_data"] == .null, "\(event)")
    }
    await server.stop()
  }

  @Test("a workflow that is stopped has failed, be it by time, by hand, or while it waits for a person")
  func stopped() async throws {
    var files = Self.files
    files["agents/slow.lua"] = """
      return { limits = { seconds = 3 }, steps = {
        list = { run = function() return { "a", "b" } end },
        each = { for_each = "list", needs = { "list" }, run = function() return 1 end },
        nap = { run = function() time.sleep(20) end, needs = { "each" } },
      } }
      """
    files["agents/outer.lua"] = """
      return { limits = { seconds = 30 }, agents = { "slow" }, run = function()
        return select(2, pcall(agents.run, "slow", {})).code
      end }
      """
    let workspace = try Folder(files)
    let data = try Folder()
    let server = try await RunningServer(workspace: workspace.path, data: data.path)
    #expect(try await server.chat("slow", "x", session: "s").json["code"] == "timeout")
    #expect(try await server.chat("outer", "x", session: "s").json["response"] == "timeout")
    #expect(try await server.chat("asks", "x", session: "t").status == 202)
    let id = try #require(try await server.get("/v1/runs").json["data"]?.array?.first?["id"]?.string)
    #expect(try await server.send("POST", "/v1/runs/\(id)/cancel", body: []).status == 202)
    let failed = try await Self.events(server, "&types=workflow.failed")
    #expect(failed.map { $0["error"]?["code"] } == ["timeout", "cancelled", "cancelled"])
    #expect(failed.map { $0["workflow_name"] } == ["slow", "slow", "asks"])
    #expect(failed[2]["execution_id"] == .string(id) && failed[2]["status"] == "failed")
    let elements = try await Self.events(server, "&types=workflow.step_completed").filter {
      $0["step_name"] == "each"
    }
    // They run at once, and end in any order.
    #expect(elements.contains { $0["input_data"] == ["item": "a", "index": 1] }, "\(elements)")
    await server.stop()
  }

  @Test("agents come and go, and what a run told before a crash it does not tell again")
  func once() async throws {
    let workspace = try Folder(Self.files)
    let data = try Folder()
    var server = try await RunningServer(workspace: workspace.path, data: data.path)
    let asked = try await server.chat("asks", "x", session: "s")
    let question = try #require(asked.json["approval"]?["id"]?.string)
    await server.stop(signal: SIGKILL)
    try FileManager.default.removeItem(atPath: workspace.path + "/agents/many.lua")
    server = try await RunningServer(workspace: workspace.path, data: data.path)
    _ = try await server.post("/v1/approvals/\(question)", ["decision": "approve"])
    try await waitWhile { try await Self.events(server, "&types=workflow.completed").isEmpty }
    #expect(
      Self.types(try await Self.events(server, "&types=workflow.*,external.*")) == [
        "workflow.started", "external.once", "workflow.step_completed", "workflow.step_completed",
        "workflow.completed",
      ])
    try await waitWhile { try await Self.events(server, "&types=agent.deleted").isEmpty }
    #expect(try await Self.events(server, "&types=agent.deleted").map { $0["agent_id"] } == ["many"])
    #expect(
      try await Self.events(server, "&types=agent.created").compactMap { $0["agent_id"]?.string } == [
        "asks", "fails", "flow", "hello", "many",
      ])
    await server.stop()
  }

  @Test("a server tells how it is, what it has done, and what is wrong until it is right again")
  func system() async throws {
    var files = Self.files
    files["perigee.yaml"] = "events: { health_seconds: 0.1 }\nreload: { watch: true }"
    let workspace = try Folder(files)
    let data = try Folder()
    let server = try await RunningServer(workspace: workspace.path, data: data.path)
    _ = try await server.chat("hello", "a", session: "s")
    _ = try await server.chat("fails", "a", session: "s")
    let agents = try await server.get("/v1/agents").json["data"]?.array ?? []
    #expect(agents.map { $0["state"] } == ["READY", "FAILED", "READY", "COMPLETED", "READY"])
    func told(_ type: String, _ isWanted: (JSON) -> Bool) async throws -> JSON {
      while true {
        if let event = try await Self.events(server, "&types=system.\(type)").first(where: isWanted) {
          return event
        }
      }
    }
    let performance = try await told("performance") { $0["runs_completed"] == 1 || $0["runs_failed"] == 1 }
    #expect(performance["average_run_ms"]?.double ?? 0 > 0)
    #expect(try await told("resource_usage") { _ in true }["memory_usage"]?.integer ?? 0 > 1 << 20)
    try workspace.write("agents/hello.lua", "return {")
    let raised = try await told("error_alert") { $0["status"] == "raised" }
    #expect(raised["alert"] == "scripts_refused" && raised["service"] == "perigee")
    let health = try await told("health_check") { $0["status"] == "degraded" }
    #expect(health["alerts"] == [raised["message"] ?? .null] && health["metrics"]?["queue_size"] == 0)
    try workspace.write("agents/hello.lua", "return { run = function() return 'x' end }")
    #expect(try await told("error_alert") { $0["status"] == "resolved" }["alert"] == "scripts_refused")
    await server.stop()
  }

  @Test("a webhook is told in order, signed, until it has it, over a restart, and only of what it wants")
  func webhook() async throws {
    let count = Tally()
    // The third request is refused, twice.
    let receiver = try ScriptedProvider { _ in
      (2...3).contains(count.increment()) ? .status(503) : .status(204)
    }
    var files = Self.files
    files["perigee.yaml"] = """
      events:
        health_seconds: 0
        webhooks:
          hook: { url: "\(receiver.origin)/in", secret_env: HOOK_SECRET, types: ["agent.executed", "agent.failed"] }
      """
    let workspace = try Folder(files)
    let data = try Folder()
    func start() async throws -> RunningServer {
      try await RunningServer(
        workspace: workspace.path, data: data.path, environment: ["HOOK_SECRET": "whsec_c2VjcmV0"])
    }
    var server = try await start()
    for _ in 0..<2 { _ = try await server.chat("hello", "a", session: "s") }
    await receiver.requests(atLeast: 2)
    _ = try await server.chat("fails", "b", session: "s")
    await receiver.requests(atLeast: 3)
    await server.stop()
    server = try await start()
    _ = try await server.chat("hello", "c", session: "s")
    let requests = await receiver.requests(atLeast: 6)
    #expect(
      requests.prefix(6).map { $0.json["event_type"]?.string } == [
        "agent.executed", "agent.executed", "agent.failed", "agent.failed", "agent.failed", "agent.executed",
      ])
    let ids = requests.prefix(6).map { $0.header("webhook-id") ?? "" }
    #expect(Set(ids).count == 4 && ids[2] == ids[3] && ids[3] == ids[4], "\(ids)")
    for request in requests {
      #expect(request.method == "POST" && request.path == "/in")
      let signed = "\(request.header("webhook-id") ?? "").\(request.header("webhook-timestamp") ?? "")."
      let code = HMAC<SHA256>.authenticationCode(
        for: Data(signed.utf8) + request.body, using: SymmetricKey(data: Data("secret".utf8)))
      #expect(request.header("webhook-signature") == "v1," + Data(code).base64EncodedString())
    }
    #expect(try await server.get("/metrics").text.contains(#"perigee_event_deliveries_total{webhook="hook""#))
    let stopped = await server.stop()
    #expect(!stopped.log.contains("c2VjcmV0"))
    // Without its secret the server does not start.
    let refused = try await perigee(
      "serve", "--workspace", workspace.path, "--data", data.path, "--port", "0")
    #expect(refused.status == 2 && refused.errors.contains("the secret of events.webhooks.hook is not set"))
  }
}
