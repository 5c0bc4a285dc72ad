// SPDX-License-Identifier: Apache-2.0
import Core
import JSONCodec
import Testing

@testable import Server

@Suite("Aliases")
struct AliasTests {
  @Test(
    "a path that cannot be one is refused, and why",
    arguments: [
      ("/a//b", "a", Alias.Shape.todo, "it has an empty segment"),
      ("/a/", "a", .todo, "it has an empty segment"), ("/a?b", "a", .todo, "it has a character"),
      ("/v1/mine", "a", .todo, "paths below /v1 are the server's own"),
      ("/{user}", "a", .todo, "'{user}' is no parameter"), ("/x{user_id}", "a", .todo, "is no parameter"),
      ("/{user_id}/{user_id}", "a", .todo, "it has a parameter twice"),
      ("/{agent}", "a", .agents, "it has {agent}, and an agent is named too"),
      ("/a", "", .agents, "it has no {agent}, and no agent is named"),
      ("/{user_id}", "a", .webchat, "of a webchat it has no parameters"),
      ("/{user_id}", "a", .whatsapp, "a messenger says itself who asks"),
    ])
  func refused(path: String, agent: String, shape: Alias.Shape, message: String) {
    let error = #expect(throws: ServerError.self) {
      try Alias(path: path, agent: agent.isEmpty ? nil : agent, shape: shape)
    }
    #expect(error?.message.contains(message) == true)
  }

  @Test(
    "no alias takes the requests of another route",
    arguments: [
      ["/health"], ["/openapi.json"], ["/docs"], ["/a", "/a"], ["/a/{user_id}", "/a/b"],
      ["/{user_id}/x", "/y/{user_id}"],
    ])
  func overlap(paths: [String]) async throws {
    let aliases = try paths.map { try Alias(path: $0, agent: "echo", shape: .todo) }
    await #expect(throws: ServerError.self) { try await TestServer.run(aliases: aliases) { _ in } }
  }

  @Test("a webchat is three operations below a path, or the one that the path names")
  func webChatPaths() async throws {
    let aliases = try ["/", "/webchat", "/shop/session/new", "/shop/message"].map {
      try Alias(path: $0, agent: "echo", shape: .webchat)
    }
    try await TestServer.run(aliases: aliases) { server in
      for base in ["", "/webchat", "/shop"] {
        let session = try await server.send("POST", "\(base)/session/new")
        #expect(session.status == 200)
        let id = try #require(try session.json["session_id"])
        let answer = try await server.send(
          "POST", "\(base)/message", headers: ["Content-Type: application/json"],
          body: #"{"session_id":"\#(id.string ?? "")","message":"ne var?"}"#)
        #expect(answer.status == 200)
        #expect(try answer.json.object?.keys == ["response", "data"])
        #expect(try answer.json["response"] == "You said: ne var?")
        let kept = try await server.send("GET", "/v1/sessions/\(id.string ?? "")/messages")
        #expect(try kept.json["data"]?.array?.count == 2)
      }
      #expect(try await server.send("GET", "/shop/ws").status == 404)
      #expect(try await server.send("GET", "/webchat/ws").status == 426)
    }
  }

  @Test("over a webchat's socket go answers only, many of them")
  func webChatSocket() async throws {
    let aliases = [
      try Alias(path: "/webchat", agent: "echo", shape: .webchat, messageCharactersMax: 5)
    ]
    try await TestServer.run(aliases: aliases) { server in
      try await Client.connect(server.port) { client in
        #expect(try await client.upgrade("/webchat/ws").status == 101)
        #expect(try await client.receiveMessage()["type"] == "connection")
        for message in ["one", "two"] {
          try await client.sendMessage(#"{"message":"\#(message)"}"#)
          let answer = try await client.receiveMessage()
          #expect(answer["type"] == "message" && answer["response"] == .string("You said: \(message)"))
        }
        try await client.sendMessage(#"{"message":"eleven"}"#)
        let long = try await client.receiveMessage()
        #expect(long["type"] == "error" && "\(long)".contains("must have at most 5 characters"))
      }
    }
  }
}
