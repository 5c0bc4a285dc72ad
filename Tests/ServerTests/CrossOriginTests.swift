// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import Server

/// What browsers are told about pages of other origins, and about every answer.
@Suite("Pages of other origins", .timeLimit(.minutes(5)))
struct CrossOriginTests {
  private static let app = "https://app.example.com"
  private static let open = Server.Configuration(port: 0, origins: [app])

  @Test("a page of an allowed origin may ask, and see what comes")
  func allowed() async throws {
    try await TestServer.run(configuration: Self.open) { server in
      let asked = try await Client.send(
        "OPTIONS", "/v1/agents/echo/chat", port: server.port,
        headers: [
          "Origin: \(Self.app)", "Access-Control-Request-Method: POST",
          "Access-Control-Request-Headers: authorization,content-type",
        ])
      #expect(asked.status == 204 && asked.body.isEmpty)
      #expect(asked.headers["access-control-allow-origin"] == Self.app)
      #expect(asked.headers["access-control-allow-methods"]?.contains("POST") == true)
      #expect(asked.headers["access-control-allow-headers"]?.contains("Authorization") == true)
      #expect(asked.headers["access-control-max-age"] == "600" && asked.headers["vary"] == "Origin")
      let answer = try await Client.send(
        "POST", "/v1/agents/echo/chat", port: server.port, headers: ["Origin: \(Self.app)"],
        body: #"{"message":"hi"}"#)
      #expect(answer.status == 200 && answer.headers["access-control-allow-origin"] == Self.app)
      #expect(answer.headers["access-control-expose-headers"]?.contains("X-Request-Id") == true)
      #expect(answer.headers["access-control-allow-credentials"] == nil)
      // Problems too: the page would not know why.
      let problem = try await Client.send(
        "GET", "/v1/none", port: server.port, headers: ["Origin: \(Self.app)"])
      #expect(problem.status == 404 && problem.headers["access-control-allow-origin"] == Self.app)
    }
  }

  @Test(
    "one of another origin may not",
    arguments: [
      "https://evil.example.com", "https://app.example.com.evil.com", "http://app.example.com", "null",
    ])
  func refused(origin: String) async throws {
    try await TestServer.run(configuration: Self.open) { server in
      let asked = try await Client.send(
        "OPTIONS", "/v1/agents/echo/chat", port: server.port,
        headers: ["Origin: \(origin)", "Access-Control-Request-Method: POST"])
      #expect(asked.headers["access-control-allow-origin"] == nil && asked.headers["vary"] == "Origin")
      let answer = try await Client.send(
        "GET", "/v1/agents", port: server.port, headers: ["Origin: \(origin)"])
      #expect(answer.status == 403 && answer.headers["access-control-allow-origin"] == nil)
    }
  }

  @Test("with * any may, and with nothing none is told anything")
  func others() async throws {
    try await TestServer.run(configuration: Server.Configuration(port: 0, origins: ["*"])) { server in
      let answer = try await Client.send(
        "GET", "/health/live", port: server.port, headers: ["Origin: https://a.example"])
      #expect(answer.headers["access-control-allow-origin"] == "*" && answer.headers["vary"] == nil)
    }
    try await TestServer.run { server in
      let answer = try await Client.send(
        "OPTIONS", "/v1/agents", port: server.port,
        headers: ["Origin: https://a.example", "Access-Control-Request-Method: GET"])
      #expect(answer.status == 405 && answer.headers.keys.allSatisfy { !$0.hasPrefix("access-control") })
    }
  }

  @Test("no answer is guessed at, kept by a browser or shown within a page, unless it says otherwise")
  func fields() async throws {
    try await TestServer.run { server in
      for path in ["/v1/agents", "/v1/none", "/health/live"] {
        let answer = try await Client.send("GET", path, port: server.port)
        #expect(answer.headers["x-content-type-options"] == "nosniff")
        #expect(answer.headers["cache-control"] == "no-store")
        #expect(answer.headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'")
        #expect(answer.headers["strict-transport-security"] == nil)
      }
      let page = try await Client.send("GET", "/", port: server.port)
      #expect(page.headers["cache-control"] == "no-cache" && page.headers["referrer-policy"] == "no-referrer")
      #expect(page.headers["content-security-policy"]?.contains("script-src 'sha256-") == true)
    }
  }
}
