// SPDX-License-Identifier: Apache-2.0
import Foundation
import JSONCodec
import TestSupport
import Testing

/// Jobs through the real server, workers that are killed in their middle, and dead letters.
@Suite("Queue", .timeLimit(.minutes(3)))
struct QueueTests {
  /// A workspace whose action tells a service that it is done, and an agent that publishes it.
  private struct Scene {
    let workspace: Folder
    let data: Folder
    /// Gets every attempt.
    let service: ScriptedProvider

    init(_ answer: @escaping @Sendable (Int) -> ScriptedProvider.Reply) throws {
      let count = Tally()
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
            if answer.status == 403 then error({ code = "denied", message = "not to them" }) end
            return answer.json
          end,
        } }
        """,
        "agents/clerk.lua": """
        return { access = { queue = true }, run = function(ctx, input)
          for to in input.message:gmatch("%a+") do queue.publish("send", { to = to }) end
          return "published"
        end }
        """,
      ])
    }

    func serve(workers: Int = 4) async throws -> RunningServer {
      try await RunningServer(
        workspace: workspace.path, data: data.path, arguments: ["--workers", "\(workers)"])
    }

    /// A worker process that has said that it works.
    func work() async throws -> ChildProcess {
      let process = try PerigeeBinary.start(
        ["worker", "--workers", "2", "--workspace", workspace.path, "--data", data.path])
      process.send(input: "")
      #expect(await process.output.line() == "Perigee does jobs, 2 at once: send")
      return process
    }

    func deadLetters(_ arguments: String...) async throws -> Outcome {
      try await perigee(["dead-letters"] + arguments + ["--workspace", workspace.path, "--data", data.path])
    }

    /// The key of each request, by what it was for.
    var keys: [String: [String]] {
      Dictionary(grouping: service.requests) { $0.path }.mapValues { $0.map { $0.json["key"]?.string ?? "" } }
    }
  }

  /// Waits until the metric says so.
  private func wait(for line: String, _ server: RunningServer) async throws {
    try await waitWhile { try await !server.get("/metrics").text.contains(line + "\n") }
  }

  @Test("what an agent publishes is done by the server's workers, in runs of their own")
  func done() async throws {
    let scene = try Scene { _ in .json(["ok": true]) }
    let server = try await scene.serve()
    #expect(try await server.chat("clerk", "ann bob").json["response"] == "published")
    try await wait(for: #"perigee_job_attempts_total{action="send",outcome="done"} 2"#, server)
    let runs = try await server.get("/v1/runs").json["data"]?.array ?? []
    let jobs = runs.filter { $0["agent"] == "action:send" }
    #expect(jobs.count == 2 && jobs.allSatisfy { $0["status"] == "completed" && $0["session_id"] == .null })
    #expect(Set(scene.service.requests.map(\.path)) == ["/ann", "/bob"])
    await server.stop()
  }

  @Test("jobs under way when everything is killed are done again, with the same keys")
  func killed() async throws {
    // The first four attempts hang.
    let scene = try Scene { $0 < 4 ? .silence : .json(["ok": true]) }
    let server = try await scene.serve()
    _ = try await server.chat("clerk", "a b c d e f")
    await scene.service.requests(atLeast: 4)
    await server.stop(signal: SIGKILL)
    let again = try await scene.serve()
    try await wait(for: #"perigee_job_attempts_total{action="send",outcome="done"} 6"#, again)
    let runs = try await again.get("/v1/runs").json["data"]?.array ?? []
    #expect(runs.filter { $0["status"] == "interrupted" }.count == 4)
    await again.stop()
    let keys = scene.keys
    #expect(keys.count == 6 && keys.values.allSatisfy { Set($0).count == 1 })
    #expect(keys.values.reduce(0) { $0 + $1.count } == 10)
    #expect(Set(keys.values.flatMap { $0 }).count == 6)
  }

  @Test("a worker process does what a server leaves to it, and another goes on when it is killed")
  func workers() async throws {
    let scene = try Scene { $0 < 2 ? .silence : .json(["ok": true]) }
    let server = try await scene.serve(workers: 0)
    _ = try await server.chat("clerk", "a b c")
    try await wait(for: #"perigee_jobs{state="queued"} 3"#, server)
    let first = try await scene.work()
    await scene.service.requests(atLeast: 2)
    first.send(signal: SIGKILL)
    _ = await first.end()
    let second = try await scene.work()
    await scene.service.requests(atLeast: 5)
    try await wait(for: #"perigee_jobs{state="running"} 0"#, server)
    second.send(signal: SIGTERM)
    #expect(await second.end() == 0)
    #expect(scene.keys.mapValues { Set($0).count } == ["/a": 1, "/b": 1, "/c": 1])
    await server.stop()
  }

  @Test("a server that is told to stop lets jobs under way end")
  func drains() async throws {
    let gate = Gate()
    let scene = try Scene { _ in .json(["ok": true]).held(by: gate) }
    let server = try await scene.serve()
    _ = try await server.chat("clerk", "ann")
    await scene.service.requests(atLeast: 1)
    server.send(SIGTERM)
    try await waitWhile { (try? await server.get("/health/live"))?.status == 200 }
    gate.open()
    #expect(await server.stop().status == 0)
    #expect(try await scene.deadLetters().errors == "There are no dead letters.\n")
    let again = try await scene.serve()
    try await wait(for: #"perigee_jobs{state="queued"} 0"#, again)
    await again.stop()
    #expect(scene.service.requests.count == 1)
  }

  @Test("a job that fails for good is a dead letter, and is taken up again over HTTP and by the command")
  func deadLetters() async throws {
    let scene = try Scene { $0 < 3 ? .json([:], status: 403) : .json(["ok": true]) }
    let server = try await scene.serve()
    _ = try await server.chat("clerk", "ann bob cem")
    try await wait(for: #"perigee_jobs{state="dead"} 3"#, server)
    let letters = try await server.get("/v1/dead-letters").json["data"]?.array ?? []
    #expect(letters.allSatisfy { $0["error"]?["code"] == "denied" && $0["attempts"] == 1 })
    let ids = letters.compactMap { $0["id"]?.string }

    #expect(try await server.post("/v1/dead-letters/\(ids[0])/retry", [:]).status == 202)
    try await wait(for: #"perigee_job_attempts_total{action="send",outcome="done"} 1"#, server)
    let list = try await scene.deadLetters("--json")
    #expect(try JSON(parsing: list.output)["data"]?.array?.count == 2)
    let table = try await scene.deadLetters().output.split(separator: "\n")
    #expect(table.count == 3 && table[0].hasPrefix("ID") && table[1].contains("denied: not to them"))

    let retried = try await scene.deadLetters("retry", ids[1])
    #expect(retried.status == 0 && retried.errors == "1 job is queued again.\n")
    try await wait(for: #"perigee_job_attempts_total{action="send",outcome="done"} 2"#, server)
    #expect(try await scene.deadLetters("discard", "--all").errors == "1 job is gone.\n")
    #expect(try await scene.deadLetters("retry", "--all").errors == "0 jobs are queued again.\n")
    let gone = try await scene.deadLetters("retry", ids[2])
    #expect(gone.status == 1 && gone.errors.contains("there is no dead letter '\(ids[2])'"))
    #expect(try await scene.deadLetters("retry").status == 2)
    await server.stop()
    // Each as often as it was tried, with one key.
    #expect(scene.keys.values.map { Set($0).count } == [1, 1, 1])
  }
}
