// SPDX-License-Identifier: Apache-2.0
import Foundation
import JSONCodec
import TestSupport
import Testing

/// What the log has of what was said.
@Suite("log.content", .timeLimit(.minutes(5)))
struct ContentLogTests {
  private static let secret = "quoted-\"hunter2\"-secret"

  /// - Returns: The log of a server that has had one turn with a tool, and a job.
  private func log(_ settings: String, level: String = "info") async throws -> String {
    let provider = try ScriptedProvider { request in
      let isAnswered = request.json["messages"]?.array?.last?["role"] == "tool"
      let arguments = RawJSON(["words": .string("it is \(Self.secret)")]).text
      return isAnswered ? .completion("The key sk-hidden1 is kept.") : .toolCalls([("c1", "keep", arguments)])
    }
    let workspace = try Folder([
      "perigee.yaml": """
      log: { level: \(level), format: json\(settings) }
      scripts: { secrets: { safe: { env: SAFE_KEY, hosts: [safe.example] } } }
      """,
      "agents/keeper.lua": "return { prompt = 'p', tools = { 'keep' }, access = { queue = true } }",
      "agents/clerk.lua":
        "return { access = { queue = true }, run = function() queue.publish('file', { n = 77 }) return 'ok' end }",
      "tools/keep.lua": """
      return {
        keep = { description = "Keeps.", parameters = { words = "string" },
          run = function(ctx, args) return { kept = args.words, number = 4711 } end },
        file = { description = "Files.", parameters = { n = "integer" }, action = true,
          run = function(ctx, args) return { filed = args.n } end },
      }
      """,
    ])
    let data = try Folder()
    let server = try await RunningServer(
      workspace: workspace.path, data: data.path,
      environment: [
        "OPENAI_BASE_URL": provider.baseURL, "OPENAI_API_KEY": "sk-hidden1", "SAFE_KEY": Self.secret,
      ])
    let said = "Remember \(Self.secret) and Bearer abcdefghijklmnop1234"
    #expect(try await server.chat("keeper", said, session: "s").status == 200)
    #expect(try await server.chat("clerk", "go").status == 200)
    while try await !server.get("/metrics").text
      .contains(#"perigee_job_attempts_total{action="file",outcome="done"} 1"#)
    {}
    return await server.stop().log
  }

  @Test("it has messages, and what tools got and gave, without any secret")
  func content() async throws {
    let log = try await log(", content: true")
    let lines = log.split(separator: "\n").compactMap { try? JSON(parsing: String($0)) }
    let said = lines.filter { $0["message"] == "message" }
    let ours = said.filter { $0["agent"] == "keeper" }
    #expect(ours.map { $0["role"] } == ["user", "assistant"], "\(log)")
    #expect(ours.first?["content"] == "Remember [secret] and Bearer [token]")
    #expect(ours.last?["content"] == "The key [secret] is kept.")
    #expect(ours.allSatisfy { $0["session"] == "s" && $0["run"] == ours[0]["run"] && $0["level"] == "info" })
    #expect(said.filter { $0["agent"] == "clerk" }.map { $0["content"] } == ["go", "ok"])
    let tools = lines.filter { $0["message"] == "tool called" }
    #expect(tools.map { $0["tool"]?.string ?? "" }.sorted() == ["file", "keep"])
    let kept = try #require(tools.first { $0["tool"] == "keep" })
    #expect(kept["arguments"] == #"{"words":"it is [secret]"}"#)
    #expect(kept["result"]?.string?.contains("4711") == true)
    let filed = try #require(tools.first { $0["tool"] == "file" })
    #expect(filed["arguments"] == #"{"n":77}"# && filed["result"] == #"{"filed":77}"#)
    #expect(!log.contains("hunter2") && !log.contains("sk-hidden1") && !log.contains("abcdefghijklmnop"))
  }

  @Test("by default it has nothing of it, even where everything else is logged")
  func none() async throws {
    let log = try await log("", level: "trace")
    #expect(log.contains("request answered"))
    for word in ["Remember", "is kept", "4711", "hunter2", "sk-hidden1", "abcdefghijklmnop"] {
      #expect(!log.contains(word), "\(word)")
    }
  }
}
