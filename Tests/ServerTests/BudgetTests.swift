// SPDX-License-Identifier: Apache-2.0
import Core
import JSONCodec
import Storage
import Testing

@Suite("Budgets")
struct BudgetTests {
  /// Takes 100 tokens for every answer.
  private struct Talker: Model {
    func isConfigured(for models: [String]) -> Bool { true }
    func respond(
      to request: ModelRequest, within deadline: Duration, onText: TextListener?
    ) async throws -> ModelReply {
      ModelReply(
        model: "m", text: "Yes.", finishReason: .stop, usage: Usage(inputTokens: 60, outputTokens: 40))
    }
  }

  private static let agent = ScriptedAgent(
    Agent(name: "talker", file: "agents/talker.lua", tokensMax: 40, body: .prompt(.constant(""))))

  private static func chat(_ server: TestServer, session: String) async throws -> WireResponse {
    try await server.chat("talker", #"{"message":"hi","session_id":"\#(session)"}"#)
  }

  /// Says nothing until it is let.
  private struct Held: Model {
    let goOn = Signal()
    func isConfigured(for models: [String]) -> Bool { true }
    func respond(
      to request: ModelRequest, within deadline: Duration, onText: TextListener?
    ) async throws -> ModelReply {
      try await goOn.wait()
      return ModelReply(model: "m", text: "Yes.", finishReason: .stop)
    }
  }

  @Test("a server that is full lets some wait for their turn, and tells others when to come back")
  func full() async throws {
    var limits = Runner.Limits(runsMax: 1)
    (limits.runsQueuedMax, limits.queueTime) = (1, .seconds(300))
    let model = Held()
    try await TestServer.run(agents: [Self.agent], model: model, limits: limits) { server in
      async let first = Self.chat(server, session: "a")
      try await server.taken(1)
      async let second = Self.chat(server, session: "b")
      try await server.taken(2)
      let third = try await Self.chat(server, session: "c")
      #expect(third.status == 503 && third.headers["retry-after"] == "1")
      #expect(try third.json["code"] == "limit")
      let metrics = try await server.send("GET", "/metrics").text
      #expect(
        metrics.contains("\nperigee_runs_in_progress 1\n") && metrics.contains("\nperigee_runs_queued 1\n"))
      model.goOn.send()
      #expect(try await first.status == 200)
      #expect(try await second.status == 200)
      #expect(try await Self.chat(server, session: "c").status == 200)
    }
  }

  @Test("who waits too long for a turn is told to come back, in a stream too, and nothing is kept of it")
  func impatient() async throws {
    var limits = Runner.Limits(runsMax: 1)
    (limits.runsQueuedMax, limits.queueTime) = (2, .milliseconds(1))
    let model = Held()
    try await TestServer.run(agents: [Self.agent], model: model, limits: limits) { server in
      async let first = Self.chat(server, session: "a")
      try await server.taken(1)
      #expect(try await Self.chat(server, session: "b").status == 503)
      let streamed = try await server.chat("talker", #"{"message":"hi","session_id":"b","stream":true}"#)
      #expect(streamed.text.contains("event: error") || streamed.status == 503)
      #expect(try await server.store.runs(visibleTo: .everyone, page: PageRequest()).items.count == 1)
      model.goOn.send()
      #expect(try await first.status == 200)
    }
  }

  @Test("a user's day has an end, whatever the session, and the answer says when the next one begins")
  func day() async throws {
    let limits = Runner.Limits(day: SpendingLimits(tokens: 210))
    try await TestServer.run(agents: [Self.agent], model: Talker(), limits: limits) { server in
      #expect(try await Self.chat(server, session: "a").status == 200)
      #expect(try await Self.chat(server, session: "b").status == 200)
      let refused = try await Self.chat(server, session: "c")
      #expect(refused.status == 429)
      #expect(try refused.json["code"] == "rate_limited")
      let wait = try #require(refused.headers["retry-after"].flatMap { Int($0) })
      #expect((1...86_400).contains(wait))
    }
  }

  @Test("a session has an end, and the next one begins anew; what was spent is remembered")
  func session() async throws {
    let limits = Runner.Limits(session: SpendingLimits(tokens: 110))
    try await TestServer.run(agents: [Self.agent], model: Talker(), limits: limits) { server in
      #expect(try await Self.chat(server, session: "a").status == 200)
      let refused = try await Self.chat(server, session: "a")
      #expect(refused.status == 500)
      #expect(try refused.json["code"] == "limit")
      #expect(try await Self.chat(server, session: "b").status == 200)
    }
  }

  @Test("the store sums what a day and a session took")
  func sums() async throws {
    try await TestServer.run(agents: [Self.agent], model: Talker()) { server in
      for session in ["a", "a", "b"] { _ = try await Self.chat(server, session: session) }
      let user = Principal.local.id
      let day = try await server.store.usage(userID: user, since: Timestamp(milliseconds: 0))
      #expect(day.inputTokens == 180 && day.outputTokens == 120)
      #expect(try await server.store.usage(sessionID: "a", userID: user).tokens == 200)
      #expect(try await server.store.usage(sessionID: "a", userID: "bob").tokens == 0)
      let future = Timestamp(milliseconds: 32_503_680_000_000)
      #expect(try await server.store.usage(userID: user, since: future).tokens == 0)
    }
  }
}
