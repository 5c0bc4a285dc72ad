// SPDX-License-Identifier: Apache-2.0
import Foundation
import JSONCodec
import TestSupport
import Testing

/// The official Python client, unchanged, against the built binary.
@Suite("The official OpenAI client")
struct OpenAIClientTests {
  private static let files = [
    "agents/plain.lua": "return { prompt = 'Be brief.' }",
    "agents/script.lua": "return { run = function(_, input) return 'script: ' .. input.message end }",
    "agents/worker.lua": "return { prompt = 'Work.', tools = { 'stamp' } }",
    "agents/choosy.lua": "return { prompt = 'p', before = function() reject('not this') end }",
    "agents/limited.lua":
      "return { run = function() error({ code = 'rate_limited', message = 'slow', retryable = true }) end }",
    "tools/stamp.lua":
      "return { stamp = { description = 'Stamps.', run = function() return 'stamped' end } }",
  ]

  @Test(
    "works unchanged: plain, asynchronous, streaming, tools, formats and errors",
    .enabled(if: PythonTests.isThere),
    arguments: ["test_chat", "test_responses", "test_embeddings"])
  func unchanged(module: String) async throws {
    let provider = try ScriptedProvider {
      $0.path.hasSuffix("/embeddings") ? Self.embeddings($0.json) : Self.answer($0.json)
    }
    let workspace = try Folder(Self.files)
    try await RunningServer.with(
      workspace: workspace.path, environment: ["OPENAI_BASE_URL": provider.baseURL]
    ) { server in
      let outcome = try await PythonTests.run(
        module, in: "openai", environment: ["OPENAI_BASE_URL": server.origin + "/v1"])
      #expect(outcome.status == 0, "\(outcome.errors) \(outcome.output)")
      #expect(outcome.errors.contains("OK"))
    }
  }

  /// Vectors that say how long each text is.
  private static func embeddings(_ request: JSON) -> ScriptedProvider.Reply {
    guard request["model"] == "small" else { return .failure(404) }
    let vectors = (request["input"]?.array ?? []).enumerated().map { index, text -> JSON in
      let length = Double(text.string?.utf8.count ?? 0)
      return [
        "object": "embedding", "index": .integer(Int64(index)),
        "embedding": [.number(length), .number(0.5), .number(-0.25)],
      ]
    }
    return .json([
      "object": "list", "data": .array(vectors), "model": "small",
      "usage": ["prompt_tokens": 7, "total_tokens": 7],
    ])
  }

  /// Says a word, and calls the agent's tool.
  private static let talkingAndCalling = [
    #"{"choices":[{"index":0,"delta":{"content":"Well"}}]}"#,
    #"{"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"c1","function":{"name":"stamp","arguments":"{}"}}]}}]}"#,
    #"{"choices":[{"index":0,"delta":{},"finish_reason":"tool_calls"}]}"#, "[DONE]",
  ]

  /// A provider that does what the last message asks for.
  private static func answer(_ request: JSON) -> ScriptedProvider.Reply {
    let messages = request["messages"]?.array ?? []
    let last = messages.last?["content"]?.string ?? ""
    let tools = request["tools"]?.array?.compactMap { $0["function"]?["name"]?.string } ?? []
    if last == "fail" { return .failure(400) }
    if messages.contains(where: { $0["content"] == "break" }) {
      return last == "break" ? .events(talkingAndCalling.map { (nil, $0) }) : .failure(400)
    }
    if request["response_format"] != nil {
      return .completion(#"{"title":"Fair","people":[{"name":"Ann"}]}"#)
    }
    if last == "weather", tools.contains("stamp") { return .toolCalls([("c1", "stamp", "{}")]) }
    if messages.last?["role"] == "tool" {
      let told = messages.filter { $0["role"] == "tool" }.compactMap { $0["content"]?.string }
      if tools.contains("get_weather"), told.count == 1 {
        return .toolCalls([("c2", "get_weather", #"{"city":"Izmir"}"#)])
      }
      return .completion("told: " + told.map { $0.replacing("\"", with: "") }.joined(separator: ", "))
    }
    if last == "roles, please" {
      return .completion(messages.compactMap { $0["role"]?.string }.joined(separator: " "))
    }
    guard request["stream"] == true else { return .completion("You said: \(last)") }
    return .events(
      ScriptedProvider.Reply.streamedCompletion(["You ", "said: ", last]).map { (nil, $0) })
  }
}
