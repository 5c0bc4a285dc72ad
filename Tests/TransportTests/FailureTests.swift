// SPDX-License-Identifier: Apache-2.0
import TestSupport
import Testing
import Transport

@Suite(.timeLimit(.minutes(5))) struct FailureTests {
  let client: HTTPClient

  init() throws { client = try HTTPClient() }

  @Test(
    "what is no http URL is refused",
    arguments: [
      "", "example.com", "/path", "file:///etc/passwd", "ftp://example.com/", "gopher://example.com:70/_x",
      "http://",
      "http://exa mple.com/", "http://user@example.com/", "http://user:secret@example.com/",
      "http://a\u{0}b/",
      "http://[::1/", "http://example.com:99999/", "javascript:1",
    ])
  func badURL(url: String) async {
    let failure = await failure { try await client.send(HTTPRequest(url: url)) }
    #expect(failure?.kind == .badURL)
    #expect(failure?.mayHaveBeenSent == false)
    #expect(failure?.message.contains("secret") == false)
  }

  @Test(
    "headers and methods that could split the message are refused",
    arguments: [
      HTTPRequest(method: "GET /x HTTP/1.1\r\nX: y", url: "http://127.0.0.1:1/"),
      HTTPRequest(method: "", url: "http://127.0.0.1:1/"),
      HTTPRequest(url: "http://127.0.0.1:1/", headers: [("X", "a\r\nY: b")]),
      HTTPRequest(url: "http://127.0.0.1:1/", headers: [("X\r\nY", "b")]),
      HTTPRequest(url: "http://127.0.0.1:1/", headers: [("X", "a\u{0}b")]),
      HTTPRequest(url: "http://127.0.0.1:1/", headers: [("Host", "internal")]),
      HTTPRequest(url: "http://127.0.0.1:1/", headers: [("content-length", "5")]),
      HTTPRequest(url: "http://127.0.0.1:1/", headers: [("Transfer-Encoding", "chunked")]),
    ])
  func badRequest(request: HTTPRequest) async {
    #expect(await failure { try await client.send(request) }?.kind == .badRequest)
  }

  @Test("a port where nobody listens is a failed connection that sent nothing")
  func refused() async throws {
    let failure = await failure { try await client.send(HTTPRequest(url: "http://127.0.0.1:1/?key=secret")) }
    #expect(failure?.kind == .connect)
    #expect(failure?.mayHaveBeenSent == false)
    #expect(failure?.message.contains("127.0.0.1") == false)
    #expect(failure?.diagnostic?.contains("secret") == false)
  }

  @Test("an unknown name is a failed connection")
  func unknownName() async {
    let failure = await failure { try await client.send(HTTPRequest(url: "http://nowhere.invalid/")) }
    #expect(failure?.kind == .connect)
  }

  @Test("no answer in time is a time-out that may have had an effect")
  func timeout() async throws {
    let server = try ScriptedProvider(.silence)
    let failure = await failure {
      try await client.send(HTTPRequest(url: server.origin, timeout: .seconds(1)))
    }
    #expect(failure?.kind == .timeout)
    #expect(failure?.mayHaveBeenSent == true)
    await server.closedConnections(atLeast: 1)
  }

  @Test("a response beyond the cap is refused, whether its length is told or not", arguments: [true, false])
  func tooLarge(tellsLength: Bool) async throws {
    let body = [UInt8](repeating: 65, count: 50_001)
    let server = try ScriptedProvider(tellsLength ? .response(200, body: body) : .pieces([(nil, body)]))
    let refused = await failure {
      try await client.send(HTTPRequest(url: server.origin, responseBytesMax: 50_000))
    }
    #expect(refused?.kind == .tooLarge)
    let response = try await client.send(HTTPRequest(url: server.origin, responseBytesMax: 50_001))
    #expect(response.body == body)
  }

  @Test("too many headers are refused", arguments: [1, 2000])
  func headers(count: Int) async throws {
    let value = String(repeating: "v", count: 70_000 / count)
    let fields = (0..<count).map { (name: "X-\($0)", value: value) }
    let server = try ScriptedProvider(.status(200, headers: fields))
    #expect(await failure { try await client.send(HTTPRequest(url: server.origin)) }?.kind == .tooLarge)
  }

  @Test(
    "what is not a whole HTTP response is a broken connection",
    arguments: [
      "", "garbage\r\n\r\n", "HTTP/1.1", "HTTP/1.1 200 OK\r\n",
      "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n", "\u{0}\u{1}\u{2}",
    ])
  func broken(reply: String) async throws {
    let server = try ScriptedProvider(.raw(reply))
    let failure = await failure { try await client.send(HTTPRequest(url: server.origin)) }
    #expect(failure?.kind == .broken)
    #expect(failure?.mayHaveBeenSent == true)
  }

  @Test(
    "a POST is not repeated when the kept connection closes without an answer",
    arguments: [nil, [1, 2, 3] as [UInt8]?])
  func postOnce(body: [UInt8]?) async throws {
    let server = try ScriptedProvider { $0.path == "/first" ? .status(200, body: "x") : .close }
    _ = try await client.send(HTTPRequest(url: server.origin + "/first"))
    let failure = await failure {
      try await client.send(HTTPRequest(method: "POST", url: server.origin + "/second", body: body))
    }
    #expect(failure?.kind == .broken)
    #expect(failure?.mayHaveBeenSent == true)
    #expect(server.requests.filter { $0.path == "/second" }.count == 1)
  }

  @Test("an idempotent request moves to a new connection when the kept one closes without an answer")
  func repeats() async throws {
    let server = try ScriptedProvider {
      $0.connection == 0 && $0.path == "/second" ? .close : .status(200, body: "x")
    }
    _ = try await client.send(HTTPRequest(url: server.origin + "/first"))
    let response = try await client.send(
      HTTPRequest(method: "POST", url: server.origin + "/second", body: [1], isIdempotent: true))
    #expect(response.status == 200)
    #expect(server.requests.map(\.connection) == [0, 0, 1])
  }
}
