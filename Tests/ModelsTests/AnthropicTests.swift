// SPDX-License-Identifier: Apache-2.0
import Core
import JSONCodec
import Models
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(5))) struct AnthropicTests {
  typealias Reply = ScriptedProvider.Reply
  let fixture: Fixture
  let heard = Heard()

  init() throws { fixture = try Fixture() }

  func models(_ server: ScriptedProvider) -> ModelClient {
    fixture.models(server) { $0.dialect = .anthropic }
  }

  func ask(_ reply: Reply, request: ModelRequest = .hello, isStreamed: Bool = false) async throws
    -> ModelReply
  {
    try await ask(ScriptedProvider(reply), request, isStreamed: isStreamed)
  }

  func ask(_ server: ScriptedProvider, _ request: ModelRequest, isStreamed: Bool) async throws -> ModelReply {
    try await models(server).respond(
      to: request, within: .seconds(300), onText: heard.listener(if: isStreamed))
  }

  func stream(_ events: [JSON], request: ModelRequest = .hello) async throws -> ModelReply {
    try await ask(.events(events.map { (nil, RawJSON($0).text) }), request: request, isStreamed: true)
  }

  /// The body of the request that `request` becomes.
  func body(_ request: ModelRequest) async throws -> JSON {
    let server = try ScriptedProvider(.json(["content": [], "stop_reason": "end_turn"]))
    _ = try await models(server).respond(to: request, within: .seconds(60), onText: nil)
    return try #require(server.requests.first).json
  }

  static let start: JSON = [
    "type": "message_start",
    "message": [
      "content": [], "usage": ["input_tokens": 9, "cache_read_input_tokens": 3, "output_tokens": 1],
    ],
  ]

  static func text(_ pieces: String..., index: Int64 = 0) -> [JSON] {
    [
      [
        "type": "content_block_start", "index": .integer(index),
        "content_block": ["type": "text", "text": ""],
      ], ["type": "ping"],
    ]
      + pieces.map {
        [
          "type": "content_block_delta", "index": .integer(index),
          "delta": ["type": "text_delta", "text": .string($0)],
        ]
      } + [["type": "content_block_stop", "index": .integer(index)]]
  }

  static func call(_ id: String, _ name: String, _ pieces: String..., index: Int64) -> [JSON] {
    [
      [
        "type": "content_block_start", "index": .integer(index),
        "content_block": ["type": "tool_use", "id": .string(id), "name": .string(name), "input": [:]],
      ]
    ]
      + pieces.map {
        [
          "type": "content_block_delta", "index": .integer(index),
          "delta": ["type": "input_json_delta", "partial_json": .string($0)],
        ]
      }
  }

  static func end(_ reason: String) -> [JSON] {
    [
      ["type": "message_delta", "delta": ["stop_reason": .string(reason)], "usage": ["output_tokens": 7]],
      ["type": "message_stop"],
    ]
  }

  @Test("the smallest request has a limit, and the headers that are wanted")
  func smallest() async throws {
    let server = try ScriptedProvider(.json(["content": [], "stop_reason": "end_turn"]))
    _ = try await models(server).respond(to: .hello, within: .seconds(60), onText: nil)
    let request = try #require(server.requests.first)
    #expect(request.path == "/v1/messages")
    #expect(request.header("x-api-key") == "sk-secret-key")
    #expect(request.header("anthropic-version") == "2023-06-01")
    #expect(request.header("authorization") == nil)
    #expect(
      request.json == [
        "model": "gpt-4o-mini", "max_tokens": 4096,
        "messages": [["role": "user", "content": [["type": "text", "text": "hello"]]]],
      ])
  }

  @Test("images are fetched from their address, or go along")
  func images() async throws {
    let body = try await body(
      ModelRequest(
        models: [],
        messages: [
          .user(
            "what?",
            images: [
              ModelImage(url: "https://example.com/a.png"), ModelImage(url: "data:image/png;base64,iVBORw0"),
            ])
        ]))
    #expect(
      body["messages"]?.array?.first?["content"] == [
        ["type": "image", "source": ["type": "url", "url": "https://example.com/a.png"]],
        ["type": "image", "source": ["type": "base64", "media_type": "image/png", "data": "iVBORw0"]],
        ["type": "text", "text": "what?"],
      ])
  }

  @Test("instructions stand apart, roles take turns, results are the user's")
  func messages() async throws {
    let body = try await body(
      ModelRequest(
        models: [],
        messages: [
          .system("be kind"), .user("one"), .user("two"),
          .assistant(
            nil,
            calls: [
              ToolCallRequest(id: "c:1", name: "add", arguments: #"{"a":1}"#),
              ToolCallRequest(id: "c2", name: "add", arguments: "not json"),
            ]), .tool(callID: "c:1", name: "add", content: "2"),
          .tool(callID: "c2", name: "add", content: "no"), .user("and?"), .assistant("", calls: []),
          .assistant("done", calls: []), .system("later"),
        ], temperature: 1.5, tokensMax: 77))
    #expect(body["system"] == "be kind\n\nlater")
    #expect(body["max_tokens"] == 77)
    #expect(body["temperature"]?.double == 1)
    #expect(
      body["messages"] == [
        ["role": "user", "content": [["type": "text", "text": "one"], ["type": "text", "text": "two"]]],
        [
          "role": "assistant",
          "content": [
            ["type": "tool_use", "id": "c_1", "name": "add", "input": ["a": 1]],
            ["type": "tool_use", "id": "c2", "name": "add", "input": ["arguments": "not json"]],
          ],
        ],
        [
          "role": "user",
          "content": [
            ["type": "tool_result", "tool_use_id": "c_1", "content": "2"],
            ["type": "tool_result", "tool_use_id": "c2", "content": "no"], ["type": "text", "text": "and?"],
          ],
        ], ["role": "assistant", "content": [["type": "text", "text": "done"]]],
      ])
  }

  @Test("instructions without a conversation are what the user says")
  func onlySystem() async throws {
    let body = try await body(ModelRequest(models: [], messages: [.system("write a poem")]))
    #expect(body["system"] == nil)
    #expect(
      body["messages"] == [["role": "user", "content": [["type": "text", "text": "write a poem"]]]])
  }

  @Test("a whole answer brings text, calls and usage, the cached part too")
  func whole() async throws {
    let reply = try await ask(
      .json([
        "type": "message", "role": "assistant", "stop_reason": "tool_use",
        "content": [
          ["type": "text", "text": "Let me "], ["type": "thinking", "thinking": "hm"],
          ["type": "tool_use", "id": "toolu_1", "name": "add", "input": ["x": 1]],
          ["type": "tool_use", "id": "toolu_1", "name": "list", "input": [:]],
        ],
        "usage": ["input_tokens": 10, "cache_creation_input_tokens": 5, "output_tokens": 4],
      ]))
    #expect(reply.text == "Let me ")
    #expect(reply.finishReason == .toolCalls)
    #expect(reply.calls.map(\.name) == ["add", "list"])
    #expect(reply.calls.map(\.arguments) == [#"{"x":1}"#, "{}"])
    #expect(Set(reply.calls.map(\.id)).count == 2)
    #expect(reply.usage == Usage(inputTokens: 15, outputTokens: 4, costUSD: nil))
  }

  @Test("a streamed answer is told piece by piece, and its calls are put together")
  func streamed() async throws {
    let reply = try await stream(
      [Self.start] + Self.text("Hel", "lo")
        + Self.call("a", "add", "", #"{"x":"#, "1}", index: 1) + Self.call("b", "list", index: 2)
        + Self.end("tool_use"))
    #expect(heard.pieces == ["Hel", "lo"])
    #expect(reply.text == "Hello")
    #expect(
      reply.calls == [
        ToolCallRequest(id: "a", name: "add", arguments: #"{"x":1}"#),
        ToolCallRequest(id: "b", name: "list", arguments: "{}"),
      ])
    #expect(reply.usage == Usage(inputTokens: 12, outputTokens: 7, costUSD: nil))
  }

  @Test(
    "reasons to stop are mapped; what was cut off is not called",
    arguments: [
      ("end_turn", ModelReply.FinishReason.stop), ("stop_sequence", .stop), ("pause_turn", .stop),
      ("max_tokens", .length), ("model_context_window_exceeded", .length), ("refusal", .refusal),
    ])
  func reasons(reason: String, expected: ModelReply.FinishReason) async throws {
    let calls = expected == .stop ? [] : Self.call("a", "add", #"{"x":"#, index: 1)
    let reply = try await stream([Self.start] + Self.text("x") + calls + Self.end(reason))
    #expect(reply.finishReason == expected)
    #expect(reply.calls.isEmpty)
    #expect(reply.text == "x")
  }

  @Test("a structured answer is a tool that has to be called", arguments: [false, true])
  func structured(isStreamed: Bool) async throws {
    let schema = try Schema(["title": "string"])
    let request = ModelRequest(models: [], messages: [.user("x")], output: schema)
    let sent = try await body(request)
    #expect(sent["tools"]?.array?.map { $0["name"] } == ["answer"])
    #expect(sent["tools"]?.array?.first?["input_schema"] == (try schema.json.value()))
    #expect(sent["tool_choice"] == ["type": "tool", "name": "answer"])
    let reply =
      isStreamed
      ? try await stream(
        [Self.start] + Self.text("Here:") + Self.call("a", "answer", #"{"title""#, #":"t"}"#, index: 1)
          + Self.end("tool_use"), request: request)
      : try await ask(
        .json([
          "content": [["type": "tool_use", "id": "a", "name": "answer", "input": ["title": "t"]]],
          "stop_reason": "tool_use",
        ]), request: request)
    #expect(reply.text == #"{"title":"t"}"#)
    #expect(reply.finishReason == .stop)
    #expect(reply.calls.isEmpty)
    #expect(heard.pieces == (isStreamed ? [#"{"title""#, #":"t"}"#] : []))
  }

  @Test("a caller's choice of tools goes along")
  func choices() async throws {
    func choice(
      _ choice: ToolChoice, isParallel: Bool = true, output: Schema? = nil
    ) async throws -> JSON? {
      try await body(
        ModelRequest(
          models: [], messages: [.user("x")],
          tools: [ToolDescription(name: "look", description: "", schema: .emptyObject)], output: output,
          toolChoice: choice, allowsParallelCalls: isParallel))["tool_choice"]
    }
    #expect(try await choice(.auto) == nil)
    #expect(
      try await choice(.auto, isParallel: false) == ["type": "auto", "disable_parallel_tool_use": true])
    #expect(try await choice(.required) == ["type": "any"])
    #expect(try await choice(.named("look"), output: .anyObject) == ["type": "tool", "name": "look"])
    #expect(try await choice(.auto, output: .anyObject) == ["type": "any"])
  }

  @Test("an answer beside calls comes too early: the calls are made first")
  func earlyAnswer() async throws {
    let request = ModelRequest(
      models: [], messages: [.user("x")],
      tools: [ToolDescription(name: "answer", description: "Not ours.", schema: .emptyObject)],
      output: try Schema(["title": "string"]))
    let sent = try await body(request)
    #expect(sent["tools"]?.array?.map { $0["name"] } == ["answer", "answer_"])
    #expect(sent["tool_choice"] == ["type": "any"])
    let reply = try await stream(
      [Self.start] + Self.call("a", "answer", "{}", index: 0) + Self.call("b", "answer_", "{}", index: 1)
        + Self.end("tool_use"), request: request)
    #expect(reply.calls.map(\.id) == ["a"])
    #expect(reply.finishReason == .toolCalls)
  }

  @Test("an error inside of the stream is asked again before the first text and interrupts after it")
  func errorInside() async throws {
    let fault: JSON = ["type": "error", "error": ["type": "overloaded_error", "message": "busy"]]
    let good = [Self.start] + Self.text("ok") + Self.end("end_turn")
    let server = try ScriptedProvider(
      .events([Self.start, fault].map { (nil, RawJSON($0).text) }),
      .events(good.map { (nil, RawJSON($0).text) }))
    #expect(try await models(server).respond(to: .hello, within: .seconds(60)) { _ in }.text == "ok")
    #expect(server.requests.count == 2)
    let interrupted = try await stream([Self.start] + Self.text("half") + [fault])
    #expect(interrupted.finishReason == .interrupted)
    // What it had counted before it broke stands; the rest is a guess.
    #expect(interrupted.usage == Usage(inputTokens: 12, outputTokens: 1, costUSD: nil, isEstimated: true))
  }

  @Test(
    "errors have the kinds of their statuses",
    arguments: [
      (400, "invalid_request_error", ModelError.Kind.badRequest),
      (401, "authentication_error", .unauthorized),
      (402, "billing_error", .quotaExceeded), (404, "not_found_error", .notFound),
      (429, "rate_limit_error", .rateLimited), (529, "overloaded_error", .server),
    ])
  func kinds(status: Int, type: String, kind: ModelError.Kind) async throws {
    let body: JSON = ["type": "error", "error": ["type": .string(type), "message": "no"]]
    #expect(await failure { try await ask(.json(body, status: status)) }?.kind == kind)
    #expect(await failure { try await ask(.json(body)) }?.kind == kind)
  }

  @Test("a stream without an end is an interruption, and makes no call")
  func cut() async throws {
    let reply = try await stream([Self.start] + Self.text("half") + Self.call("a", "add", "{}", index: 1))
    #expect(reply.finishReason == .interrupted)
    #expect(reply.text == "half")
    #expect(reply.calls.isEmpty)
  }
}
