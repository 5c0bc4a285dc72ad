// SPDX-License-Identifier: Apache-2.0
import Core
import JSONCodec
import Models
import Synchronization
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(5))) struct StreamingTests {
  typealias Reply = ScriptedProvider.Reply
  let fixture: Fixture
  let heard = Heard()

  init() throws { fixture = try Fixture() }

  func ask(_ server: ScriptedProvider) async throws -> ModelReply {
    try await fixture.models(server).respond(to: .hello, within: .seconds(300)) { [heard] in heard.append($0)
    }
  }

  func ask(_ events: [String]) async throws -> ModelReply {
    try await ask(ScriptedProvider(.events(events.map { (gate: nil, data: $0) })))
  }

  /// A chunk whose first choice has this delta.
  func chunk(_ delta: JSON, finishReason: JSON = nil) -> String {
    RawJSON(["choices": [["delta": delta, "finish_reason": finishReason]]]).text
  }

  @Test("a watched answer is asked for and told piece by piece, and whole in the end")
  func pieces() async throws {
    let server = try ScriptedProvider(
      .events(Reply.streamedCompletion(["Hel", "lo ", "🙂"]).map { (gate: nil, data: $0) }))
    let reply = try await ask(server)
    #expect(heard.pieces == ["Hel", "lo ", "🙂"])
    #expect(reply.text == "Hello 🙂")
    #expect(reply.finishReason == .stop)
    #expect(reply.usage == Usage(inputTokens: 10, outputTokens: 5, costUSD: nil))
    #expect(server.requests.first?.json["stream"] == true)
    #expect(server.requests.first?.json["stream_options"] == ["include_usage": true])
  }

  @Test(
    "a piece is read alike, whatever stands around its text",
    arguments: [
      (#"{"choices":[{"delta":{"content":"a"}}]}"#, "a"),
      (
        #"{"error":null,"usage":null,"choices":[{"index":0,"delta":{"role":"assistant","refusal":null,"tool_calls":null,"content":"\u00e9\n"},"logprobs":{"content":[{"token":"x","bytes":[1]}]},"finish_reason":null}]}"#,
        "é\n"
      ),
      (#"{"choices":[{"delta":{"content":"a","content":"b"}}]}"#, "b"),
      (
        #"{"choices":[{"delta":{"content":"x"}},{}],"choices":[{"delta":{"content":"y"},"delta":{"content":"b"}}]}"#,
        "b"
      ),
      (#"{"choices":[{"delta":{"\u0063ontent":"c"}}]}"#, "c"),
      (#"{"choices":[{"delta":{"content":[{"type":"text","text":"d"}]}}]}"#, "d"),
      (#"{"choices":[{"delta":{"content":"e"}},{"delta":{"content":"other"}}]}"#, "e"),
      (#"{"usage":{"prompt_tokens":3,"completion_tokens":4},"choices":[{"delta":{"content":"f"}}]}"#, "f"),
      (#"{"choices":[{"delta":{"content":"g"},"finish_reason":"length"}]}"#, "g"),
    ])
  func alike(event: String, text: String) async throws {
    let reply = try await ask([
      event, #"{"choices":[{"delta":{"content":"!"},"finish_reason":"stop"}]}"#, "[DONE]",
    ])
    #expect(heard.pieces == [text, "!"])
    #expect(reply.text == text + "!")
    if text == "f" { #expect(reply.usage == Usage(inputTokens: 3, outputTokens: 4, costUSD: nil)) }
  }

  @Test(
    "what is no JSON is passed over, and text without any is told of nobody",
    arguments: [
      #"{"choices":[{"delta":{"content":"a"}}]} x"#, #"{"choices":[{"delta":{"content":"a"}"#, "processing",
      #"{"choices":[{"delta":{"content":"a"}}],"choices":[]}"#,
      #"{"choices":[{"delta":{"content":"a"},"delta":{}}]}"#,
      #"{"choices":[{"delta":{"content":""}}]}"#, #"{"choices":[]}"#,
      #"{"choices":[{"delta":{"content":null}}]}"#,
    ])
  func passedOver(event: String) async throws {
    let reply = try await ask([
      event, #"{"choices":[{"delta":{"content":"!"},"finish_reason":"stop"}]}"#, "[DONE]",
    ])
    #expect(heard.pieces == ["!"] && reply.text == "!")
  }

  @Test("each piece is told before the next one is sent")
  func asTheyCome() async throws {
    let gate = Gate()
    let data = Reply.streamedCompletion(["one", "two"])
    let server = try ScriptedProvider(
      .events([(gate: nil, data: data[0])] + data.dropFirst().enumerated().map { ($0 == 0 ? gate : nil, $1) })
    )
    // The second piece waits until the first is told: were it kept back, this would never end.
    let reply = try await fixture.models(server).respond(to: .hello, within: .seconds(300)) { pieces in
      if pieces == ["one"] { gate.open() }
    }
    #expect(reply.text == "onetwo")
  }

  @Test("the fragments of calls are put together by index")
  func calls() async throws {
    let reply = try await ask([
      chunk(["role": "assistant", "content": nil]),
      chunk(["tool_calls": [["index": 0, "id": "a", "function": ["name": "add", "arguments": ""]]]]),
      chunk(["tool_calls": [["index": 1, "id": "b", "function": ["name": "list", "arguments": "{"]]]]),
      chunk(["tool_calls": [["index": 0, "function": ["arguments": #"{"x":"#]]]]),
      chunk([
        "tool_calls": [
          ["index": 1, "function": ["arguments": "}"]], ["index": 0, "function": ["arguments": "1}"]],
        ]
      ]),
      chunk([:], finishReason: "tool_calls"), "[DONE]",
    ])
    #expect(
      reply.calls == [
        ToolCallRequest(id: "a", name: "add", arguments: #"{"x":1}"#),
        ToolCallRequest(id: "b", name: "list", arguments: "{}"),
      ])
    #expect(heard.pieces.isEmpty)
  }

  @Test(
    "calls without an index, or all with the same one, are told apart by their ids",
    arguments: [nil, 0, 1_000_000_000] as [JSON])
  func oddIndexes(index: JSON) async throws {
    let calls = ["a", "b"].map { id -> String in
      chunk([
        "tool_calls": [["index": index, "id": .string(id), "function": ["name": "add", "arguments": "{}"]]]
      ])
    }
    let reply = try await ask(calls + [chunk([:], finishReason: "stop"), "[DONE]"])
    #expect(reply.calls.map(\.id) == ["a", "b"])
    #expect(reply.finishReason == .toolCalls)
  }

  /// Pieces of calls: index, id, name and arguments, absent where `nil`.
  func pieces(_ pieces: [(JSON?, String?, String?, String)]) -> [String] {
    pieces.map { index, id, name, arguments in
      var function = JSONObject([("arguments", .string(arguments))])
      if let name { function.append("name", .string(name)) }
      var call = JSONObject([("function", .object(function))])
      if let index { call.append("index", index) }
      if let id { call.append("id", .string(id)) }
      return chunk(["tool_calls": [.object(call)]])
    } + [chunk([:], finishReason: "tool_calls"), "[DONE]"]
  }

  @Test(
    "pieces of calls that take turns under one index, or under none, follow their ids",
    arguments: [nil, 0] as [JSON?])
  func interleaved(index: JSON?) async throws {
    let reply = try await ask(
      pieces([
        (index, "a", "add", #"{"x""#), (index, "b", "list", ""), (index, "a", nil, ":1"),
        (index, nil, nil, "}"),
        (index, "b", nil, "{}"),
      ]))
    #expect(
      reply.calls == [
        ToolCallRequest(id: "a", name: "add", arguments: #"{"x":1}"#),
        ToolCallRequest(id: "b", name: "list", arguments: "{}"),
      ])
  }

  @Test("calls without ids under one index are told apart when the one before is whole")
  func noIDs() async throws {
    let reply = try await ask(
      pieces([
        (0, nil, "add", #"{"x":"#), (0, nil, "add", "1}"), (0, nil, "add", #"{"x":2}"#), (0, nil, "add", ""),
      ]))
    #expect(reply.calls.map(\.arguments) == [#"{"x":1}"#, #"{"x":2}"#])
    #expect(Set(reply.calls.map(\.id)).count == 2)
  }

  @Test("an id that comes late, or every time, makes no second call")
  func lateID() async throws {
    let late = try await ask(pieces([(0, nil, "add", ""), (0, "a", nil, "{"), (0, "a", nil, "}")]))
    #expect(late.calls == [ToolCallRequest(id: "a", name: "add", arguments: "{}")])
  }

  @Test("one id under two indexes is two calls")
  func repeatedID() async throws {
    let reply = try await ask(pieces([(0, "a", "add", "{}"), (1, "a", "list", "{}")]))
    #expect(reply.calls.map(\.name) == ["add", "list"])
    #expect(Set(reply.calls.map(\.id)).count == 2)
  }

  @Test("a stream that breaks off keeps its text and makes no call")
  func interrupted() async throws {
    let reply = try await ask([
      chunk(["content": "half of"]),
      chunk(["tool_calls": [["index": 0, "id": "a", "function": ["name": "add", "arguments": "{}"]]]]),
    ])
    #expect(reply.text == "half of")
    #expect(reply.calls.isEmpty)
    #expect(reply.finishReason == .interrupted)
  }

  @Test("a stream that breaks before its first text is asked for again")
  func retried() async throws {
    let good = Reply.events(Reply.streamedCompletion(["ok"]).map { (gate: nil, data: $0) })
    let replies = [Reply.events([]), .events([(nil, chunk([:]))]), .failure(503), .silentBody, good]
    let count = Mutex(0)
    let server = try ScriptedProvider { _ in
      replies[
        count.withLock { count in
          defer { count += 1 }
          return min(count, replies.count - 1)
        }]
    }
    let models = fixture.models(server) {
      $0.retries = 4
      $0.timeoutSeconds = 1
    }
    let reply = try await models.respond(to: .hello, within: .seconds(300)) { [heard] in heard.append($0) }
    #expect(reply.text == "ok")
    #expect(heard.pieces == ["ok"])
    #expect(fixture.time.slept.count == 4)
  }

  @Test("an error inside of the stream is a failure before the first text and an interruption after it")
  func errorInside() async throws {
    let fault = #"{"error":{"message":"no","code":"insufficient_quota"}}"#
    #expect(await failure { try await ask([fault]) }?.kind == .quotaExceeded)
    let reply = try await ask([chunk(["content": "half"]), fault])
    #expect(reply.finishReason == .interrupted)
  }

  @Test("a call without a name does not take back the text before it")
  func namelessCall() async throws {
    let reply = try await ask([
      chunk(["content": "text"]), chunk(["tool_calls": [["index": 0, "id": "a"]]]),
      chunk([:], finishReason: "tool_calls"), "[DONE]",
    ])
    #expect(reply.text == "text")
    #expect(reply.finishReason == .interrupted)
    #expect(heard.pieces == ["text"])
  }

  @Test("a server that does not stream is listened to all the same")
  func notStreamed() async throws {
    let reply = try await ask(ScriptedProvider(.completion("whole")))
    #expect(reply.text == "whole")
    #expect(heard.pieces == ["whole"])
  }

  @Test("chunks without choices, with nulls and with unknown fields are passed over")
  func oddChunks() async throws {
    let reply = try await ask([
      #"{"choices":[],"prompt_filter_results":[]}"#, #"{"choices":null}"#, "not json", "{}",
      #"{"choices":[{"delta":{"content":null,"refusal":null,"tool_calls":null}}],"obfuscation":"xx"}"#,
      chunk(["content": "x"]), chunk([:], finishReason: "length"), "[DONE]",
    ])
    #expect(reply.text == "x")
    #expect(reply.finishReason == .length)
  }

  @Test("an end without [DONE], and one without a finish reason, are ends")
  func ends() async throws {
    #expect(try await ask([chunk(["content": "x"]), chunk([:], finishReason: "stop")]).finishReason == .stop)
    #expect(try await ask([chunk(["content": "x"]), "[DONE]"]).finishReason == .stop)
  }

  @Test("the connection is kept although the answer is over before the body")
  func connection() async throws {
    let gate = Gate()
    let closing = RawJSON(["choices": [["message": ["content": "x"]]]]).bytes
    let server = try ScriptedProvider { request in
      guard request.connection == 0 else { return .pieces([(nil, closing)]) }
      return .events(Reply.streamedCompletion(["x"]).map { (gate: nil, data: $0) }, ending: gate)
    }
    _ = try await ask(server)
    gate.open()
    // Every other connection ends with its answer; the first one serves again once its body has ended.
    repeat { _ = try await ask(server) } while server.requests.last?.connection != 0
    #expect(server.requests.count > 1)
  }

  @Test("cancelling closes the stream")
  func cancellation() async throws {
    let server = try ScriptedProvider(.silentBody)
    let task = Task { try await ask(server) }
    await server.requests(atLeast: 1)
    task.cancel()
    await #expect(throws: CancellationError.self) { try await task.value }
    await server.closedConnections(atLeast: 1)
  }
}
