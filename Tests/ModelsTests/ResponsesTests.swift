// SPDX-License-Identifier: Apache-2.0
import Core
import JSONCodec
import Models
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(5))) struct ResponsesTests {
  typealias Reply = ScriptedProvider.Reply
  let fixture: Fixture
  let heard = Heard()

  init() throws { fixture = try Fixture() }

  func models(_ server: ScriptedProvider) -> ModelClient {
    fixture.models(server) { $0.dialect = .responses }
  }

  func ask(_ reply: Reply, isStreamed: Bool = false) async throws -> ModelReply {
    try await ask(ScriptedProvider(reply), isStreamed: isStreamed)
  }

  func ask(_ server: ScriptedProvider, isStreamed: Bool) async throws -> ModelReply {
    try await models(server).respond(
      to: .hello, within: .seconds(300), onText: heard.listener(if: isStreamed))
  }

  func stream(_ events: JSON...) async throws -> ModelReply {
    try await ask(.events(events.map { (nil, RawJSON($0).text) }), isStreamed: true)
  }

  static let message: JSON = [
    "type": "message", "role": "assistant",
    "content": [["type": "output_text", "text": "Hello"], ["type": "output_text", "text": " you"]],
  ]
  static let call: JSON = [
    "type": "function_call", "id": "fc_1", "call_id": "call_1", "name": "add", "arguments": #"{"x":1}"#,
  ]
  static let reasoning: JSON = ["type": "reasoning", "id": "rs_1", "summary": []]
  static let usage: JSON = ["input_tokens": 12, "output_tokens": 4, "total_tokens": 16]

  @Test("a caller's choice of tools, and JSON of any shape, go along")
  func callersWishes() async throws {
    let server = try ScriptedProvider(.json(["output": [Self.message], "status": "completed"]))
    let tools = [ToolDescription(name: "look", description: "", schema: .emptyObject)]
    for choice in [ToolChoice.named("look"), .required, .auto] {
      let request = ModelRequest(
        models: [], messages: [.user("x")], tools: tools, output: .anyObject, toolChoice: choice,
        allowsParallelCalls: choice == .auto)
      _ = try await models(server).respond(to: request, within: .seconds(60), onText: nil)
    }
    let sent = server.requests.map(\.json)
    #expect(sent.map { $0["tool_choice"] } == [["type": "function", "name": "look"], "required", nil])
    #expect(sent.map { $0["parallel_tool_calls"] } == [false, false, nil])
    #expect(sent[0]["text"]?["format"] == ["type": "json_object"])
  }

  @Test("a request keeps nothing there, and has its tools and messages as items")
  func request() async throws {
    let server = try ScriptedProvider(.json(["output": [Self.message], "status": "completed"]))
    let request = ModelRequest(
      models: ["gpt-5"],
      messages: [
        .system("be kind"), .system("and brief"), .user("add"),
        .assistant("let me", calls: [ToolCallRequest(id: "c1", name: "add", arguments: #"{"a":1}"#)]),
        .tool(callID: "c1", name: "add", content: "2"), .assistant("2", calls: []), .user("thanks"),
      ],
      tools: [ToolDescription(name: "add", description: "Adds.", schema: .emptyObject)],
      output: try Schema(["title": "string"]), temperature: 0.5, tokensMax: 9)
    _ = try await models(server).respond(to: request, within: .seconds(60), onText: nil)
    let sent = try #require(server.requests.first)
    #expect(sent.path == "/v1/responses")
    #expect(sent.header("authorization") == "Bearer sk-secret-key")
    #expect(sent.json["store"] == false)
    #expect(sent.json["instructions"] == "be kind\n\nand brief")
    #expect(
      sent.json["input"] == [
        ["role": "user", "content": "add"], ["role": "assistant", "content": "let me"],
        ["type": "function_call", "call_id": "c1", "name": "add", "arguments": #"{"a":1}"#],
        ["type": "function_call_output", "call_id": "c1", "output": "2"],
        ["role": "assistant", "content": "2"], ["role": "user", "content": "thanks"],
      ])
    #expect(
      sent.json["tools"] == [
        ["type": "function", "name": "add", "description": "Adds.", "parameters": [:], "strict": false]
      ])
    #expect(sent.json["text"]?["format"]?["type"] == "json_schema")
    #expect(sent.json["text"]?["format"]?["schema"] == (try request.output?.json.value()))
    #expect(sent.json["max_output_tokens"] == 9)
    #expect(sent.json["temperature"] == 0.5)
    #expect(sent.json["stream"] == nil)
  }

  @Test("a whole answer brings text, calls and usage; its reasoning is passed over")
  func whole() async throws {
    let text = try await ask(
      .json(["status": "completed", "output": [Self.reasoning, Self.message], "usage": Self.usage]))
    #expect(
      text
        == ModelReply(
          model: "gpt-4o-mini", text: "Hello you", finishReason: .stop,
          usage: Usage(inputTokens: 12, outputTokens: 4, costUSD: nil)))
    let calls = try await ask(.json(["status": "completed", "output": [Self.call, Self.call]]))
    #expect(calls.finishReason == .toolCalls)
    #expect(calls.calls.map(\.name) == ["add", "add"])
    #expect(calls.calls.first?.id == "call_1")
    #expect(calls.calls.allSatisfy { $0.arguments == #"{"x":1}"# })
  }

  @Test("a streamed answer is told piece by piece, and its calls are put together")
  func streamed() async throws {
    let reply = try await stream(
      ["type": "response.created", "response": ["status": "in_progress", "error": nil]],
      ["type": "response.output_item.added", "output_index": 0, "item": Self.reasoning],
      ["type": "response.output_text.delta", "output_index": 1, "delta": "Hel"],
      ["type": "response.output_text.delta", "output_index": 1, "delta": "lo"],
      ["type": "response.output_text.done", "output_index": 1, "text": "Hello"],
      [
        "type": "response.output_item.added", "output_index": 2,
        "item": ["type": "function_call", "call_id": "a", "name": "add", "arguments": ""],
      ],
      [
        "type": "response.output_item.added", "output_index": 3,
        "item": ["type": "function_call", "call_id": "b", "name": "list", "arguments": ""],
      ],
      ["type": "response.function_call_arguments.delta", "output_index": 2, "delta": #"{"x""#],
      ["type": "response.function_call_arguments.delta", "output_index": 3, "delta": "{}"],
      ["type": "response.function_call_arguments.delta", "output_index": 2, "delta": ":1}"],
      [
        "type": "response.output_item.done", "output_index": 2,
        "item": ["type": "function_call", "call_id": "a", "name": "add", "arguments": #"{"x":1}"#],
      ],
      ["type": "response.completed", "response": ["status": "completed", "usage": Self.usage]])
    #expect(heard.pieces == ["Hel", "lo"])
    #expect(reply.text == "Hello")
    #expect(
      reply.calls == [
        ToolCallRequest(id: "a", name: "add", arguments: #"{"x":1}"#),
        ToolCallRequest(id: "b", name: "list", arguments: "{}"),
      ])
    #expect(reply.usage == Usage(inputTokens: 12, outputTokens: 4, costUSD: nil))
  }

  @Test("a stream that tells nothing before its end is told at its end")
  func lateStream() async throws {
    let reply = try await stream([
      "type": "response.completed", "response": ["status": "completed", "output": [Self.message]],
    ])
    #expect(reply.text == "Hello you")
    #expect(heard.pieces == ["Hello you"])
  }

  @Test(
    "an incomplete answer says why, and its calls are not made",
    arguments: [
      ("max_output_tokens", ModelReply.FinishReason.length), ("content_filter", .contentFilter),
    ])
  func incomplete(reason: String, expected: ModelReply.FinishReason) async throws {
    let response: JSON = [
      "status": "incomplete", "incomplete_details": ["reason": .string(reason)], "output": [Self.call],
    ]
    let whole = try await ask(.json(response))
    let streamed = try await stream(["type": "response.incomplete", "response": response])
    #expect([whole.finishReason, streamed.finishReason] == [expected, expected])
    #expect(whole.calls.isEmpty && streamed.calls.isEmpty)
  }

  @Test("a refusal is told from an answer")
  func refusal() async throws {
    let whole = try await ask(
      .json([
        "status": "completed",
        "output": [["type": "message", "content": [["type": "refusal", "refusal": "I won't"]]]],
      ]))
    let streamed = try await stream(
      ["type": "response.refusal.delta", "delta": "I won't"],
      ["type": "response.completed", "response": ["status": "completed"]])
    for reply in [whole, streamed] {
      #expect(reply.finishReason == .refusal)
      #expect(reply.text == "I won't")
    }
  }

  // MARK: What the model thought

  static let thought: JSON = [
    "type": "reasoning", "id": "rs_1", "status": "completed", "summary": [], "encrypted_content": "gAAAA==",
  ]
  /// As they go back.
  static let returned: [JSON] = [
    ["type": "reasoning", "summary": [], "encrypted_content": "gAAAA=="],
    ["type": "message", "role": "assistant", "content": [["type": "output_text", "text": "Let me."]]],
    ["type": "function_call", "call_id": "call_1", "name": "add", "arguments": #"{"x":1}"#],
  ]
  static let said: JSON = [
    "type": "message", "id": "msg_1", "status": "completed", "role": "assistant",
    "content": [["type": "output_text", "text": "Let me."]],
  ]

  /// The input that follows the answer.
  private func next(_ reply: ModelReply, models: [String], _ server: ScriptedProvider) async throws -> [JSON]
  {
    let request = ModelRequest(
      models: models,
      messages: [
        .user("hello"), .assistant(reply.text, calls: reply.calls, verbatim: reply.verbatim),
        .tool(callID: "call_1", name: "add", content: "2"),
      ])
    _ = try await self.models(server).respond(to: request, within: .seconds(60), onText: nil)
    return server.requests.last?.json["input"]?.array ?? []
  }

  @Test(
    "what the model thought goes back with its calls, in their order and encrypted", arguments: [false, true])
  func thoughts(isStreamed: Bool) async throws {
    let output: [JSON] = [Self.thought, Self.said, Self.call]
    let events =
      [["type": "response.output_text.delta", "output_index": 1, "delta": "Let me."]]
      + output.enumerated().map { index, item -> JSON in
        ["type": "response.output_item.done", "output_index": .integer(Int64(index)), "item": item]
      } + [["type": "response.completed", "response": ["status": "completed"]]]
    let server = try ScriptedProvider(
      isStreamed
        ? .events(events.map { (nil, RawJSON($0).text) })
        : .json(["status": "completed", "output": .array(output)]),
      .json(["status": "completed", "output": [Self.message]]))
    let reply = try await models(server).respond(
      to: ModelRequest(models: ["gpt-5"], messages: [.user("hello")]), within: .seconds(60),
      onText: heard.listener(if: isStreamed))
    let result: JSON = ["type": "function_call_output", "call_id": "call_1", "output": "2"]
    let user: JSON = ["role": "user", "content": "hello"]
    #expect(try await next(reply, models: ["gpt-5"], server) == [user] + Self.returned + [result])
    // Another model cannot read it.
    #expect(
      try await next(reply, models: ["o3"], server)
        == [user, ["role": "assistant", "content": "Let me."], Self.returned[2], result])
    #expect(server.requests.allSatisfy { $0.json["include"] == ["reasoning.encrypted_content"] })
  }

  @Test("what cannot be read again, or had no calls, does not go back")
  func forgotten() async throws {
    let bare = try await ask(
      .json(["status": "completed", "output": [Self.thought, Self.reasoning, Self.call]]))
    let answer = try await ask(.json(["status": "completed", "output": [Self.thought, Self.message]]))
    let cut = try await ask(
      .json([
        "status": "incomplete", "incomplete_details": ["reason": "max_output_tokens"],
        "output": [Self.thought, Self.call],
      ]))
    #expect([bare.verbatim, answer.verbatim, cut.verbatim] == [nil, nil, nil])
    #expect(bare.calls.count == 1)
  }

  @Test(
    "a model that does not think is not asked for what it thought", arguments: ["gpt-4o-mini", "gpt-4.1"])
  func thoughtless(model: String) async throws {
    let server = try ScriptedProvider(.json(["output": [Self.message], "status": "completed"]))
    _ = try await models(server).respond(
      to: ModelRequest(models: [model], messages: [.user("x")]), within: .seconds(60), onText: nil)
    #expect(server.requests.first?.json["include"] == nil)
  }

  static let failures: [JSON] = [
    ["type": "error", "code": "server_error", "message": "no"],
    ["type": "error", "error": ["type": "server_error", "message": "no"]],
    [
      "type": "response.failed",
      "response": ["status": "failed", "error": ["code": "server_error", "message": "no"]],
    ],
  ]

  @Test("a failure inside of the stream is asked again before the first text", arguments: failures)
  func failedBefore(event: JSON) async throws {
    let good: [JSON] = [
      ["type": "response.output_text.delta", "delta": "ok"], ["type": "response.completed", "response": [:]],
    ]
    let server = try ScriptedProvider(
      .events([(nil, RawJSON(event).text)]), .events(good.map { (nil, RawJSON($0).text) }))
    let reply = try await models(server).respond(to: .hello, within: .seconds(60)) { _ in }
    #expect(reply.text == "ok")
    #expect(server.requests.count == 2)
  }

  @Test("a failure after the first text interrupts the answer", arguments: failures)
  func failedAfter(event: JSON) async throws {
    let reply = try await stream(["type": "response.output_text.delta", "delta": "half"], event)
    #expect(reply.finishReason == .interrupted)
    #expect(reply.text == "half")
    #expect(reply.usage.isEstimated)
  }

  @Test("a response that failed as a whole is a failure")
  func failedWhole() async throws {
    let fault = await failure { try await ask(.json(["status": "failed", "error": nil, "output": []])) }
    #expect(fault?.kind == .badReply)
    let quota: JSON = ["status": "failed", "error": ["code": "insufficient_quota"], "output": []]
    #expect(await failure { try await ask(.json(quota)) }?.kind == .quotaExceeded)
  }

  @Test("a stream without an end is an interruption")
  func cut() async throws {
    let reply = try await stream(
      ["type": "response.output_text.delta", "delta": "half"],
      ["type": "response.output_item.done", "output_index": 1, "item": Self.call])
    #expect(reply.finishReason == .interrupted)
    #expect(reply.calls.isEmpty)
  }
}
