// SPDX-License-Identifier: Apache-2.0
import Core
import JSONCodec
import Storage
import Synchronization
import Testing

@Suite("Idempotency-Key")
struct IdempotencyTests {
  private static func post(
    _ server: TestServer, _ agent: String, key: String, _ body: String = #"{"message":"hi"}"#
  ) async throws -> WireResponse {
    try await server.send(
      "POST", "/v1/agents/\(agent)/chat", headers: ["Idempotency-Key: \(key)"], body: body)
  }

  /// Answers with the number of the time it is asked.
  private static func counting(_ asked: Tally) -> ScriptedAgent {
    ScriptedAgent("counter") { context in
      ScriptReply(text: "answer \(asked.next())", data: RawJSON(["run": .string(context.runID)]))
    }
  }

  @Test("a repeated request gets the first answer, to the letter, and nothing is done twice")
  func repeats() async throws {
    let asked = Tally()
    try await TestServer.run(agents: [Self.counting(asked)]) { server in
      let first = try await Self.post(server, "counter", key: "k1")
      #expect(first.status == 200)
      let again = try await Self.post(server, "counter", key: "k1")
      #expect(again.text == first.text)
      #expect(asked.value == 1)
      // The order of members is no difference.
      let body = #"{"input":{"a":1,"b":2},"message":"hi"}"#
      let other = #"{"message":"hi","input":{"b":2,"a":1}}"#
      let second = try await Self.post(server, "counter", key: "k2", body)
      #expect(try await Self.post(server, "counter", key: "k2", other).text == second.text)
      #expect(asked.value == 2)
      let session = try #require(try first.json["session_id"]?.string)
      let messages = try await server.send("GET", "/v1/sessions/\(session)/messages")
      #expect(try messages.json["data"]?.array?.count == 2)
    }
  }

  @Test("the first answer comes as events too, tools left out")
  func streamed() async throws {
    let asked = Tally()
    try await TestServer.run(agents: [Self.counting(asked)]) { server in
      let body = #"{"message":"hi","stream":true}"#
      var replies: [JSON] = []
      for _ in 0..<2 {
        let reply = try await Client.connect(server.port) { client -> JSON in
          try await client.send(
            "POST", "/v1/agents/counter/chat", headers: ["Idempotency-Key: k"], body: body)
          #expect(try await client.receiveHead().status == 200)
          let events = try await client.remainingEvents()
          #expect(events.map(\.name) == ["run.started", "message.delta", "message.completed"])
          return try events[2].data
        }
        replies.append(reply)
      }
      #expect(replies[0] == replies[1])
      #expect(asked.value == 1)
    }
  }

  @Test("requests with one key at once are one turn")
  func atOnce() async throws {
    let asked = Tally()
    let goOn = Signal()
    let agent = ScriptedAgent("counter") { _ in
      let number = asked.next()
      try await goOn.wait()
      return ScriptReply(text: "answer \(number)")
    }
    try await TestServer.run(agents: [agent]) { server in
      let texts = try await withThrowingTaskGroup(of: String.self) { group in
        for _ in 0..<5 { group.addTask { try await Self.post(server, "counter", key: "k").text } }
        goOn.send()
        return try await group.reduce(into: Set<String>()) { $0.insert($1) }
      }
      #expect(texts.count == 1)
      #expect(asked.value == 1)
    }
  }

  @Test("another request under the same key is refused, another user's key is another key")
  func reused() async throws {
    let asked = Tally()
    try await TestServer.run(agents: [Self.counting(asked), .echo]) { server in
      _ = try await Self.post(server, "counter", key: "k")
      for (agent, body) in [("counter", #"{"message":"ho"}"#), ("echo", #"{"message":"hi"}"#)] {
        let reply = try await Self.post(server, agent, key: "k", body)
        #expect(reply.status == 422)
        #expect(try reply.json["code"] == "idempotency_key_reused")
      }
      #expect(asked.value == 1)
    }
  }

  @Test("a failed turn is done again under its own names, and its message is there once")
  func failed() async throws {
    let asked = Tally()
    let runs = Mutex<[String]>([])
    let agent = ScriptedAgent("flaky") { context in
      runs.withLock { $0.append(context.runID) }
      #expect(context.history.isEmpty)
      if asked.next() == 1 { throw Failure(.upstream, "the provider is down", retryable: true) }
      return ScriptReply(text: "now it works")
    }
    try await TestServer.run(agents: [agent, .echo]) { server in
      let body = #"{"message":"hi","session_id":"s"}"#
      #expect(try await Self.post(server, "flaky", key: "k", body).status == 502)
      // Another turn meanwhile does not come between the question and its answer.
      _ = try await server.chat("echo", #"{"message":"other","session_id":"s"}"#)
      let reply = try await Self.post(server, "flaky", key: "k", body)
      #expect(try reply.json["response"] == "now it works")
      #expect(Set(runs.withLock { $0 }).count == 1)
      let messages = try await server.send("GET", "/v1/sessions/s/messages").json["data"]?.array ?? []
      #expect(
        messages.map { $0["content"]?.string } == ["hi", "now it works", "other", "You said: other"])
      #expect(try await server.send("GET", "/v1/sessions/s").json["message_count"] == 4)
      #expect(try await Self.post(server, "flaky", key: "k", body).text == reply.text)
      #expect(asked.value == 2)
    }
  }

  @Test("after its session was deleted a key is new")
  func deleted() async throws {
    let asked = Tally()
    try await TestServer.run(agents: [Self.counting(asked)]) { server in
      let body = #"{"message":"hi","session_id":"s"}"#
      _ = try await Self.post(server, "counter", key: "k", body)
      #expect(try await server.send("DELETE", "/v1/sessions/s").status == 204)
      #expect(try await Self.post(server, "counter", key: "k", body).json["response"] == "answer 2")
    }
  }

  @Test("a key that is none is refused", arguments: ["", "a b", String(repeating: "k", count: 256), "é"])
  func wrongKey(key: String) async throws {
    try await TestServer.run { server in
      let reply = try await Self.post(server, "echo", key: key)
      #expect(reply.status == 400)
    }
  }
}
