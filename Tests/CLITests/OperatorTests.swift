// SPDX-License-Identifier: Apache-2.0
import JSONCodec
import TestSupport
import Testing

/// What a server tells those who run it, of what goes well and of what does not.
@Suite("For operators", .timeLimit(.minutes(2)))
struct OperatorTests {
  private static let scripts = [
    "agents/good.lua":
      "return { run = function() log.info('went well', { n = 1, list = { true } }) return 'good' end }",
    "agents/broken.lua": "return { run = function() error('boom') end }",
    "agents/barred.lua": "return { run = function() error({ code = 'denied', message = 'no' }) end }",
    "agents/stubbed.lua": "return { prompt = 'p', stub = function() return 'without a model' end }",
  ]

  @Test("chats are counted and timed, and errors by their type")
  func errors() async throws {
    let workspace = try Folder(Self.scripts)
    try await RunningServer.with(workspace: workspace.path) { server in
      for agent in ["good", "broken", "barred", "barred", "stubbed"] {
        _ = try await server.chat(agent, "hi")
      }
      let lines = try await server.get("/metrics").text.split(separator: "\n")
      for line in [
        "conversations_total 5", "# TYPE response_time_seconds histogram", "response_time_seconds_count 5",
        #"response_time_seconds_bucket{le="+Inf"} 5"#, #"errors_total{error_type="internal"} 1"#,
        #"errors_total{error_type="denied"} 2"#,
      ] { #expect(lines.contains { $0 == line }, "\(line)") }
      #expect(lines.filter { $0.hasPrefix("errors_total") }.count == 2)
    }
  }

  /// The records of the log, at this level and above, of a server that had something of each level to tell.
  private static func log(level: String) async throws -> [JSON] {
    let provider = try ScriptedProvider { _ in .failure(400, message: "no") }
    let (workspace, data) = (try Folder(scripts), try Folder())
    let server = try await RunningServer(
      workspace: workspace.path, data: data.path,
      environment: ["OPENAI_BASE_URL": provider.baseURL, "PERIGEE_LOG_LEVEL": level])
    #expect(try await server.chat("good", "hi").status == 200)
    #expect(try await server.chat("good", "").status == 400)
    #expect(try await server.chat("broken", "hi").status == 500)
    #expect(try await server.chat("stubbed", "hi").json["using_stub"] == true)
    return await server.stop().log.split(separator: "\n").compactMap { try? JSON(parsing: String($0)) }
  }

  private static func levels(_ log: [JSON], _ message: JSON) -> [JSON?] {
    log.filter { $0["message"] == message }.map { $0["level"] }
  }

  @Test("what went well is debug, a caller's mistake info, a model's failure a warning, a script's an error")
  func levels() async throws {
    let all = try await Self.log(level: "debug")
    #expect(Self.levels(all, "request answered") == ["debug", "info", "error", "debug"])
    #expect(Self.levels(all, "went well") == ["info"])
    #expect(all.first { $0["message"] == "went well" }?["fields"] == ["n": 1, "list": [true]])
    #expect(Self.levels(all, "a model gave no answer") == ["warning"])
    let failed = all.first { $0["level"] == "error" }
    #expect(failed?["agent"] == "broken" && failed?["code"] == "internal" && failed?["status"] == "500")

    let serious = try await Self.log(level: "warning")
    #expect(Set(serious.compactMap { $0["level"]?.string }) == ["warning", "error"])
    let normal = try await Self.log(level: "info")
    #expect(Self.levels(normal, "request answered") == ["info", "error"])
  }
}
