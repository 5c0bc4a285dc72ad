// SPDX-License-Identifier: Apache-2.0
import Core
import JSONCodec
import Testing

@testable import Server

@Suite("Chat over HTTP", .timeLimit(.minutes(5)))
struct ChatTests {
  @Test("a reply has the fields of the contract in their order")
  func fields() async throws {
    try await TestServer.run { server in
      let reply = try await server.chat()
      #expect(reply.status == 200)
      #expect(reply.headers["content-type"] == "application/json")
      #expect(
        try reply.keys == [
          "session_id", "message_id", "run_id", "agent", "version", "response", "data", "using_stub",
          "finish_reason", "tool_calls", "usage", "timestamp",
        ])
      #expect(try reply.json["response"] == "You said: hi")
      #expect(try reply.json["usage"] == ["input_tokens": 0, "output_tokens": 0, "cost_usd": 0.0])
    }
  }

  @Test("the tool calls of a turn are in its reply")
  func toolCalls() async throws {
    try await TestServer.run(agents: [.adder], model: AddingModel()) { server in
      let reply = try await server.chat("adder").json
      let call = try #require(reply["tool_calls"]?.array?.first)
      #expect(call.object?.keys == ["id", "name", "arguments", "result", "error", "duration_ms"])
      #expect(call["name"] == "add" && call["result"] == ["sum": 3] && call["error"] == .null)
      #expect(reply["usage"] == ["input_tokens": 20, "output_tokens": 8, "cost_usd": 1.0])
      #expect(reply["response"] == "It is 3.")
    }
  }

  @Test("the caller's own session id is kept")
  func ownSession() async throws {
    try await TestServer.run { server in
      let reply = try await server.chat("echo", #"{"message":"hi","session_id":"my.own-1"}"#)
      #expect(try reply.json["session_id"] == "my.own-1")
    }
  }

  @Test("a null session id is as good as none")
  func nullSession() async throws {
    try await TestServer.run { server in
      let reply = try await server.chat("echo", #"{"message":"hi","session_id":null}"#)
      #expect(reply.status == 200)
      #expect(try reply.json["session_id"]?.string?.utf8.count == 36)
    }
  }

  @Test("input and context reach the script, and input wins")
  func input() async throws {
    try await TestServer.run { server in
      let reply = try await server.chat("echo", #"{"message":"m","input":{"a":1},"context":{"a":2,"b":3}}"#)
      #expect(try reply.json["data"] == ["a": 1, "b": 3, "message": "m"])
    }
  }

  @Test("every fault of a body is listed at once")
  func faults() async throws {
    try await TestServer.run { server in
      let reply = try await server.chat(
        "echo", #"{"message":1,"session_id":"a b","input":[],"context":"x","stream":"yes","extra":0}"#)
      #expect(reply.status == 400)
      #expect(reply.headers["content-type"] == "application/problem+json")
      #expect(try reply.json["code"] == "invalid_arguments")
      #expect(
        try reply.faults == [
          "message: must be a string, not integer",
          "session_id: must be 1 to 128 characters of A-Z a-z 0-9 . _ : -",
          "input: must be an object, not array", "context: must be an object, not string",
          "stream: must be true or false, not string",
          "extra: is not a field here; there are message, session_id, input, context, stream, detach",
        ])
    }
  }

  @Test("a fault that only the runner sees is listed as a field too")
  func blank() async throws {
    try await TestServer.run { server in
      let reply = try await server.chat("echo", #"{"message":"  "}"#)
      #expect(reply.status == 400)
      #expect(try reply.faults == ["message: is empty"])
    }
  }

  @Test(
    "a body that is no JSON object says where it breaks",
    arguments: [
      (#"{"message" 1}"#, "the body is not JSON: expected ':' at byte 11"), ("", "the body is not JSON"),
      ("[1]", "the body must be an object, not array"),
    ])
  func malformed(body: String, detail: String) async throws {
    try await TestServer.run { server in
      let reply = try await server.chat("echo", body)
      #expect(reply.status == 400)
      #expect(try reply.json["detail"]?.string?.hasPrefix(detail) == true)
    }
  }

  @Test("nesting without end is refused")
  func depth() async throws {
    try await TestServer.run { server in
      let bomb = String(repeating: "[", count: 100_000)
      let reply = try await server.chat("echo", #"{"input":"# + bomb)
      #expect(reply.status == 400)
    }
  }

  @Test("a body of another type is refused", arguments: ["text/plain", "application/xml; a=json"])
  func contentType(type: String) async throws {
    try await TestServer.run { server in
      let reply = try await server.send(
        "POST", "/v1/agents/echo/chat", headers: ["Content-Type: \(type)"], body: #"{"message":"hi"}"#)
      #expect(reply.status == 415)
      #expect(try reply.json["code"] == "unsupported_media_type")
    }
  }

  @Test("an agent that does not exist is not found")
  func unknownAgent() async throws {
    try await TestServer.run { server in
      let reply = try await server.chat("nobody")
      #expect(reply.status == 404)
      #expect(try reply.json["code"] == "not_found")
    }
  }

  @Test("a client that goes away cancels its run")
  func departure() async throws {
    let (started, cancelled) = (Signal(), Signal())
    let agent = ScriptedAgent.endless(started: started, cancelled: cancelled)
    try await TestServer.run(agents: [agent]) { server in
      try await Client.connect(server.port) { client in
        try await client.send("POST", "/v1/agents/slow/chat", body: #"{"message":"hi"}"#)
        try await started.wait()
        try await client.close()
      }
      try await cancelled.wait()
    }
  }
}
