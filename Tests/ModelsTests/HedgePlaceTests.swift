// SPDX-License-Identifier: Apache-2.0
import Core
import TestSupport
import Testing

@testable import Models

/// Second requests between limits, breakers, listeners and cassettes.
@Suite("The place of hedged requests", .timeLimit(.minutes(5)))
struct HedgePlaceTests {
  typealias Reply = ScriptedProvider.Reply
  private let fixture: HedgeFixture

  init() throws { fixture = try HedgeFixture() }

  private func ask(_ models: ModelClient) async throws -> ModelReply {
    try await models.respond(to: .hello, within: .seconds(300), onText: nil)
  }

  @Test(
    "the limits of a minute count it, and where they have no room there is none", arguments: [false, true])
  func configuredLimits(ofTokens: Bool) async throws {
    let server = try NumberedProvider(.completion("first").held(by: fixture.refused))
    let models = fixture.models(server) {
      if ofTokens { $0.tokensPerMinute = 20 } else { $0.requestsPerMinute = 1 }
    }
    async let reply = ask(models)
    await fixture.passDelay(server)
    #expect(try await reply.text == "first")
    #expect(server.requests.count == 1 && fixture.time.slept == [.seconds(2)])
  }

  @Test("a second request takes its place in the minute")
  func takesPlace() async throws {
    let server = try NumberedProvider(.silence, .completion("ok"))
    let models = fixture.models(server) { $0.requestsPerMinute = 2 }
    async let reply = ask(models)
    await fixture.passDelay(server)
    #expect(try await reply.text == "ok")
    let next = Task { try await ask(models) }
    #expect(await fixture.time.nextSleep() == .seconds(59))
    next.cancel()
    await #expect(throws: CancellationError.self) { try await next.value }
  }

  @Test("what the provider said of its limits counts, too")
  func learnedLimits() async throws {
    let headers = [
      ("x-ratelimit-limit-requests", "9"), ("x-ratelimit-remaining-requests", "1"),
      ("x-ratelimit-reset-requests", "6m0s"),
    ]
    let refused = fixture.refused
    let server = try NumberedProvider {
      let answer = LimitTests.answer(headers: headers)
      return $0 == 1 ? answer : answer.held(by: refused)
    }
    let models = fixture.models(server)
    _ = try await ask(models)
    #expect(await fixture.time.nextSleep() == .seconds(2))
    await server.next()
    async let reply = ask(models)
    await fixture.passDelay(server)
    #expect(try await reply.text == "ok")
    #expect(server.requests.count == 2)
  }

  @Test("a model that is left alone is not asked a second time")
  func openBreaker() async throws {
    let refused = fixture.refused
    let server = try NumberedProvider {
      $0 == 1 ? .completion("first").held(by: refused) : .failure(500)
    }
    let models = fixture.models(server)
    async let reply = ask(models)
    await server.next()
    for _ in 0..<5 { #expect(await failure { try await ask(models) }?.kind == .server) }
    #expect(models.health.map(\.state) == [.open])
    for _ in 0..<6 { #expect(await fixture.time.nextSleep() == .seconds(2)) }
    fixture.time.wake()
    #expect(try await reply.text == "first")
    #expect(server.requests.count == 6)
  }

  @Test("one call, each of its attempts asked twice, does not open the breaker alone")
  func oneCall() async throws {
    let gates = [Gate(), Gate(), Gate()]
    let server = try NumberedProvider { number in
      let gate = gates[min((number - 1) / 2, 2)]
      guard number % 2 == 0 else { return .failure(500).held(by: gate) }
      gate.open()
      return .failure(500)
    }
    let models = fixture.models(server) { $0.retries = 2 }
    async let error = failure { try await ask(models) }
    for attempt in 0..<3 {
      await fixture.passDelay(server)
      await server.next()
      guard attempt < 2 else { break }
      // The wait before the retry: up to 0.5 s, then up to 1 s.
      #expect(await fixture.time.nextSleep() ?? .seconds(9) <= .seconds(1))
      fixture.time.wake()
    }
    #expect(await error?.kind == .server)
    #expect(server.requests.count == 6 && models.health.map(\.state) == [.closed])
  }

  @Test("the one that is closed is no failure of the model, however often")
  func breakerKnowsNothing() async throws {
    let server = try NumberedProvider { $0 % 2 == 1 ? .silence : .completion("ok") }
    let models = fixture.models(server)
    // Half of the last twenty would be enough to open it.
    for _ in 0..<11 {
      async let reply = ask(models)
      await fixture.passDelay(server)
      await server.next()
      #expect(try await reply.text == "ok")
    }
    #expect(models.health.map(\.state) == [.closed])
    #expect(models.health.map(\.hedges.won) == [11])
  }

  @Test("one of the two tells, however soon the other would, and a cassette has the one")
  func oneTells() async throws {
    let (rest, late) = (Gate(), Gate())
    let words = Reply.streamedCompletion(["slow", " words"]).map { "data: \($0)\n\n" }.joined()
    let slow = Reply.pieces([(late, Array(words.utf8))], headers: [("Content-Type", "text/event-stream")])
    let quick = Reply.streamedCompletion(["quick", " words"]).enumerated().map {
      ($0.offset == 1 ? rest : nil, $0.element)
    }
    let server = try NumberedProvider(slow, .events(quick))
    let folder = try TapeFolder()
    let path = folder.path + "/tape.jsonl"
    let normalization = RequestNormalization(defaultModel: "gpt-4o-mini", secrets: [])
    let models = try RecordingModel(fixture.models(server), to: path, normalization: normalization)
    #expect(models.askedAtOnce(of: []) == 2)
    let heard = Heard()
    let (begun, told) = AsyncStream<Never>.makeStream()
    async let reply = models.respond(to: .hello, within: .seconds(300)) { pieces in
      heard.append(pieces)
      told.finish()
    }
    await fixture.passDelay(server)
    for await _ in begun {}
    // What the first says now is too late; the server ends the connection when it has.
    late.open()
    await server.closedConnections(atLeast: 1)
    #expect(heard.pieces == ["quick"])
    rest.open()
    #expect(try await reply.text == "quick words")
    #expect(heard.pieces == ["quick", " words"])
    let played = PlaybackModel(try Cassette.load(path), of: StubModel(), normalization: normalization)
    let again = Heard()
    _ = try await played.respond(to: .hello, within: .seconds(1), onText: again.listener())
    #expect(again.pieces == heard.pieces)
  }

  @Test("a call of a tool begins an answer as a word does")
  func callBegins() async throws {
    let rest = Gate()
    let call =
      #"{"choices":[{"delta":{"tool_calls":[{"index":0,"id":"c1","function":{"name":"add","arguments":"{}"}}]}}]}"#
    let end = #"{"choices":[{"delta":{},"finish_reason":"tool_calls"}]}"#
    let server = try NumberedProvider(.silence, .events([(nil, call), (rest, end), (nil, "[DONE]")]))
    let models = fixture.models(server)
    async let reply = models.respond(to: .hello, within: .seconds(300), onText: Heard().listener())
    await fixture.passDelay(server)
    // The first is closed while the second has not come to its end.
    await server.closedConnections(atLeast: 1)
    rest.open()
    #expect(try await reply.calls.map(\.name) == ["add"])
  }

  @Test("a stream that is open and says nothing is as slow as none")
  func headWithoutWords() async throws {
    let empty = #"{"choices":[{"delta":{"role":"assistant","content":""}}]}"#
    let never = Gate()
    let server = try NumberedProvider(
      .events([(nil, empty), (never, "[DONE]")]), .answer("second", isStreamed: true))
    let models = fixture.models(server)
    async let reply = models.respond(to: .hello, within: .seconds(300), onText: Heard().listener())
    await fixture.passDelay(server)
    #expect(try await reply.text == "second")
    never.open()
  }
}
