// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import Server

/// Requests that two servers in a row might read differently: what one takes for a body, the other for a request.
///
/// Source: RFC 9112, 6.1, 6.3 and 11.2.
@Suite("Request smuggling", .timeLimit(.minutes(5)))
struct SmugglingTests {
  private static let inner = "GET /v1/sessions HTTP/1.1\r\nHost: localhost\r\n\r\n"
  private static let start = "POST /v1/agents/echo/chat HTTP/1.1\r\nHost: localhost\r\n"

  @Test(
    "a request whose length can be read in two ways is refused, and nothing after it is read",
    arguments: [
      "Content-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
      "Transfer-Encoding: chunked\r\nContent-Length: 6\r\n\r\n0\r\n\r\n",
      "Content-Length: 0\r\nContent-Length: 52\r\n\r\n",
      "Content-Length: 0, 52\r\n\r\n",
      "Content-Length: -1\r\n\r\n", "Content-Length: +0\r\n\r\n", "Content-Length: 0x0\r\n\r\n",
      "Content-Length: 18446744073709551616\r\n\r\n", "Content-Length: \r\n\r\n",
      "Content-Length: 1 1\r\n\r\n",
      "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", "Transfer-Encoding: identity\r\n\r\n",
      "Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
      "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
      "Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
      "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n",
      "X: y\r\n Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    ])
  func ambiguous(head: String) async throws {
    try await TestServer.run { server in
      try await Client.connect(server.port) { client in
        try await client.write(Self.start + "Content-Type: application/json\r\n" + head + Self.inner)
        let text = try await client.textToEnd()
        #expect(["HTTP/1.1 4", "HTTP/1.1 5"].contains(String(text.prefix(10))), "\(text)")
        #expect(!text.contains("\"sessions\"") && text.components(of: "X-Request-Id:") <= 1, "\(text)")
      }
    }
  }

  @Test(
    "chunks that are not written as they must be end the connection",
    arguments: [
      "0x1\r\nx\r\n0\r\n\r\n", "-1\r\nx\r\n0\r\n\r\n", "g\r\nx\r\n0\r\n\r\n", "1\nx\r\n0\r\n\r\n",
      "1\r\nxx\r\n0\r\n\r\n", "ffffffffffffffff1\r\nx\r\n0\r\n\r\n", " 1\r\nx\r\n0\r\n\r\n",
    ])
  func chunks(body: String) async throws {
    try await TestServer.run { server in
      try await Client.connect(server.port) { client in
        try await client.write(
          Self.start + "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n" + body
            + Self.inner)
        let text = try await client.textToEnd()
        #expect(!text.contains("\"sessions\"") && text.components(of: "X-Request-Id:") <= 1, "\(text)")
      }
    }
  }

  @Test("a body that its route does not want is not read as the next request")
  func unwanted() async throws {
    try await TestServer.run { server in
      try await Client.connect(server.port) { client in
        try await client.write(
          "GET /health/live HTTP/1.1\r\nHost: localhost\r\nContent-Length: \(Self.inner.utf8.count)\r\n\r\n"
            + Self.inner)
        #expect(try await client.receive().status == 200)
        try await client.send("GET", "/v1/nothing")
        #expect(try await client.receive().status == 404)
      }
    }
  }
}

extension String {
  fileprivate func components(of text: String) -> Int { ranges(of: text).count }
}
