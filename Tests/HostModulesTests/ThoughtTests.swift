// SPDX-License-Identifier: Apache-2.0
import JSONCodec
import Models
import TestSupport
import Testing

@Suite("what a model thought")
struct ThoughtTests {
  @Test("it goes back with the results of its calls in the same turn, and is forgotten in the next")
  func turn() async throws {
    let thought: JSON = ["type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "gAAAA=="]
    let call: JSON = [
      "type": "function_call", "id": "fc_1", "call_id": "c1", "name": "look", "arguments": "{}",
    ]
    let answer: JSON = ["type": "message", "content": [["type": "output_text", "text": "Seen."]]]
    let provider = try ScriptedProvider(
      .json(["status": "completed", "output": [thought, call]]),
      .json(["status": "completed", "output": [answer]]))
    let files = [
      "agents/a.lua": #"return { model = "gpt-5", prompt = "p", tools = { "look" } }"#,
      "tools/t.lua": #"return { look = { description = "d", run = function() return { n = 1 } end } }"#,
    ]
    try await TestWorkspace.with(files, provider: provider.baseURL, dialect: .responses) { workspace in
      _ = try await workspace.chat("a", "1", session: "s")
      _ = try await workspace.chat("a", "2", session: "s")
    }
    let inputs = provider.requests.map { $0.json["input"]?.array ?? [] }
    let types = inputs.map { $0.map { $0["type"]?.string ?? $0["role"]?.string ?? "?" } }
    #expect(
      types == [
        ["user"], ["user", "reasoning", "function_call", "function_call_output"],
        ["user", "function_call", "function_call_output", "assistant", "user"],
      ])
    #expect(inputs[1][1]["encrypted_content"] == "gAAAA==")
  }
}
