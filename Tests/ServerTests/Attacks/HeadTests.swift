// SPDX-License-Identifier: Apache-2.0
import JSONCodec
import Testing

@testable import Server

/// Heads that are too large, lines within lines, and paths that lead out of what there is.
@Suite("Hostile heads and paths", .timeLimit(.minutes(5)))
struct HeadTests {
  @Test(
    "a head that is too large is refused before all of it is there",
    arguments: [
      "GET /" + String(repeating: "a", count: 200_000) + " HTTP/1.1\r\n",
      "GET / HTTP/1.1\r\nX: " + String(repeating: "a", count: 200_000) + "\r\n",
      "GET / HTTP/1.1\r\n" + String(repeating: "X: 1\r\n", count: 20_000),
      "GET / HTTP/1.1\r\n" + String(repeating: "a", count: 200_000),
    ])
  func bombs(head: String) async throws {
    try await TestServer.run { server in
      try await Client.connect(server.port) { client in
        // It may be gone before all is written.
        try? await client.write(head)
        let text = (try? await client.textToEnd()) ?? ""
        #expect(text.isEmpty || text.hasPrefix("HTTP/1.1 4"), "\(text)")
      }
      #expect(try await Client.send("GET", "/health/live", port: server.port).status == 200)
    }
  }

  @Test(
    "what a client says comes back as no line of its own",
    arguments: [
      ("X-Request-Id: a%0d%0aSet-Cookie: x=1", "/v1/agents"), ("X-Request-Id: a\tb", "/v1/agents"),
      ("Origin: https://a%0d%0aX: y", "/v1/agents"),
      ("X-A: b", "/v1/agents/a%0d%0aSet-Cookie:%20x=1"), ("X-A: b", "/%0d%0aSet-Cookie:%20x=1"),
      ("X-A: b", "/v1/sessions?after=%0d%0aSet-Cookie:%20x=1"),
    ])
  func lines(header: String, path: String) async throws {
    let configuration = Server.Configuration(port: 0, origins: ["*"])
    try await TestServer.run(configuration: configuration) { server in
      let reply = try await Client.send("GET", path, port: server.port, headers: [header])
      #expect(reply.headers["set-cookie"] == nil && reply.headers["x"] == nil)
      #expect(reply.headers["x-request-id"]?.contains("%") == false)
    }
  }

  @Test(
    "a path leads nowhere but where it says",
    arguments: [
      "/../../etc/passwd", "/..%2f..%2fetc/passwd", "/%2e%2e/%2e%2e/etc/passwd", "/v1/agents/../sessions",
      "/v1/agents/..%2fsessions", "/v1/agents/echo%2fchat", "/v1/agents/%00", "/v1//agents", "//v1/agents",
      "/v1/agents/%ff", "/v1/agents/%", "/v1/agents/echo/chat/..", "/V1/agents", "/v1/agents;x=1",
    ])
  func paths(path: String) async throws {
    try await TestServer.run { server in
      let reply = try await Client.send("GET", path, port: server.port)
      #expect([400, 404].contains(reply.status), "\(reply.text)")
      #expect(!reply.text.contains("root:"))
    }
  }

  @Test("a target that names another server is not taken for a way through")
  func absolute() async throws {
    try await TestServer.run { server in
      for line in ["GET http://example.com/v1/agents HTTP/1.1", "CONNECT example.com:443 HTTP/1.1"] {
        try await Client.connect(server.port) { client in
          try await client.write("\(line)\r\nHost: localhost\r\n\r\n")
          let reply = try await client.receive()
          if line.hasPrefix("GET") {
            #expect(try reply.json["data"]?.array?.first?["name"] == "echo", "\(reply.text)")
          } else {
            #expect(reply.status == 404)
          }
        }
      }
    }
  }
}
