// SPDX-License-Identifier: Apache-2.0
import Core
import JSONCodec
import Models
import Synchronization
import TestSupport
import Testing

/// The breaker in its place: between real requests.
@Suite(.timeLimit(.minutes(5))) struct BreakerTests {
  typealias Reply = ScriptedProvider.Reply
  let fixture: Fixture

  init() throws { fixture = try Fixture() }

  func ask(_ models: ModelClient, _ names: [String] = []) async throws -> ModelReply {
    try await models.respond(
      to: ModelRequest(models: names, messages: [.user("x")]), within: .seconds(300), onText: nil)
  }

  @Test("a model that keeps failing is not asked for a while, and says when to come back")
  func opens() async throws {
    let server = try ScriptedProvider(.failure(500))
    let models = fixture.models(server) { $0.retries = 0 }
    for _ in 0..<5 { #expect(await failure { try await ask(models) }?.kind == .server) }
    let refused = await failure { try await ask(models) }
    #expect(refused?.kind == .unavailable)
    #expect(refused?.retryAfterSeconds == 1)
    #expect(server.requests.count == 5)
    #expect(models.health.map(\.state) == [.open])
    #expect(fixture.logs.lines.contains { $0.contains("left alone") })
  }

  @Test("when its time is over it is asked once, and an answer makes all well")
  func recovers() async throws {
    let isUp = Mutex(false)
    let server = try ScriptedProvider { _ in isUp.withLock { $0 } ? .completion("back") : .failure(503) }
    let models = fixture.models(server) { $0.retries = 0 }
    for _ in 0..<5 { _ = await failure { try await ask(models) } }
    try await fixture.time.sleep(for: .seconds(1))
    _ = await failure { try await ask(models) }
    #expect(server.requests.count == 6)
    #expect(await failure { try await ask(models) }?.retryAfterSeconds == 2)
    isUp.withLock { $0 = true }
    try await fixture.time.sleep(for: .seconds(2))
    #expect(try await ask(models).text == "back")
    #expect(models.health == [ModelHealth(provider: "openai", model: "gpt-4o-mini", state: .closed)])
  }

  @Test("while the probe is under way nobody else is let through")
  func oneProbe() async throws {
    let gate = Gate()
    let count = Mutex(0)
    let server = try ScriptedProvider { _ in
      let number = count.withLock { count in
        count += 1
        return count
      }
      return number <= 5 ? .failure(500) : .completion("back").held(by: gate)
    }
    let models = fixture.models(server) { $0.retries = 0 }
    for _ in 0..<5 { _ = await failure { try await ask(models) } }
    try await fixture.time.sleep(for: .seconds(1))
    async let probe = ask(models)
    await server.requests(atLeast: 6)
    #expect(models.health.map(\.state) == [.probing])
    #expect(await failure { try await ask(models) }?.kind == .unavailable)
    gate.open()
    #expect(try await probe.text == "back")
    #expect(server.requests.count == 6)
  }

  @Test("a probe that its caller gives up does not keep the model closed off")
  func cancelledProbe() async throws {
    let count = Mutex(0)
    let server = try ScriptedProvider { _ in
      let number = count.withLock { count in
        count += 1
        return count
      }
      return number <= 5 ? .failure(500) : number == 6 ? .silence : .completion("back")
    }
    let models = fixture.models(server) { $0.retries = 0 }
    for _ in 0..<5 { _ = await failure { try await ask(models) } }
    try await fixture.time.sleep(for: .seconds(1))
    let probe = Task { try await ask(models) }
    await server.requests(atLeast: 6)
    probe.cancel()
    await #expect(throws: CancellationError.self) { try await probe.value }
    #expect(try await ask(models).text == "back")
  }

  @Test("another model of the list answers at once while the first is left alone")
  func fallback() async throws {
    let server = try ScriptedProvider { $0.json["model"] == "one" ? .failure(500) : .completion("two") }
    let models = fixture.models(server) { $0.retries = 0 }
    for _ in 0..<8 { #expect(try await ask(models, ["one", "two"]).text == "two") }
    #expect(server.requests.filter { $0.json["model"] == "one" }.count == 5)
    #expect(models.health.map(\.model) == ["one", "two"])
    #expect(models.health.map(\.state) == [.open, .closed])
  }

  @Test("a failure that was seen is told before a model that was not asked")
  func tellsMore() async throws {
    let server = try ScriptedProvider { $0.json["model"] == "one" ? .failure(500) : .failure(401) }
    let models = fixture.models(server) { $0.retries = 0 }
    for _ in 0..<5 { _ = await failure { try await ask(models, ["one"]) } }
    #expect(await failure { try await ask(models, ["one", "two"]) }?.kind == .unauthorized)
  }

  @Test("with every model left alone the soonest is told")
  func allOpen() async throws {
    let server = try ScriptedProvider {
      .failure(503, headers: $0.json["model"] == "one" ? [("Retry-After", "30")] : [])
    }
    let models = fixture.models(server) { $0.retries = 0 }
    for _ in 0..<5 { _ = await failure { try await ask(models, ["one", "two"]) } }
    let refused = await failure { try await ask(models, ["one", "two"]) }
    #expect(refused?.kind == .unavailable)
    #expect(refused?.retryAfterSeconds == 1)
  }

  @Test(
    "a model that refuses, or limits, is a model that works",
    arguments: [Reply.failure(400), .failure(401), .failure(404), .failure(429), .failure(409)])
  func refusals(reply: Reply) async throws {
    let server = try ScriptedProvider(reply)
    let models = fixture.models(server) { $0.retries = 0 }
    for _ in 0..<12 { _ = await failure { try await ask(models) } }
    #expect(server.requests.count == 12)
    #expect(models.health.map(\.state) == [.closed])
  }

  @Test("answers that break off in the middle count as failures")
  func interruptions() async throws {
    let server = try ScriptedProvider(
      .events([(nil, #"{"choices":[{"delta":{"content":"half"}}]}"#)]))
    let models = fixture.models(server) { $0.retries = 0 }
    for _ in 0..<5 {
      let reply = try await models.respond(to: .hello, within: .seconds(300)) { _ in }
      #expect(reply.finishReason == .interrupted)
    }
    #expect(await failure { try await ask(models) }?.kind == .unavailable)
  }

  @Test("a call whose retries meet a breaker tells what it saw")
  func retriesMeetBreaker() async throws {
    let server = try ScriptedProvider(.failure(500))
    let models = fixture.models(server) { $0.retries = 2 }
    for _ in 0..<2 { #expect(await failure { try await ask(models) }?.kind == .server) }
    #expect(server.requests.count == 6)
    #expect(models.health.map(\.state) == [.open])
    #expect(await failure { try await ask(models) }?.kind == .unavailable)
  }

  @Test("a provider that is left alone does not close off another, nor does one model close off its sister")
  func separate() async throws {
    let down = try ScriptedProvider(.failure(500))
    let up = try ScriptedProvider { $0.json["model"] == "bad" ? .failure(500) : .completion("ok") }
    let models = fixture.models(
      ModelClient.Configuration(
        providers: [
          ProviderConfiguration(name: "a", baseURL: down.baseURL, retries: 0),
          ProviderConfiguration(name: "b", baseURL: up.baseURL, retries: 0),
        ]))
    for _ in 0..<6 { _ = await failure { try await ask(models, ["a/bad"]) } }
    for _ in 0..<6 { _ = await failure { try await ask(models, ["b/bad"]) } }
    #expect(try await ask(models, ["b/good"]).text == "ok")
  }
}
