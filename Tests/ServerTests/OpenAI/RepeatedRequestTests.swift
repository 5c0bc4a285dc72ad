// SPDX-License-Identifier: Apache-2.0
import Core
import JSONCodec
import Synchronization
import Testing

@Suite("Idempotency-Key on OpenAI's routes")
struct RepeatedRequestTests {
  private static let routes = [
    ("/v1/chat/completions", #""messages":[{"role":"user","content":"hi"}]"#),
    ("/v1/responses", #""input":"hi""#),
  ]

  private static func post(
    _ server: TestServer, _ path: String, key: String = "k", _ fields: String
  ) async throws -> WireResponse {
    try await server.send(
      "POST", path, headers: ["Idempotency-Key: \(key)"], body: #"{"model":"counter",\#(fields)}"#)
  }

  private static func counting(_ count: Tally) -> ScriptedAgent {
    ScriptedAgent("counter") { _ in ScriptReply(text: "answer \(count.next())") }
  }

  @Test(
    "a repeated request gets the first answer to the letter, and nothing is done twice", arguments: routes)
  func repeats(path: String, fields: String) async throws {
    let count = Tally()
    try await TestServer.run(agents: [Self.counting(count)]) { server in
      let first = try await Self.post(server, path, fields)
      #expect(first.status == 200 && first.text.contains("answer 1"))
      #expect(try await Self.post(server, path, fields).text == first.text)
      let other = try await Self.post(server, path, fields + #","temperature":1"#)
      #expect(other.status == 422)
      #expect(try other.json["error"]?["code"] == "idempotency_key_reused")
      #expect(try await Self.post(server, path, key: "l", fields).text.contains("answer 2"))
      #expect(try await Self.post(server, path, key: "", fields).status == 400)
      #expect(try await server.send("GET", "/v1/runs").json["data"]?.array?.count == 2)
    }
  }

  @Test("a repeated stream tells the first answer", arguments: routes)
  func streams(path: String, fields: String) async throws {
    let count = Tally()
    try await TestServer.run(agents: [Self.counting(count)]) { server in
      var streams: [[String]] = []
      for _ in 0..<2 {
        let events = try await Client.connect(server.port) { client -> [String] in
          try await client.send(
            "POST", path, headers: ["Idempotency-Key: k"],
            body: #"{"model":"counter","stream":true,\#(fields)}"#)
          #expect(try await client.receiveHead().status == 200)
          return try await client.remainingEvents().map { $0.field("data") }
        }
        streams.append(events)
      }
      #expect(streams[0] == streams[1])
      #expect(streams[0].contains { $0.contains("answer 1") })
      #expect(count.value == 1)
    }
  }

  @Test("calls that were handed out are handed out again")
  func handedOut() async throws {
    let asked = Tally()
    try await TestServer.run(agents: [.adder], model: CallingModel(asked: asked)) { server in
      let body = """
        {"model":"adder","messages":[{"role":"user","content":"hi"}],"tools":[{"type":"function",\
        "function":{"name":"look","parameters":{"type":"object","properties":{}}}}]}
        """
      var texts: [String] = []
      for _ in 0..<2 {
        let reply = try await server.send(
          "POST", "/v1/chat/completions", headers: ["Idempotency-Key: k"], body: body)
        #expect(try reply.json["choices"]?.array?.first?["finish_reason"] == "tool_calls")
        texts.append(reply.text)
      }
      #expect(texts[0] == texts[1] && texts[0].contains(#""name":"look""#))
      #expect(asked.value == 1)
    }
  }

  @Test("a request that failed is done again, under its own run")
  func failed() async throws {
    let count = Tally()
    let runs = Mutex<Set<String>>([])
    let agent = ScriptedAgent("counter") { context in
      runs.withLock { _ = $0.insert(context.runID) }
      if count.next() == 1 { throw Failure(.upstream, "down", retryable: true) }
      return ScriptReply(text: "now it works")
    }
    try await TestServer.run(agents: [agent]) { server in
      let (path, fields) = Self.routes[0]
      #expect(try await Self.post(server, path, fields).status == 502)
      let reply = try await Self.post(server, path, fields)
      #expect(reply.status == 200 && reply.text.contains("now it works"))
      #expect(try await Self.post(server, path, fields).text == reply.text)
      #expect(runs.withLock { $0.count } == 1 && count.value == 2)
    }
  }

  /// Calls the caller's tool.
  private struct CallingModel: Model {
    let asked: Tally
    func isConfigured(for models: [String]) -> Bool { true }
    func respond(
      to request: ModelRequest, within deadline: Duration, onText: TextListener?
    ) async throws -> ModelReply {
      _ = asked.next()
      return ModelReply(
        model: "m", text: "", calls: [ToolCallRequest(id: "c", name: "look", arguments: "{}")],
        finishReason: .toolCalls)
    }
  }
}
