// SPDX-License-Identifier: Apache-2.0
import Core
import JSONCodec
import Synchronization
import Testing

@testable import Storage

@Suite("A store that takes no more", .timeLimit(.minutes(5)))
struct UnsettledTests {
  /// Lets the database grow no more, or again.
  private static func limit(_ store: SQLiteStore, isFull: Bool) async throws {
    try await store.commits.write { connection in
      // It is never made smaller than it is.
      let pragma = try connection.statement(
        isFull ? "PRAGMA max_page_count = 1" : "PRAGMA max_page_count = 1073741823")
      _ = try pragma.step()
      pragma.reset()
    }
  }

  /// Says a lot, and nothing before it is told to.
  private static func talker(_ started: Signal, _ goOn: Signal) -> ScriptedAgent {
    ScriptedAgent("talker") { _ in
      started.send()
      try await goOn.wait()
      return ScriptReply(text: String(repeating: "word ", count: 100_000))
    }
  }

  private static func post(_ server: TestServer) async throws -> WireResponse {
    try await server.send(
      "POST", "/v1/agents/talker/chat", headers: ["Idempotency-Key: k"],
      body: #"{"message":"hi","session_id":"s"}"#)
  }

  /// A turn that is answered, whose answer finds no room.
  private static func lose(_ server: TestServer, _ started: Signal, _ goOn: Signal) async throws -> String {
    let task = Task { try await post(server) }
    try await started.wait()
    try await limit(server.store, isFull: true)
    goOn.send()
    let reply = try await task.value
    #expect(reply.status == 500)
    #expect(try reply.json["code"] == "internal")
    let run = try #require(try await server.send("GET", "/v1/runs").json["data"]?.array?.first)
    return try #require(run["id"]?.string)
  }

  @Test("who waited is told, and the run is failed as soon as there is room, though nobody asks again")
  func alone() async throws {
    let (started, goOn) = (Signal(), Signal())
    try await TestServer.run(agents: [Self.talker(started, goOn)]) { server in
      let id = try await Self.lose(server, started, goOn)
      try await Self.limit(server.store, isFull: false)
      var run: JSON = .null
      repeat {
        try Task.checkCancellation()
        run = try await server.send("GET", "/v1/runs/\(id)").json
      } while run["status"] == "running"
      #expect(run["status"] == "failed")
      #expect(run["error"] == "internal")
      let messages = try await server.send("GET", "/v1/sessions/s/messages").json["data"]?.array ?? []
      #expect(messages.map { $0["content"] } == ["hi", ""])
    }
  }

  @Test("the same request again is done again once there is room, under the same run")
  func again() async throws {
    let (started, goOn) = (Signal(), Signal())
    try await TestServer.run(agents: [Self.talker(started, goOn)]) { server in
      let id = try await Self.lose(server, started, goOn)
      try await Self.limit(server.store, isFull: false)
      let reply = try await Self.post(server)
      #expect(reply.status == 200)
      #expect(try reply.json["run_id"]?.string == id)
      #expect(try await server.send("GET", "/v1/runs/\(id)").json["status"] == "completed")
      #expect(try await server.send("GET", "/v1/sessions/s").json["message_count"] == 2)
    }
  }

  @Test("another message finds the session in order")
  func next() async throws {
    let (started, goOn) = (Signal(), Signal())
    try await TestServer.run(agents: [Self.talker(started, goOn), .echo]) { server in
      let id = try await Self.lose(server, started, goOn)
      try await Self.limit(server.store, isFull: false)
      #expect(try await server.chat("echo", #"{"message":"you","session_id":"s"}"#).status == 200)
      #expect(try await server.send("GET", "/v1/runs/\(id)").json["status"] == "failed")
      let messages = try await server.send("GET", "/v1/sessions/s/messages").json["data"]?.array ?? []
      #expect(messages.map { $0["content"] } == ["hi", "", "you", "You said: you"])
    }
  }
}
