// SPDX-License-Identifier: Apache-2.0
import Core
import JSONCodec
import Synchronization
import TestSupport
import Testing

@Suite("llm.chat with output")
struct StructuredOutputTests {
  private func answer(_ lua: String, _ first: ScriptedProvider.Reply, _ second: ScriptedProvider.Reply)
    async throws -> (text: String, provider: ScriptedProvider)
  {
    let provider = try ScriptedProvider(first, second)
    let text = try await TestWorkspace.answer(
      """
      local request = { messages = { { role = "user", content = "Hi" } }, output = { n = "integer", s = "string?" } }
      \(lua)
      """, provider: provider.baseURL)
    return (text, provider)
  }

  @Test("an answer that does not fit is repaired once; both calls are counted")
  func repairs() async throws {
    let (text, provider) = try await answer(
      "local a = llm.chat(request) return a.data.n .. ' ' .. tostring(a.data.s) .. ' ' .. a.usage.input_tokens",
      .completion("One."), .completion(#"{"n":1,"s":null}"#))
    #expect(text == "1 nil 20")
    #expect(provider.requests.first?.json["response_format"]?["json_schema"]?["strict"] == true)
    #expect(
      provider.requests.last?.json["messages"]?.array?.map { $0["role"] } == ["user", "assistant", "user"])
  }

  @Test("an answer that still does not fit is an upstream error with the text and the faults")
  func fails() async throws {
    let (text, provider) = try await answer(
      """
      local ok, e = pcall(llm.chat, request)
      return tostring(ok) .. ' ' .. e.code .. ' ' .. tostring(e.retryable) .. ' ' .. e.detail.text .. ' '
        .. e.detail.faults[1].path
      """, .completion("One."), .completion(#"{"n":"two"}"#))
    #expect(text == #"false upstream true {"n":"two"} n"#)
    #expect(provider.requests.count == 2)
  }

  @Test("a refusal comes as it is, without data")
  func refusal() async throws {
    let message: JSON = ["role": "assistant", "content": nil, "refusal": "No."]
    let refusal = ScriptedProvider.Reply.json(["choices": [["message": message, "finish_reason": "stop"]]])
    let (text, provider) = try await answer(
      "local a = llm.chat(request) return a.text .. tostring(a.data) .. a.finish_reason", refusal, refusal)
    #expect(text == "No.nilrefusal")
    #expect(provider.requests.count == 1)
  }

  @Test("a schema that models refuse is refused before one is asked")
  func tooDeep() async throws {
    let (text, provider) = try await answer(
      """
      local inner = { leaf = "string" }
      for _ = 1, 10 do inner = { a = { type = "object", properties = inner } } end
      request.output = inner
      local ok, e = pcall(llm.chat, request)
      return tostring(e)
      """, .completion("{}"), .completion("{}"))
    #expect(text.contains("more than 10 objects"))
    #expect(provider.requests.isEmpty)
  }

  @Test("who watches is told the answer that fits, and nothing of the one before")
  func streams() async throws {
    let provider = try ScriptedProvider(.completion("Sure!"), .completion(#"{"n":1}"#))
    let agent = "return { prompt = 'p', output = { n = 'integer' } }"
    try await TestWorkspace.with(["agents/a.lua": agent], provider: provider.baseURL) {
      (workspace: TestWorkspace) async throws -> Void in
      let texts = Mutex<[String]>([])
      let reply = try await workspace.runner.chat(ChatRequest(agent: "a", message: "x"), as: .local) {
        event in
        if case .text(let text) = event { texts.withLock { $0.append(text) } }
      }
      #expect(try reply.reply().data?.text == #"{"n":1}"#)
      #expect(texts.withLock { $0 } == [#"{"n":1}"#])
    }
  }
}
