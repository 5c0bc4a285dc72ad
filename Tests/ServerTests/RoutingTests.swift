// SPDX-License-Identifier: Apache-2.0
import Core
import JSONCodec
import Testing

@testable import Server

@Suite("Routing", .timeLimit(.minutes(5)))
struct RoutingTests {
  @Test(
    "a path that leads nowhere is a problem",
    arguments: ["/v2", "/v1/agents/", "/v1/agents//chat", "/v1/agents/%ff"])
  func nowhere(path: String) async throws {
    try await TestServer.run { server in
      let reply = try await server.send("GET", path)
      #expect(reply.status == 404)
      #expect(reply.headers["content-type"] == "application/problem+json")
      #expect(try reply.json["code"] == "not_found")
    }
  }

  @Test(
    "a method that a path does not have is told which it has",
    arguments: [
      ("GET", "/v1/agents/echo/chat", "POST"), ("PUT", "/v1/sessions/x", "GET, HEAD, PATCH, DELETE"),
      ("OPTIONS", "/", "GET, HEAD"),
    ])
  func wrongMethod(method: String, path: String, allowed: String) async throws {
    try await TestServer.run { server in
      let reply = try await server.send(method, path)
      #expect(reply.status == 405)
      #expect(reply.headers["allow"] == allowed)
    }
  }

  @Test("HEAD gives the head of GET", arguments: ["/health/live", "/nowhere"])
  func head(path: String) async throws {
    try await TestServer.run { server in
      let get = try await server.send("GET", path, headers: ["X-Request-Id: a"])
      try await Client.connect(server.port) { client in
        try await client.send("HEAD", path, headers: ["X-Request-Id: a"])
        let head = try await client.receive(isHead: true)
        #expect(head.status == get.status && head.headers["content-length"] == get.headers["content-length"])
        // A body would stand before the next answer.
        try await client.send("GET", "/health/live")
        #expect(try await client.receive().status == 200)
      }
    }
  }

  @Test("parameters of a path are decoded")
  func decoded() async throws {
    try await TestServer.run { server in
      let reply = try await server.send("GET", "/v1/agents/%65cho")
      #expect(try reply.json["name"] == "echo")
    }
  }

  @Test("a sane request id is kept, another is replaced", arguments: [("abc-1", true), ("a b", false)])
  func requestID(sent: String, isKept: Bool) async throws {
    try await TestServer.run { server in
      for path in ["/health/live", "/nowhere"] {
        let id = try await server.send("GET", path, headers: ["X-Request-Id: \(sent)"]).headers[
          "x-request-id"]
        #expect((id == sent) == isKept && id?.isEmpty == false)
      }
    }
  }

  @Test("a connection answers one request after another, pipelined ones too")
  func keepAlive() async throws {
    try await TestServer.run { server in
      try await Client.connect(server.port) { client in
        try await client.send("POST", "/v1/agents/echo/chat", body: #"{"message":"one"}"#)
        try await client.send("POST", "/v1/agents/echo/chat", body: #"{"message":"two"}"#)
        #expect(try await client.receive().json["response"] == "You said: one")
        #expect(try await client.receive().json["response"] == "You said: two")
        try await client.send("DELETE", "/nowhere", body: "{}")
        #expect(try await client.receive().status == 404)
        try await client.send("GET", "/health/live")
        #expect(try await client.receive().status == 200)
      }
    }
  }

  @Test(
    "a client that wants its connection closed gets that, however it spells it",
    arguments: ["close", "Close"])
  func close(value: String) async throws {
    try await TestServer.run { server in
      try await Client.connect(server.port) { client in
        try await client.send("GET", "/health/live", headers: ["Connection: \(value)"])
        #expect(try await client.receive().headers["connection"] == "close")
        #expect(try await client.readToEnd().isEmpty)
      }
    }
  }
}

@Suite("Requests that are no HTTP", .timeLimit(.minutes(5)))
struct MalformedRequestTests {
  @Test(
    "a first request that cannot be read is told so",
    arguments: [
      "BREW / HTTP/1.1\r\n\r\n", "GET / HTTP/1.1\r\nA: \(String(repeating: "x", count: 40_000))\r\n\r\n",
    ])
  func first(request: String) async throws {
    try await TestServer.run { server in
      try await Client.connect(server.port) { client in
        try await client.write(request)
        let reply = try await client.receive()
        #expect(reply.status == 400 && reply.headers["content-type"] == "application/problem+json")
        #expect(try reply.json["request_id"]?.string == reply.headers["x-request-id"])
        #expect(try await client.readToEnd().isEmpty)
      }
    }
  }

  @Test("a later request that cannot be read does not come before the answers that are due")
  func later() async throws {
    try await TestServer.run { server in
      try await Client.connect(server.port) { client in
        try await client.write("GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n~~~\r\n\r\n")
        #expect(try await client.receive().status == 200)
        #expect(try await client.receive().status == 400)
      }
    }
  }
}

@Suite("Sizes of bodies", .timeLimit(.minutes(5)))
struct BodySizeTests {
  private static let small = Server.Configuration(port: 0, bodyBytesMax: 100)

  @Test("a body that is announced as too large is refused before it is sent")
  func announced() async throws {
    try await TestServer.run(configuration: Self.small) { server in
      try await Client.connect(server.port) { client in
        try await client.write(
          "POST /v1/agents/echo/chat HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999\r\n\r\n")
        let reply = try await client.receive()
        #expect(reply.status == 413 && reply.headers["connection"] == "close")
        #expect(try reply.json["code"] == "too_large")
        #expect(try await client.readToEnd().isEmpty)
      }
    }
  }

  @Test("a body in chunks is refused when its sum is too large")
  func chunked() async throws {
    try await TestServer.run(configuration: Self.small) { server in
      try await Client.connect(server.port) { client in
        try await client.write(
          "POST /v1/agents/echo/chat HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n")
        let chunk = "40\r\n" + String(repeating: " ", count: 64) + "\r\n"
        try await client.write(chunk)
        try await client.write(chunk)
        let reply = try await client.receive()
        #expect(reply.status == 413 && reply.headers["connection"] == "close")
      }
    }
  }

  @Test("a body in chunks that is small enough is taken")
  func chunkedSmall() async throws {
    try await TestServer.run(configuration: Self.small) { server in
      try await Client.connect(server.port) { client in
        try await client.write(
          "POST /v1/agents/echo/chat HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
            + "9\r\n{\"message\r\n7\r\n\":\"hi\"}\r\n0\r\n\r\n")
        let reply = try await client.receive()
        #expect(try reply.json["response"] == "You said: hi" && reply.headers["connection"] == nil)
        try await client.send("GET", "/health/live")
        #expect(try await client.receive().status == 200)
      }
    }
  }

  @Test("a client that asks whether its body is wanted is told")
  func expectation() async throws {
    try await TestServer.run(configuration: Self.small) { server in
      try await Client.connect(server.port) { client in
        let body = #"{"message":"hi"}"#
        try await client.write(
          "POST /v1/agents/echo/chat HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\n"
            + "Content-Length: \(body.utf8.count)\r\n\r\n")
        #expect(try await client.receive().status == 100)
        try await client.write(body)
        #expect(try await client.receive().status == 200)
      }
    }
  }
}
