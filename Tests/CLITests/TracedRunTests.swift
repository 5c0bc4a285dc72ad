// SPDX-License-Identifier: Apache-2.0
import Foundation
import GRDB
import JSONCodec
import TestSupport
import Testing

/// What a collector gets of runs that no request waits for: of jobs, of commands, and those that end while they wait.
@Suite("Traces of jobs, commands and waiting runs", .timeLimit(.minutes(5)))
struct TracedRunTests {
  /// A workspace with an action that tells a service, an agent that publishes it, and agents that wait.
  private struct Scene {
    let collector: ScriptedProvider
    let service: ScriptedProvider
    let workspace: Folder
    let data: Folder

    /// - Parameter answer: Of the service to its calls, from 0.
    init(_ answer: @escaping @Sendable (Int) -> ScriptedProvider.Reply = { _ in .json([:]) }) throws {
      let count = Tally()
      collector = try ScriptedProvider { _ in .json([:]) }
      service = try ScriptedProvider { _ in answer(count.increment()) }
      data = try Folder()
      workspace = try Folder([
        "perigee.yaml": "http: { private_addresses: true }",
        "tools/mail.lua": """
        return { send = {
          description = "Sends.", parameters = { to = "string" }, action = true, retry = 1,
          access = { http = { "127.0.0.1:\(service.port)" } },
          run = function(ctx, args)
            local answer = http.post("http://127.0.0.1:\(service.port)/" .. args.to, { json = ctx.call })
            if answer.status ~= 200 then error({ code = "upstream", message = "no", retryable = true }) end
          end,
        } }
        """,
        "agents/clerk.lua": """
        return { access = { queue = true }, run = function(ctx, input)
          queue.publish("send", { to = input.message })
          return "published"
        end }
        """,
        "agents/asks.lua":
          "return { run = function() return approval.request{ title = 'Well?' }.decision end }",
        "agents/quick.lua":
          "return { run = function() return approval.request{ title = 'Now?', timeout = '1s' }.decision end }",
        "agents/echo.lua": "return { run = function(ctx, input) return 'You said ' .. input.message end }",
      ])
    }

    var environment: [String: String] {
      ["OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:\(collector.port)"]
    }

    var places: [String] { ["--workspace", workspace.path, "--data", data.path] }

    func serve(workers: Int = 2) async throws -> RunningServer {
      try await RunningServer(
        workspace: workspace.path, data: data.path, environment: environment,
        arguments: ["--workers", "\(workers)"])
    }

    /// A worker process that has said that it works.
    func work() async throws -> ChildProcess {
      let process = try PerigeeBinary.start(["worker", "--workers", "1"] + places, environment: environment)
      process.send(input: "")
      #expect(await process.output.line() == "Perigee does jobs, 1 at once: send")
      return process
    }

    func spans(_ name: String) throws -> [JSON] {
      try TracingTests.spans(collector).filter { $0["name"]?.string == name }
    }

    func publish(_ server: RunningServer) async throws {
      let answer = try await server.send(
        "POST", "/v1/agents/clerk/chat", body: RawJSON(["message": "ann"]).bytes,
        headers: [("traceparent", TracingTests.caller), ("tracestate", "a=b")])
      #expect(answer.status == 200, "\(answer.text)")
    }
  }

  private static func wait(for line: String, _ server: RunningServer) async throws {
    try await waitWhile { try await !server.get("/metrics").text.contains("\n\(line)\n") }
  }

  private static func attribute(_ name: String, of span: JSON) -> String? {
    TracingTests.attribute(name, of: span)?.string
  }

  @Test("each attempt of a job is a span below the run that published it, and its calls below that")
  func jobs() async throws {
    let scene = try Scene { $0 == 0 ? .failure(503) : .json([:]) }
    let server = try await scene.serve()
    try await scene.publish(server)
    try await Self.wait(for: #"perigee_job_attempts_total{action="send",outcome="done"} 1"#, server)
    await server.stop()
    let publisher = try #require(try scene.spans("invoke_agent clerk").first)
    let attempts = try scene.spans("process send")
    #expect(attempts.count == 2)
    for (number, span) in attempts.enumerated() {
      #expect(span["traceId"] == "0af7651916cd43dd8448eb211c80319c" && span["traceState"] == "a=b")
      #expect(span["parentSpanId"] == publisher["spanId"] && span["kind"] == 5)
      #expect(Self.attribute("messaging.destination.name", of: span) == "send")
      #expect(Self.attribute("messaging.operation.name", of: span) == "process")
      #expect(Self.attribute("perigee.job.attempt", of: span) == "\(number + 1)")
      #expect(Self.attribute("gen_ai.agent.name", of: span) == nil)
    }
    let jobs = Set(attempts.compactMap { Self.attribute("messaging.message.id", of: $0) })
    #expect(jobs == Set(scene.service.requests.compactMap { $0.json["key"]?.string }) && jobs.count == 1)
    #expect(attempts.map { Self.attribute("error.type", of: $0) } == ["upstream", nil])
    let tools = try scene.spans("execute_tool send")
    #expect(tools.map { $0["parentSpanId"] } == attempts.map { $0["spanId"] })
    let sent = scene.service.requests.compactMap { $0.header("traceparent") }
    #expect(
      sent == tools.map { "00-0af7651916cd43dd8448eb211c80319c-\($0["spanId"]?.string ?? "")-01" }, "\(sent)")
  }

  @Test("a worker shows its attempts, and the one that was cut off as interrupted")
  func workers() async throws {
    let scene = try Scene { $0 == 0 ? .silence : .json([:]) }
    let server = try await scene.serve(workers: 0)
    try await scene.publish(server)
    let first = try await scene.work()
    await scene.service.requests(atLeast: 1)
    first.send(signal: SIGKILL)
    _ = await first.end()
    let second = try await scene.work()
    await scene.service.requests(atLeast: 2)
    try await Self.wait(for: #"perigee_jobs{state="running"} 0"#, server)
    second.send(signal: SIGTERM)
    #expect(await second.end() == 0)
    await server.stop()
    let attempts = try scene.spans("process send").sorted {
      Self.attribute("perigee.job.attempt", of: $0) ?? "" < Self.attribute("perigee.job.attempt", of: $1)
        ?? ""
    }
    #expect(attempts.map { Self.attribute("perigee.job.attempt", of: $0) } == ["1", "2"])
    #expect(attempts.map { Self.attribute("error.type", of: $0) } == ["interrupted", nil])
    #expect(attempts.allSatisfy { $0["traceId"] == "0af7651916cd43dd8448eb211c80319c" })
  }

  @Test("a turn of a command is a trace of its own, which is sent before the command ends")
  func commands() async throws {
    let scene = try Scene()
    let run = try await perigee(
      ["run", "echo", "--input", "secretly"] + scene.places, environment: scene.environment)
    #expect(run.output == "You said secretly\n", "\(run.errors)")
    let chat = try await perigee(
      ["chat", "echo"] + scene.places, environment: scene.environment, input: "one\ntwo\n")
    #expect(chat.status == 0 && chat.output.contains("You said two"), "\(chat.errors)")
    let spans = try scene.spans("invoke_agent echo")
    #expect(spans.count == 3 && Set(spans.compactMap { $0["traceId"]?.string }).count == 3)
    #expect(spans.allSatisfy { $0["parentSpanId"] == nil })
    #expect(
      !scene.collector.requests.contains { String(decoding: $0.body, as: UTF8.self).contains("secretly") })
    let none = try await perigee(
      ["run", "echo", "--input", "x"] + scene.places,
      environment: scene.environment.merging(["OTEL_TRACES_SAMPLER": "always_off"]) { $1 })
    #expect(none.status == 0)
    #expect(try scene.spans("invoke_agent echo").count == 3)
  }

  @Test("a collector that is gone fails no command")
  func gone() async throws {
    let scene = try Scene()
    let run = try await perigee(
      ["run", "echo", "--input", "x"] + scene.places,
      environment: ["OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1"])
    #expect(run.status == 0 && run.output == "You said x\n", "\(run.errors)")
    #expect(run.errors.contains("traces: "))
  }

  @Test("a run that is cancelled while it waits, and one whose question is over, are shown as they ended")
  func waiting() async throws {
    let scene = try Scene()
    let server = try await scene.serve()
    func ask(_ agent: String) async throws -> String {
      let answer = try await server.chat(agent, "hi", session: agent)
      #expect(answer.status == 202, "\(answer.text)")
      return try #require(answer.json["run_id"]?.string)
    }
    let cancelled = try await ask("asks")
    #expect(try await server.send("POST", "/v1/runs/\(cancelled)/cancel", body: []).status == 202)
    let expired = try await ask("quick")
    try await waitWhile { try await server.get("/v1/runs/\(expired)").json["status"] != "completed" }
    await server.stop()
    let first = try scene.spans("invoke_agent asks")
    #expect(first.map { Self.attribute("perigee.run.id", of: $0) } == [cancelled])
    #expect(first.map { Self.attribute("error.type", of: $0) } == ["cancelled"])
    #expect(first.first?["status"]?["code"] == 2)
    let second = try scene.spans("invoke_agent quick")
    #expect(second.map { Self.attribute("error.type", of: $0) } == [nil])
    // Each in the trace of the request that began it.
    let requests = try scene.spans("POST /v1/agents/{agent}/chat")
    #expect((first + second).map { $0["parentSpanId"] } == requests.map { $0["spanId"] })
  }

  @Test("a run whose scripts are gone is given up, and shown as that")
  func givenUp() async throws {
    let scene = try Scene()
    let server = try await scene.serve()
    let answer = try await server.chat("asks", "hi", session: "s")
    let question = try #require(answer.json["approval"]?["id"]?.string)
    let run = try #require(answer.json["run_id"]?.string)
    await server.stop(signal: SIGKILL)
    let queue = try DatabaseQueue(path: scene.data.path + "/perigee.sqlite")
    try await queue.write { try $0.execute(sql: "DELETE FROM version_files") }
    try queue.close()
    try scene.workspace.write("agents/asks.lua", "return { run = function() return 'another' end }")
    let next = try await scene.serve()
    #expect(try await next.post("/v1/approvals/\(question)", ["decision": "approve"]).status == 200)
    try await waitWhile { try await next.get("/v1/runs/\(run)").json["status"] != "failed" }
    await next.stop()
    let spans = try scene.spans("invoke_agent asks")
    #expect(spans.map { Self.attribute("perigee.run.id", of: $0) } == [run])
    #expect(spans.map { Self.attribute("error.type", of: $0) } == ["internal"])
  }
}
