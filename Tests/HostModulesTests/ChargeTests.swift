// SPDX-License-Identifier: Apache-2.0
import Core
import JSONCodec
import Storage
import TestSupport
import Testing

@Suite("What failed calls of models cost a run")
struct ChargeTests {
  /// What the run has taken, and what it says.
  private static func run(_ lua: String, limits: String = "", _ provider: ScriptedProvider) async throws -> (
    text: String, usage: Usage
  ) {
    let agent = "return { limits = { \(limits) }, run = function() \(lua) end }"
    return try await TestWorkspace.with(["agents/a.lua": agent], provider: provider.baseURL) { workspace in
      let text = try await workspace.chat("a").text
      let run = try #require(
        try await workspace.store.runs(visibleTo: .everyone, page: PageRequest()).items.first)
      return (text, run.usage)
    }
  }

  @Test("a failed embedding counts what was charged, and frees what was not")
  func embeddings() async throws {
    let data = JSON.array([JSON](repeating: ["embedding": [1]], count: 2048))
    let provider = try ScriptedProvider(
      .json(["data": data, "usage": ["prompt_tokens": 3000]]), .failure(400), .failure(400), .completion("ok")
    )
    let (text, usage) = try await Self.run(
      """
      local many = {}
      for i = 1, 2049 do many[i] = "x" end
      local first = pcall(llm.embed, { model = "embed-1", input = many })
      local second = pcall(llm.embed, { model = "embed-1", input = ("x"):rep(3000) })
      local ok, answer = pcall(llm.chat, { messages = { { role = "user", content = "Hi" } }, max_tokens = 100 })
      return tostring(first) .. tostring(second) .. (ok and answer.text or answer.message)
      """, limits: "tokens = 4000", provider)
    #expect(text == "falsefalseok")
    #expect(usage.inputTokens == 3010 && usage.outputTokens == 5)
  }

  @Test("an answer of no use is counted against the run's budget")
  func badReply() async throws {
    let nameless: JSON = [
      "choices": [["message": ["tool_calls": [["id": "a", "function": ["arguments": "{}"]]]]]],
      "usage": ["prompt_tokens": 900, "completion_tokens": 50],
    ]
    let provider = try ScriptedProvider(.json(nameless))
    let (text, usage) = try await Self.run(
      """
      local request = { messages = { { role = "user", content = "Hi" } }, max_tokens = 100 }
      local codes = {}
      for i = 1, 2 do codes[i] = select(2, pcall(llm.chat, request)).code end
      return table.concat(codes, " ")
      """, limits: "tokens = 960", provider)
    #expect(text == "upstream limit")
    #expect(usage.tokens == 950)
    #expect(provider.requests.count == 1)
  }
}
