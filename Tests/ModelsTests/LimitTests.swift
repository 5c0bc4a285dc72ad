// SPDX-License-Identifier: Apache-2.0
import Core
import Logging
import Models
import Synchronization
import TestSupport
import Testing

/// Limits in their place: between real requests.
@Suite(.timeLimit(.minutes(5))) struct LimitTests {
  typealias Reply = ScriptedProvider.Reply
  let fixture: Fixture

  init() throws { fixture = try Fixture() }

  static func answer(_ text: String = "ok", headers: [(String, String)]) -> Reply {
    .status(
      200, headers: headers.map { (name: $0.0, value: $0.1) },
      body: #"{"choices":[{"message":{"content":"\#(text)"},"finish_reason":"stop"}]}"#)
  }

  func ask(_ models: ModelClient, _ name: String = "m", within deadline: Double = 300) async throws {
    _ = try await models.respond(
      to: ModelRequest(models: [name], messages: [.user("x")]), within: .seconds(deadline), onText: nil)
  }

  @Test("beyond the configured requests we wait, all models of the provider together")
  func requestsPerMinute() async throws {
    let server = try ScriptedProvider(.completion("ok"))
    let models = fixture.models(server) { $0.requestsPerMinute = 2 }
    for name in ["a", "b", "c", "d", "e"] { try await ask(models, name) }
    #expect(fixture.time.slept == [.seconds(61), .seconds(61)])
    #expect(server.requests.count == 5)
  }

  @Test("beyond the configured tokens we wait, and what was booked too much is given back")
  func tokensPerMinute() async throws {
    let server = try ScriptedProvider(.completion("ok", inputTokens: 300, outputTokens: 100))
    let models = fixture.models(server) { $0.tokensPerMinute = 1000 }
    let request = ModelRequest(models: [], messages: [.user("x")], tokensMax: 500)
    for _ in 0..<2 { _ = try await models.respond(to: request, within: .seconds(300), onText: nil) }
    #expect(fixture.time.slept.isEmpty)
    _ = try await models.respond(to: request, within: .seconds(300), onText: nil)
    #expect(fixture.time.slept == [.seconds(61)])
  }

  @Test("a wait beyond the deadline is not begun: the next model is asked, or the caller told when to come")
  func deadline() async throws {
    let limited = try ScriptedProvider(.completion("first"))
    let other = try ScriptedProvider(.completion("other"))
    let models = fixture.models(
      ModelClient.Configuration(
        providers: [
          ProviderConfiguration(name: "a", baseURL: limited.baseURL, requestsPerMinute: 1),
          ProviderConfiguration(name: "b", baseURL: other.baseURL),
        ]))
    try await ask(models, "a/x", within: 30)
    let late = await failure { try await ask(models, "a/x", within: 30) }
    #expect(late?.kind == .rateLimited)
    #expect(late?.retryAfterSeconds == 61)
    let reply = try await models.respond(
      to: ModelRequest(models: ["a/x", "b/x"], messages: [.user("x")]), within: .seconds(30), onText: nil)
    #expect(reply.text == "other")
    #expect(fixture.time.slept.isEmpty)
    #expect(limited.requests.count == 1)
  }

  @Test("what a provider says about its limits is kept to", arguments: [false, true])
  func learned(isStreamed: Bool) async throws {
    let headers = [
      ("x-ratelimit-limit-requests", "1"), ("x-ratelimit-remaining-requests", "0"),
      ("x-ratelimit-reset-requests", "6m0s"),
    ]
    let server = try ScriptedProvider(Self.answer(headers: headers))
    let models = fixture.models(server)
    for _ in 0..<2 {
      _ = try await models.respond(
        to: .hello, within: .seconds(400), onText: Heard().listener(if: isStreamed))
    }
    #expect(fixture.time.slept == [.seconds(360)])
    let late = await failure { try await models.respond(to: .hello, within: .seconds(359), onText: nil) }
    #expect(late?.kind == .rateLimited)
    #expect(late?.retryAfterSeconds == 360)
    #expect(server.requests.count == 2)
  }

  @Test("after a refusal all callers wait, not only the one that was refused")
  func refusal() async throws {
    let count = Mutex(0)
    let server = try ScriptedProvider { _ in
      count.withLock {
        $0 += 1
        return $0
      } == 1 ? .failure(429, headers: [("Retry-After", "7")]) : .completion("ok")
    }
    let models = fixture.models(server) { $0.retries = 0 }
    #expect(await failure { try await ask(models) }?.kind == .rateLimited)
    try await ask(models)
    #expect(fixture.time.slept == [.seconds(7)])
    try await ask(models)
    #expect(fixture.time.slept.count == 1)
  }

  @Test("numbers that mean nothing hold nobody up")
  func meaningless() async throws {
    let server = try ScriptedProvider(
      Self.answer(headers: [
        ("x-ratelimit-remaining-requests", "-1"), ("x-ratelimit-remaining-tokens", "0"),
        ("x-ratelimit-reset-tokens", "0"),
      ]))
    let models = fixture.models(server)
    for _ in 0..<3 { try await ask(models) }
    #expect(fixture.time.slept.isEmpty)
  }

  @Test("who is cancelled while waiting sends nothing and makes room")
  func cancellation() async throws {
    let server = try ScriptedProvider(.completion("ok"))
    let time = StandingTime()
    let models = ModelClient(
      configuration: ModelClient.Configuration(providers: [
        ProviderConfiguration(baseURL: server.baseURL, requestsPerMinute: 1)
      ]), client: fixture.client, time: time, logger: Logger(label: "models"))
    try await ask(models)
    for _ in 0..<3 {
      let waiting = Task { try await ask(models) }
      #expect(await time.nextSleep() == .seconds(61))
      waiting.cancel()
      await #expect(throws: CancellationError.self) { try await waiting.value }
    }
    #expect(server.requests.count == 1)
  }
}
