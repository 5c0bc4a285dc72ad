// SPDX-License-Identifier: Apache-2.0
import Core
import JSONCodec
import TestSupport
import Testing
import Transport

@testable import Models

@Suite(.timeLimit(.minutes(5))) struct RetryTests {
  typealias Reply = ScriptedProvider.Reply
  let fixture: Fixture

  init() throws { fixture = try Fixture() }

  @Test("what may pass is asked again", arguments: [408, 409, 429, 500, 502, 503, 529])
  func transient(status: Int) async throws {
    let reply = try await fixture.ask(.failure(status), .failure(status), .completion("ok"))
    #expect(reply.text == "ok")
    #expect(fixture.time.slept.count == 2)
  }

  @Test(
    "the kind of an error follows its status",
    arguments: [
      (400, ModelError.Kind.badRequest), (401, .unauthorized), (403, .unauthorized), (404, .notFound),
      (408, .timeout), (409, .badRequest), (413, .badRequest), (422, .badRequest), (429, .rateLimited),
      (500, .server),
      (503, .server),
    ])
  func kinds(status: Int, kind: ModelError.Kind) async throws {
    let server = try ScriptedProvider(.failure(status, code: "x", message: "because"))
    let failure = await failure {
      try await fixture.models(server).respond(to: .hello, within: .seconds(300), onText: nil)
    }
    #expect(failure?.kind == kind)
    #expect(failure?.status == status)
    #expect(failure?.diagnostic?.contains("because") == true)
    #expect(failure?.message.contains("because") == false)
    #expect(server.requests.count == ([408, 409, 429].contains(status) || status >= 500 ? 3 : 1))
  }

  @Test("the number of attempts is the provider's", arguments: [0, 1, 5])
  func count(retries: Int) async throws {
    let server = try ScriptedProvider(.failure(500))
    let models = fixture.models(server) { $0.retries = retries }
    _ = await failure { try await models.respond(to: .hello, within: .seconds(300), onText: nil) }
    #expect(server.requests.count == retries + 1)
  }

  @Test("waits are anything up to half a second, a second, and so on up to eight")
  func backoff() async throws {
    let provider = Provider(ProviderConfiguration())
    let down = ProviderFailure(
      status: 500, fault: nil, headers: HTTPHeaders(), body: [], provider: provider, now: fixture.time.now)
    func wait(_ attempt: Int, _ jitter: Double) -> Duration? {
      RetryPolicy.delay(
        after: down, attempt: attempt, retries: 9, remaining: .seconds(60), jitter: jitter)
    }
    #expect((1...7).map { wait($0, 1) } == [0.5, 1, 2, 4, 8, 8, 8].map { .seconds($0) })
    #expect((1...7).allSatisfy { wait($0, 0) == .zero && wait($0, 0.5) == wait($0, 1).map { $0 / 2 } })
    #expect(wait(10, 0) == nil)
    let server = try ScriptedProvider(.failure(500))
    let models = fixture.models(server) { $0.retries = 6 }
    _ = await failure {
      try await models.respond(to: .hello, within: .seconds(300), onText: nil)
    }
    let bounds = [0.5, 1, 2, 4, 8, 8].map { Duration.seconds($0) }
    #expect(fixture.time.slept.count == bounds.count)
    #expect(zip(fixture.time.slept, bounds).allSatisfy { $0 >= .zero && $0 <= $1 })
  }

  @Test(
    "the server's own wait is kept to",
    arguments: [
      ([("Retry-After", "3")], 3), ([("retry-after", "1.5")], 1.5), ([("Retry-After-Ms", "250")], 0.25),
      ([("Retry-After-Ms", "250"), ("Retry-After", "9")], 0.25), ([("Retry-After", "120")], 120),
      ([("Retry-After", "Sat, 21 Nov 2026 09:30:07 GMT")], 7),
    ] as [([(String, String)], Double)])
  func serverDelay(headers: [(String, String)], seconds: Double) async throws {
    let headers = headers.map { (name: $0.0, value: $0.1) }
    _ = try await fixture.ask(.failure(429, headers: headers), .completion("ok"))
    #expect(fixture.time.slept == [.seconds(seconds)])
  }

  @Test(
    "a wait that makes no sense is replaced by ours",
    arguments: ["0", "-1", "soon", "nan", "Sat, 21 Nov 2020 09:30:07 GMT"])
  func oddDelay(value: String) async throws {
    _ = try await fixture.ask(.failure(429, headers: [("Retry-After", value)]), .completion("ok"))
    #expect(fixture.time.slept.count == 1)
    #expect(fixture.time.elapsed <= .seconds(0.5))
  }

  @Test("a wait of more than two minutes is not waited for, but told")
  func longDelay() async throws {
    let failure = await failure {
      try await fixture.ask(.failure(429, headers: [("Retry-After", "121")]), .completion("ok"))
    }
    #expect(failure?.kind == .rateLimited)
    #expect(failure?.retryAfterSeconds == 121)
    #expect(fixture.time.slept.isEmpty)
  }

  @Test("the server's word on retrying counts for more than the status")
  func shouldRetry() async throws {
    let no = await failure {
      try await fixture.ask(.failure(500, headers: [("x-should-retry", "false")]), .completion("ok"))
    }
    #expect(no?.kind == .server)
    let yes = try await fixture.ask(.failure(400, headers: [("X-Should-Retry", "true")]), .completion("ok"))
    #expect(yes.text == "ok")
  }

  @Test("not even the server's wish to be asked again makes us wait more than two minutes")
  func shouldRetryMuchLater() async throws {
    let failure = await failure {
      try await fixture.ask(
        .failure(503, headers: [("x-should-retry", "true"), ("Retry-After", "121")]), .completion("ok"))
    }
    #expect(failure?.kind == .server)
    #expect(fixture.time.slept.isEmpty)
  }

  @Test("a quota that is used up is not waited for")
  func quota() async throws {
    let failure = await failure {
      try await fixture.ask(.failure(429, code: "insufficient_quota"), .completion("ok"))
    }
    #expect(failure?.kind == .quotaExceeded)
  }

  @Test(
    "connections that break are tried again",
    arguments: [
      Reply.close, .raw("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"cho"), .raw("garbage\r\n\r\n"),
    ])
  func connection(reply: Reply) async throws {
    #expect(try await fixture.ask(reply, .completion("ok")).text == "ok")
    #expect(fixture.time.slept.count == 1)
  }

  @Test("a provider that is not there is a connection error")
  func unreachable() async throws {
    // A port that a test has given back may be another test's by now; nothing listens on this one.
    let models = fixture.models(
      ModelClient.Configuration(providers: [ProviderConfiguration(baseURL: "http://127.0.0.1:1/v1")]))
    let failure = await failure { try await models.respond(to: .hello, within: .seconds(300), onText: nil) }
    #expect(failure?.kind == .connection)
    #expect(fixture.time.slept.count == 2)
  }

  @Test("an attempt that takes too long is given up and tried again")
  func timeout() async throws {
    let server = try ScriptedProvider(.silence)
    let models = fixture.models(server) { $0.timeoutSeconds = 0.5 }
    let failure = await failure { try await models.respond(to: .hello, within: .seconds(300), onText: nil) }
    #expect(failure?.kind == .timeout)
    #expect(server.requests.count == 3)
  }

  @Test("no wait goes beyond the deadline")
  func deadline() async throws {
    let failure = await failure {
      try await fixture.ask(
        .failure(503, headers: [("Retry-After", "10")]), .completion("ok"), within: .seconds(9))
    }
    #expect(failure?.kind == .server)
    #expect(failure?.retryAfterSeconds == 10)
    #expect(fixture.time.slept.isEmpty)
  }

  @Test("without time nothing is sent")
  func noTime() async throws {
    let server = try ScriptedProvider(.completion("ok"))
    let failure = await failure {
      try await fixture.models(server).respond(to: .hello, within: .zero, onText: nil)
    }
    #expect(failure?.kind == .timeout)
    #expect(server.requests.isEmpty)
  }

  @Test("cancelling stops the request")
  func cancellation() async throws {
    let server = try ScriptedProvider(.silence)
    let models = fixture.models(server)
    let task = Task { try await models.respond(to: .hello, within: .seconds(300), onText: nil) }
    await server.requests(atLeast: 1)
    task.cancel()
    await #expect(throws: CancellationError.self) { try await task.value }
    await server.closedConnections(atLeast: 1)
    #expect(server.requests.count == 1)
  }

  @Test(
    "the next model is tried when one is down",
    arguments: [
      Reply.failure(500), .failure(401), .failure(404), .failure(429, code: "insufficient_quota"), .json([:]),
    ])
  func fallback(reply: Reply) async throws {
    let down = try ScriptedProvider(reply)
    let up = try ScriptedProvider(.completion("here"))
    let models = fixture.models(
      ModelClient.Configuration(
        providers: [
          ProviderConfiguration(name: "a", baseURL: down.baseURL),
          ProviderConfiguration(name: "b", baseURL: up.baseURL),
        ]))
    let answer = try await models.respond(
      to: ModelRequest(models: ["one", "b/two"], messages: [.user("x")]), within: .seconds(300), onText: nil)
    #expect(answer.text == "here")
    #expect(answer.model == "b/two")
    #expect(up.requests.count == 1)
  }

  @Test("a request that is itself wrong is not taken elsewhere")
  func noFallback() async throws {
    let server = try ScriptedProvider(.failure(400))
    let failure = await failure {
      try await fixture.models(server).respond(
        to: ModelRequest(models: ["one", "two"], messages: [.user("x")]), within: .seconds(300), onText: nil)
    }
    #expect(failure?.kind == .badRequest)
    #expect(server.requests.count == 1)
  }

  @Test("when all models fail, the first one's error is told")
  func allFail() async throws {
    let server = try ScriptedProvider { $0.json["model"] == "one" ? .failure(401) : .failure(500) }
    let failure = await failure {
      try await fixture.models(server).respond(
        to: ModelRequest(models: ["one", "two"], messages: [.user("x")]), within: .seconds(300), onText: nil)
    }
    #expect(failure?.kind == .unauthorized)
  }

  @Test("without a provider the model is not configured")
  func noProvider() async throws {
    let models = fixture.models(ModelClient.Configuration(providers: []))
    let failure = await failure { try await models.respond(to: .hello, within: .seconds(300), onText: nil) }
    #expect(failure?.kind == .notConfigured)
  }
}
