// SPDX-License-Identifier: Apache-2.0
import Core
import JSONCodec
import Models
import Synchronization
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(5))) struct ReplyTests {
  let fixture: Fixture

  init() throws { fixture = try Fixture() }

  func reply(_ message: JSON, finishReason: JSON = "stop") async throws -> ModelReply {
    try await fixture.ask(.json(["choices": [["message": message, "finish_reason": finishReason]]]))
  }

  @Test("an answer brings its text, its usage and the name of the model")
  func text() async throws {
    let reply = try await fixture.ask(.completion("hi 🙂", inputTokens: 12, outputTokens: 3))
    #expect(
      reply
        == ModelReply(
          model: "gpt-4o-mini", text: "hi 🙂", finishReason: .stop,
          usage: Usage(inputTokens: 12, outputTokens: 3, costUSD: nil)))
  }

  @Test("known prices make a cost, unknown ones none")
  func cost() async throws {
    let server = try ScriptedProvider(.completion("x", inputTokens: 1_000_000, outputTokens: 500_000))
    let models = fixture.models(
      ModelClient.Configuration(
        providers: [ProviderConfiguration(name: "p", baseURL: server.baseURL)],
        prices: [
          "known": TokenPrice(inputPerMillion: 1, outputPerMillion: 4),
          "p/dear": TokenPrice(inputPerMillion: 10, outputPerMillion: 0),
        ]))
    var costs: [Double?] = []
    for name in ["known", "p/known", "p/dear", "unknown"] {
      let request = ModelRequest(models: [name], messages: [.user("x")])
      costs.append(try await models.respond(to: request, within: .seconds(60), onText: nil).usage.costUSD)
    }
    #expect(costs == [3, 3, 10, nil])
  }

  @Test("tool calls are taken as they come, in their order")
  func calls() async throws {
    let reply = try await fixture.ask(
      .toolCalls([("a", "add", #"{"x": 1}"#), ("b", "list", "not json")]))
    #expect(reply.finishReason == .toolCalls)
    #expect(reply.text == "")
    #expect(
      reply.calls == [
        ToolCallRequest(id: "a", name: "add", arguments: #"{"x": 1}"#),
        ToolCallRequest(id: "b", name: "list", arguments: "not json"),
      ])
  }

  @Test(
    "calls count even when the server says that it stopped",
    arguments: ["stop", "tool_calls", "function_call"])
  func callsWithStop(reason: String) async throws {
    let reply = try await fixture.ask(.toolCalls([("a", "add", "{}")], finishReason: reason))
    #expect(reply.finishReason == .toolCalls)
    #expect(reply.calls.count == 1)
  }

  @Test(
    "calls that may be cut off are dropped",
    arguments: [("length", ModelReply.FinishReason.length), ("content_filter", .contentFilter)])
  func cutOff(reason: String, expected: ModelReply.FinishReason) async throws {
    let reply = try await fixture.ask(.toolCalls([("a", "add", #"{"x":"#)], finishReason: reason))
    #expect(reply.finishReason == expected)
    #expect(reply.calls.isEmpty)
  }

  @Test("missing, empty and repeated call ids are made up, each once")
  func ids() async throws {
    let function: JSON = ["name": "add", "arguments": "{}"]
    let reply = try await reply([
      "tool_calls": [
        ["function": function], ["id": "", "function": function], ["id": nil, "function": function],
        ["id": "x", "function": function], ["id": "x", "function": function],
      ]
    ])
    #expect(reply.calls.count == 5)
    #expect(Set(reply.calls.map(\.id)).count == 5)
    #expect(reply.calls[3].id == "x")
    #expect(reply.calls.allSatisfy { !$0.id.isEmpty })
  }

  @Test(
    "arguments of any form become text",
    arguments: [
      (JSON.string(#"{"a":1}"#), #"{"a":1}"#), (["a": [1, nil]], #"{"a":[1,null]}"#), (nil, "{}"), ("", "{}"),
      ([], "[]"),
    ] as [(JSON, String)])
  func arguments(value: JSON, text: String) async throws {
    let reply = try await reply([
      "tool_calls": [["id": "a", "function": ["name": "add", "arguments": value]]]
    ])
    #expect(reply.calls.map(\.arguments) == [text])
  }

  @Test("calls of other ages and kinds are calls too")
  func otherCalls() async throws {
    let old = try await reply(["content": nil, "function_call": ["name": "add", "arguments": "{}"]])
    #expect(old.calls.map(\.name) == ["add"])
    let custom = try await reply([
      "tool_calls": [["id": "a", "type": "custom", "custom": ["name": "sql", "input": "select"]]]
    ])
    #expect(custom.calls == [ToolCallRequest(id: "a", name: "sql", arguments: "select")])
  }

  @Test("content may be null, absent, or a list of parts")
  func content() async throws {
    #expect(try await reply(["content": nil]).text == "")
    #expect(try await reply([:]).text == "")
    let parts: JSON = [["type": "text", "text": "a"], ["type": "image"], ["type": "text", "text": "b"]]
    #expect(try await reply(["content": parts]).text == "ab")
  }

  @Test("a refusal is told from an answer")
  func refusal() async throws {
    let reply = try await reply(["content": nil, "refusal": "I won't"])
    #expect(reply.finishReason == .refusal)
    #expect(reply.text == "I won't")
    #expect(try await self.reply(["content": "yes", "refusal": nil]).finishReason == .stop)
  }

  @Test(
    "finish reasons are mapped, unknown ones to stop",
    arguments: [
      (JSON.string("stop"), ModelReply.FinishReason.stop), ("length", .length),
      ("content_filter", .contentFilter),
      ("eos", .stop), (nil, .stop), (3, .stop),
    ])
  func finish(reason: JSON, expected: ModelReply.FinishReason) async throws {
    #expect(try await reply(["content": "x"], finishReason: reason).finishReason == expected)
  }

  @Test(
    "usage that is missing or odd is estimated from the size of question and answer, and says so",
    arguments: [nil, [:], ["prompt_tokens": "x"], 3] as [JSON])
  func usage(usage: JSON) async throws {
    let server = try ScriptedProvider(
      .json(["choices": [["message": ["content": "twelve bytes"]]], "usage": usage]))
    let reply = try await fixture.models(server).respond(to: .hello, within: .seconds(60), onText: nil)
    let asked = try #require(server.requests.first?.body.count)
    #expect(
      reply.usage
        == Usage(inputTokens: (asked + 3) / 4, outputTokens: 3, costUSD: nil, isEstimated: true))
  }

  @Test(
    "what is no reply is a bad reply, and is not asked for again",
    arguments: [
      ScriptedProvider.Reply.json(["choices": []]), .json([:]), .json([]), .json(nil),
      .json(["choices": nil]),
      .json(["choices": [["finish_reason": "stop"]]]), .json(["choices": [["message": "text"]]]),
      .status(200, body: "<html>welcome</html>"), .status(200, body: ""), .status(302), .status(204),
      .json(["error": "no"]), .json(["error": ["message": "no", "code": "odd"]]),
      .json(["choices": [["message": ["tool_calls": [["id": "a"]]]]]]),
    ])
  func badReply(reply: ScriptedProvider.Reply) async throws {
    let server = try ScriptedProvider(reply)
    let failure = await failure {
      try await fixture.models(server).respond(to: .hello, within: .seconds(60), onText: nil)
    }
    #expect(failure?.kind == .badReply)
    #expect(server.requests.count == 1)
  }

  @Test("an error inside of a 200 counts as its own status")
  func errorInside() async throws {
    let reply = try await fixture.ask(
      .json(["error": ["message": "upstream", "code": 502]]),
      .json(["error": ["message": "busy", "code": "rate_limit_exceeded"]]), .completion("at last"))
    #expect(reply.text == "at last")
    #expect(fixture.time.slept.count == 2)
  }

  @Test("a watched answer is told")
  func onText() async throws {
    let server = try ScriptedProvider(.completion("hello"))
    let heard = Mutex("")
    _ = try await fixture.models(server).respond(to: .hello, within: .seconds(60)) { pieces in
      heard.withLock { $0 += pieces.joined() }
    }
    #expect(heard.withLock { $0 } == "hello")
  }
}
