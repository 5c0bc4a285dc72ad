// SPDX-License-Identifier: Apache-2.0
import Core
import JSONCodec
import Models
import TestSupport
import Testing

/// Every way in which a provider goes wrong on the wire: what the caller gets, and that the next turn works.
@Suite(.timeLimit(.minutes(5))) struct FaultTests {
  typealias Reply = ScriptedProvider.Reply
  let fixture: Fixture
  let heard = Heard()

  init() throws { fixture = try Fixture() }

  /// An answer of two words, streamed or whole, with a mark between them.
  static func answer(isStreamed: Bool) -> Reply {
    isStreamed
      ? .events(Reply.streamedCompletion(["half 🙂", " MARK rest"]).map { (nil, $0) })
      : .completion("half 🙂 MARK rest")
  }

  func models(_ server: ScriptedProvider, retries: Int = 0) -> ModelClient {
    fixture.models(server) {
      $0.retries = retries
      // Silence has to be given up in real time.
      $0.timeoutSeconds = 1
    }
  }

  func ask(_ models: ModelClient, isStreamed: Bool) async throws -> ModelReply {
    try await models.respond(
      to: .hello, within: .seconds(300), onText: heard.listener(if: isStreamed))
  }

  struct Case: Sendable, CustomTestStringConvertible {
    let name: String
    let reply: Reply
    let kind: ModelError.Kind
    var testDescription: String { name }

    init(_ name: String, _ reply: Reply, _ kind: ModelError.Kind) {
      self.name = name
      self.reply = reply
      self.kind = kind
    }
  }

  static let anyFaults = [
    Case("the connection is closed without a word", .close, .connection),
    Case("the connection is reset without a word", .reset, .connection),
    Case("silence", .silence, .timeout),
    Case("what comes is not HTTP", .raw("SSH-2.0-OpenSSH_9.2\r\n\r\n"), .connection),
    Case(
      "the head is cut", answer(isStreamed: false).broken(before: "Content-Length", by: .end), .connection),
    Case("the head stalls", answer(isStreamed: false).broken(before: "Content-Type", by: .stall), .timeout),
    Case("a page for people", .status(200, body: "<html>Sign in</html>"), .badReply),
    Case("nothing at all", .status(200), .badReply),
    Case("JSON that is cut", .status(200, body: #"{"choices":[{"message":{"content":"x"#), .badReply),
    Case("a redirect", .status(302, headers: [("Location", "/elsewhere")]), .badReply),
    Case("overload", .failure(503), .server), Case("a proxy's page", .status(502, body: "<html>"), .server),
    Case("too many requests", .failure(429), .rateLimited),
    Case("no quota", .failure(429, code: "insufficient_quota"), .quotaExceeded),
    Case("a wrong key", .failure(401), .unauthorized), Case("a wrong request", .failure(400), .badRequest),
  ]

  @Test("a fault before the answer is told by its kind", arguments: anyFaults, [false, true])
  func beforeAnswer(fault: Case, isStreamed: Bool) async throws {
    let server = try ScriptedProvider(fault.reply, Self.answer(isStreamed: isStreamed))
    let models = models(server)
    #expect(await failure { try await ask(models, isStreamed: isStreamed) }?.kind == fault.kind)
    #expect(heard.pieces.isEmpty)
    #expect(try await ask(models, isStreamed: isStreamed).text == "half 🙂 MARK rest")
  }

  static let brokenBodies = [
    Case(
      "the body ends in the middle", answer(isStreamed: false).broken(before: "MARK", by: .end), .connection),
    Case("the body is torn off", answer(isStreamed: false).broken(before: "MARK", by: .reset), .connection),
    Case("the body stalls", answer(isStreamed: false).broken(before: "MARK", by: .stall), .timeout),
    Case(
      "garbage in the body",
      .status(
        200, headers: [("Content-Type", "application/json")],
        body: #"{"choices":[{"message":{"content":"half"# + String(repeating: "\u{0}\u{1}", count: 4096)),
      .badReply),
  ]

  @Test("a whole answer that breaks off is no answer", arguments: brokenBodies)
  func whole(fault: Case) async throws {
    let server = try ScriptedProvider(fault.reply, Self.answer(isStreamed: false))
    let models = models(server)
    #expect(await failure { try await ask(models, isStreamed: false) }?.kind == fault.kind)
    #expect(try await ask(models, isStreamed: false).finishReason == .stop)
  }

  static let brokenStreams: [(name: String, fault: Reply.Fault)] = [
    ("it ends in the middle of an event", .end), ("it is torn off", .reset), ("it stalls", .stall),
    ("its framing is garbage", .garbage("\r\nzz\r\n\u{0}\u{0}\r\n")),
    ("an error comes in an event", .garbage("\"}}]}\n\ndata: {\"error\":{\"code\":\"server_error\"}}\n\n")),
  ]

  @Test(
    "a stream that breaks off after its first text is interrupted, and is not asked for again",
    arguments: brokenStreams.indices)
  func afterText(index: Int) async throws {
    // A reset takes away what was not read yet: it waits until the first piece is told.
    let gate = Gate()
    let broken = Self.answer(isStreamed: true)
      .broken(before: "MARK", by: Self.brokenStreams[index].fault, after: gate)
    let server = try ScriptedProvider(broken, Self.answer(isStreamed: true))
    let models = models(server, retries: 2)
    let reply = try await models.respond(to: .hello, within: .seconds(300)) { [heard] pieces in
      heard.append(pieces)
      gate.open()
    }
    #expect(reply.finishReason == .interrupted)
    #expect(heard.pieces.first == "half 🙂" && reply.text.hasPrefix("half 🙂"))
    #expect(reply.usage.isEstimated && reply.usage.outputTokens > 0)
    #expect(server.requests.count == 1)
    #expect(try await ask(models, isStreamed: true).finishReason == .stop)
  }

  @Test("bytes may come in any pieces", arguments: [1, 2, 3, 5, 7, 64], [false, true])
  func pieces(count: Int, isStreamed: Bool) async throws {
    let server = try ScriptedProvider(Self.answer(isStreamed: isStreamed).split(everyBytes: count))
    let reply = try await ask(models(server), isStreamed: isStreamed)
    #expect(reply.text == "half 🙂 MARK rest")
    #expect(reply.finishReason == .stop)
    #expect(!reply.usage.isEstimated)
  }

  @Test("an event without an end is given up, before memory is")
  func endlessEvent() async throws {
    let meter = FloodMeter()
    let flood = Reply.flood(
      Array(repeating: UInt8(ascii: "x"), count: 65_536), bytesMax: 15 << 20, meter: meter)
    let server = try ScriptedProvider(flood, Self.answer(isStreamed: true))
    let models = fixture.models(server) { $0.retries = 0 }
    #expect(await failure { try await ask(models, isStreamed: true) }?.kind == .badReply)
    await server.closedConnections(atLeast: 1)
    #expect(try await ask(models, isStreamed: true).finishReason == .stop)
  }

  @Test("a fault costs an attempt, not the turn: the next one answers", arguments: [false, true])
  func retried(isStreamed: Bool) async throws {
    let server = try ScriptedProvider(.close, .reset, .failure(503), Self.answer(isStreamed: isStreamed))
    let reply = try await ask(models(server, retries: 3), isStreamed: isStreamed)
    #expect(reply.text == "half 🙂 MARK rest")
    #expect(server.requests.count == 4)
  }

  @Test(
    "half a call is never made, whichever way its stream ends", arguments: ["length", "content_filter", ""])
  func halfCall(reason: String) async throws {
    let events = [
      #"{"choices":[{"delta":{"content":"let me"}}]}"#,
      #"{"choices":[{"delta":{"tool_calls":[{"index":0,"id":"a","function":{"name":"pay","arguments":"{\"to\":"}}]}}]}"#,
    ]
    let end = reason.isEmpty ? [] : [#"{"choices":[{"delta":{},"finish_reason":"\#(reason)"}]}"#, "[DONE]"]
    let server = try ScriptedProvider(.events((events + end).map { (nil, $0) }))
    let reply = try await ask(models(server), isStreamed: true)
    #expect(reply.calls.isEmpty)
    #expect(reply.text == "let me")
    #expect(reply.finishReason.rawValue == (reason.isEmpty ? "interrupted" : reason))
  }

  @Test("giving up closes the request, whole or streamed, before and in the middle of the answer")
  func cancellation() async throws {
    for (isStreamed, reply, tells) in [
      (false, Reply.silence, false), (true, .silence, false),
      (true, Self.answer(isStreamed: true).broken(before: "MARK", by: .stall), true),
    ] {
      let server = try ScriptedProvider(reply, Self.answer(isStreamed: isStreamed))
      let models = fixture.models(server)
      let (told, tell) = AsyncStream<Void>.makeStream()
      var onText: TextListener?
      if isStreamed { onText = { _ in tell.finish() } }
      let task = Task { [onText] in
        try await models.respond(to: .hello, within: .seconds(300), onText: onText)
      }
      await server.requests(atLeast: 1)
      if tells { for await _ in told {} }
      task.cancel()
      await #expect(throws: CancellationError.self) { try await task.value }
      await server.closedConnections(atLeast: 1)
      #expect(try await ask(models, isStreamed: isStreamed).finishReason == .stop)
    }
  }
}
