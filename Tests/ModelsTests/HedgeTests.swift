// SPDX-License-Identifier: Apache-2.0
import Core
import JSONCodec
import Models
import TestSupport
import Testing

/// Slow requests that are made a second time, streamed and whole.
@Suite("Hedged requests", .timeLimit(.minutes(5)))
struct HedgeTests {
  typealias Reply = ScriptedProvider.Reply
  private let fixture: HedgeFixture

  init() throws { fixture = try HedgeFixture() }

  private func ask(
    _ models: ModelClient, isStreamed: Bool = false, within deadline: Duration = .seconds(300)
  ) async throws -> ModelReply {
    try await models.respond(to: .hello, within: deadline, onText: Heard().listener(if: isStreamed))
  }

  private func hedges(_ models: ModelClient) -> [Int] {
    models.health.flatMap { [$0.hedges.won, $0.hedges.lost] }
  }

  @Test("without it nobody looks at the time, and one request is made", arguments: [false, true])
  func off(isStreamed: Bool) async throws {
    let server = try NumberedProvider(.answer("ok", isStreamed: isStreamed))
    let models = fixture.models(server, hedge: 0)
    #expect(models.askedAtOnce(of: []) == 1)
    #expect(try await ask(models, isStreamed: isStreamed).text == "ok")
    #expect(fixture.time.slept.isEmpty && server.requests.count == 1)
  }

  @Test("an answer in time is asked for once", arguments: [false, true])
  func inTime(isStreamed: Bool) async throws {
    let server = try NumberedProvider(.answer("ok", isStreamed: isStreamed))
    let models = fixture.models(server)
    #expect(models.askedAtOnce(of: []) == 2)
    let usage = try await ask(models, isStreamed: isStreamed).usage
    #expect(usage == Usage(inputTokens: 10, outputTokens: 5, costUSD: 15e-6))
    #expect(server.requests.count == 1 && hedges(models) == [0, 0])
  }

  @Test("a silent one is asked again: the second answers, and the first is closed", arguments: [false, true])
  func secondAnswers(isStreamed: Bool) async throws {
    let server = try NumberedProvider(.silence, .answer("second", isStreamed: isStreamed))
    let models = fixture.models(server)
    async let reply = ask(models, isStreamed: isStreamed)
    await fixture.passDelay(server)
    #expect(try await reply.text == "second")
    await server.closedConnections(atLeast: 1)
    #expect(server.requests.map(\.connection) == [0, 1])
    #expect(server.requests.first?.body == server.requests.last?.body)
    #expect(hedges(models) == [1, 0])
  }

  @Test("the first may answer still: then the second is closed", arguments: [false, true])
  func firstAnswers(isStreamed: Bool) async throws {
    let gate = Gate()
    let server = try NumberedProvider(.answer("first", isStreamed: isStreamed).held(by: gate), .silence)
    let models = fixture.models(server)
    async let reply = ask(models, isStreamed: isStreamed)
    await fixture.passDelay(server)
    await server.next()
    gate.open()
    #expect(try await reply.text == "first")
    await server.closedConnections(atLeast: 1)
    #expect(hedges(models) == [0, 1])
  }

  @Test("one that fails before its time is tried again as ever", arguments: [false, true])
  func failsEarly(isStreamed: Bool) async throws {
    let server = try NumberedProvider(.failure(500), .answer("ok", isStreamed: isStreamed))
    let models = fixture.models(server) { $0.retries = 1 }
    async let reply = ask(models, isStreamed: isStreamed)
    #expect(await fixture.time.nextSleep() == .seconds(2))
    #expect(await fixture.time.nextSleep() ?? .seconds(9) <= .milliseconds(500))
    fixture.time.wake()
    #expect(try await reply.text == "ok")
    #expect(server.requests.count == 2 && hedges(models) == [0, 0])
  }

  @Test("when one of the two fails the other decides", arguments: [1, 2], [false, true])
  func oneFails(number: Int, isStreamed: Bool) async throws {
    let (failing, answering) = (Gate(), Gate())
    let server = try NumberedProvider {
      $0 == number
        ? .reset.held(by: failing) : .answer("the other", isStreamed: isStreamed).held(by: answering)
    }
    let models = fixture.models(server)
    async let reply = ask(models, isStreamed: isStreamed)
    await fixture.passDelay(server)
    await server.next()
    failing.open()
    await server.closedConnections(atLeast: 1)
    answering.open()
    #expect(try await reply.text == "the other")
    #expect(fixture.time.slept == [.seconds(2)] && server.requests.count == 2)
  }

  @Test("when both fail it is one failed attempt, and is tried again")
  func bothFail() async throws {
    let gate = Gate()
    let server = try NumberedProvider { $0 < 3 ? .failure(503).held(by: gate) : .completion("ok") }
    let models = fixture.models(server) { $0.retries = 1 }
    async let reply = ask(models)
    await fixture.passDelay(server)
    await server.next()
    gate.open()
    #expect(await fixture.time.nextSleep() ?? .seconds(9) <= .milliseconds(500))
    fixture.time.wake()
    #expect(try await reply.text == "ok")
    #expect(server.requests.count == 3 && hedges(models) == [0, 1])
  }

  @Test("both have the run's deadline", arguments: [false, true])
  func deadline(isStreamed: Bool) async throws {
    let server = try NumberedProvider(.silence)
    async let error = failure {
      try await ask(fixture.models(server), isStreamed: isStreamed, within: .seconds(4))
    }
    await fixture.passDelay(server)
    #expect(await error?.kind == .timeout)
    // Both, unless this machine is so slow that the first was over before the second was due.
    await server.closedConnections(atLeast: server.requests.count)
  }

  @Test("who is cancelled closes both, and both are counted", arguments: [false, true])
  func cancellation(isStreamed: Bool) async throws {
    let server = try NumberedProvider(.silence)
    let models = fixture.models(server)
    let asking = Task { try await ask(models, isStreamed: isStreamed) }
    await fixture.passDelay(server)
    await server.next()
    asking.cancel()
    // The caller knows of one request itself; this is the other.
    let cancelled = await #expect(throws: ChargedCancellation.self) { try await asking.value }
    let body = try #require(server.requests.first?.body)
    #expect(cancelled?.usage.inputTokens == Usage.estimatedTokens(bytes: body.count))
    await server.closedConnections(atLeast: 2)
  }

  @Test("the one that is closed is counted with what it was sent", arguments: [false, true])
  func charges(isStreamed: Bool) async throws {
    let server = try NumberedProvider(.silence, .answer("second", isStreamed: isStreamed))
    let models = fixture.models(server)
    async let reply = ask(models, isStreamed: isStreamed)
    await fixture.passDelay(server)
    let usage = try await reply.usage
    let sent = Usage.estimatedTokens(bytes: try #require(server.requests.first?.body.count))
    #expect(usage.inputTokens == 10 + sent && usage.outputTokens == 5 && usage.isEstimated)
    #expect(abs((usage.costUSD ?? 0) - Double(usage.tokens) / 1_000_000) < 1e-12)
  }

  @Test("vectors are asked for a second time, too")
  func embeddings() async throws {
    let vectors: JSON = ["data": [["embedding": [1]]], "usage": ["prompt_tokens": 3]]
    let server = try NumberedProvider(.silence, .json(vectors))
    let models = fixture.models(server)
    async let reply = models.embed(
      EmbeddingRequest(model: "gpt-4o-mini", inputs: ["x"]), within: .seconds(60))
    await fixture.passDelay(server)
    #expect(try await reply.vectors == [[1]])
    let sent = Usage.estimatedTokens(bytes: try #require(server.requests.first?.body.count))
    #expect(try await reply.usage.inputTokens == 3 + sent)
    await server.closedConnections(atLeast: 1)
  }
}
