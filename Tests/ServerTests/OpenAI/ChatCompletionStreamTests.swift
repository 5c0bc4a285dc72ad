// SPDX-License-Identifier: Apache-2.0
import Core
import JSONCodec
import Testing

@testable import Server

@Suite("Chat completions in chunks", .timeLimit(.minutes(5)))
struct ChatCompletionStreamTests {
  private static func body(_ model: String, _ extra: String = "") -> String {
    #"{"model":"\#(model)","stream":true,"messages":[{"role":"user","content":"hi"}]\#(extra)}"#
  }

  /// The data of all events; the last one is `[DONE]` when the stream came to its end.
  private static func stream(_ server: TestServer, _ body: String) async throws -> (Int, [String]) {
    try await Client.connect(server.port) { client in
      try await client.send("POST", "/v1/chat/completions", body: body)
      let head = try await client.receiveHead()
      guard head.status == 200 else { return (head.status, []) }
      #expect(head.headers["content-type"] == "text/event-stream")
      return (200, try await client.remainingEvents().map { $0.field("data") })
    }
  }

  private static func deltas(_ events: [String]) throws -> [JSON] {
    try events.dropLast().map { try JSON(parsing: $0)["choices"]?.array?.first?["delta"] ?? .null }
  }

  @Test("role first, then text, with a paragraph after each tool, the reason, the usage and the end")
  func chunks() async throws {
    let model = RecordingModel(
      .calling(("c", "add", "{}"), saying: "One moment."), .saying("It is 3."))
    try await TestServer.run(agents: [.adder], model: model) { server in
      let (_, events) = try await Self.stream(
        server, Self.body("adder", #","stream_options":{"include_usage":true}"#))
      #expect(events.last == "[DONE]")
      let chunks = try events.dropLast().map { try JSON(parsing: $0) }
      let deltas = try Self.deltas(events)
      #expect(deltas.first == ["role": "assistant", "content": "", "refusal": nil])
      #expect(deltas.compactMap { $0["content"]?.string }.joined() == "One moment.\n\nIt is 3.")
      let reasons = chunks.map { $0["choices"]?.array?.first?["finish_reason"] }
      #expect(reasons.dropLast(2).allSatisfy { $0 == .null } && reasons.dropLast().last == "stop")
      #expect(chunks.last?["choices"] == [])
      #expect(chunks.last?["usage"] == ["prompt_tokens": 20, "completion_tokens": 8, "total_tokens": 28])
      #expect(chunks.dropLast().allSatisfy { $0["usage"] == .null })
      #expect(Set(chunks.map { $0["id"] }).count == 1 && Set(chunks.map { $0["created"] }).count == 1)
      #expect(chunks.allSatisfy { $0["object"] == "chat.completion.chunk" && $0["model"] == "adder" })
    }
  }

  @Test("without stream_options there is no usage")
  func noUsage() async throws {
    try await TestServer.run { server in
      let (_, events) = try await Self.stream(server, Self.body("echo"))
      #expect(try Self.deltas(events).compactMap { $0["content"]?.string }.joined() == "You said: hi")
      #expect(!events.contains { $0.contains("usage") })
    }
  }

  @Test("calls of the caller's tools come as deltas with an index")
  func calls() async throws {
    let model = RecordingModel(.calling(("c1", "look", #"{"a":1}"#), ("c2", "look", "{}")))
    try await TestServer.run(agents: [.adder], model: model) { server in
      let (_, events) = try await Self.stream(
        server, Self.body("adder", #","tools":[{"type":"function","function":{"name":"look"}}]"#))
      let calls = try Self.deltas(events).compactMap { $0["tool_calls"]?.array?.first }
      #expect(calls.map { $0["index"] } == [0, 1])
      #expect(calls[0]["function"] == ["name": "look", "arguments": #"{"a":1}"#])
      #expect(calls[0]["id"] != calls[1]["id"] && calls[0]["type"] == "function")
      #expect(events.dropLast().last?.contains(#""finish_reason":"tool_calls""#) == true)
    }
  }

  @Test("a failure before the first word is a status, one after it is an event and the end")
  func failures() async throws {
    let model = TalkingThenFailing()
    try await TestServer.run(agents: [.adder, .failing(Failure(.rejected, "no"))], model: model) { server in
      #expect(try await Self.stream(server, Self.body("failing")).0 == 422)
      let (status, events) = try await Self.stream(server, Self.body("adder"))
      #expect(status == 200)
      #expect(try Self.deltas(events).compactMap { $0["content"]?.string }.joined() == "Well")
      let error = try JSON(parsing: try #require(events.last))["error"]
      #expect(error?["type"] == "server_error" && error?["message"]?.string?.isEmpty == false)
    }
  }

  @Test("an agent with an output shows nothing before all of it is right")
  func held() async throws {
    let output = try Schema(["title": ["type": "string"]])
    let agent = ScriptedAgent(
      Agent(name: "typed", file: "agents/typed.lua", body: .prompt(.constant("p")), output: output))
    try await TestServer.run(agents: [agent], model: RecordingModel(.saying(#"{"title":"t"}"#))) { server in
      let (_, events) = try await Self.stream(
        server, Self.body("typed", #","response_format":{"type":"json_object"}"#))
      #expect(try Self.deltas(events).compactMap { $0["content"]?.string } == ["", #"{"title":"t"}"#])
    }
  }

  @Test("a client that leaves cancels the run")
  func departure() async throws {
    let model = Waiting()
    try await TestServer.run(agents: [.adder], model: model) { server in
      try await Client.connect(server.port) { client in
        try await client.send("POST", "/v1/chat/completions", body: Self.body("adder"))
        _ = try await client.receiveHead()
        _ = try await client.nextEvent()
        try await client.close()
      }
      try await model.cancelled.wait()
    }
  }
}

/// Says a word, then breaks.
private struct TalkingThenFailing: Model {
  func isConfigured(for models: [String]) -> Bool { true }
  func respond(
    to request: ModelRequest, within deadline: Duration, onText: TextListener?
  ) async throws -> ModelReply {
    await onText?(["Well"])
    throw ModelError(.server, "broken")
  }
}

/// Says a word, then nothing.
private struct Waiting: Model {
  let cancelled = Signal()

  func isConfigured(for models: [String]) -> Bool { true }
  func respond(
    to request: ModelRequest, within deadline: Duration, onText: TextListener?
  ) async throws -> ModelReply {
    await onText?(["Well"])
    do {
      try await Signal().wait()
    } catch {
      cancelled.send()
      throw error
    }
    return .saying("")
  }
}
