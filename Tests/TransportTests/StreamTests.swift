// SPDX-License-Identifier: Apache-2.0
import TestSupport
import Testing
import Transport

@Suite(.timeLimit(.minutes(5))) struct StreamTests {
  let client: HTTPClient

  init() throws { client = try HTTPClient() }

  @Test("the head comes before the body, and each piece as it is sent")
  func pieces() async throws {
    let gates = [Gate(), Gate()]
    let server = try ScriptedProvider(
      .pieces([(gates[0], Array("one".utf8)), (gates[1], Array("two".utf8))], headers: [("X-A", "1")]))
    let stream = try await client.stream(HTTPRequest(url: server.origin))
    #expect(stream.status == 200)
    #expect(stream.headers["x-a"] == "1")
    gates[0].open()
    #expect(try await stream.next() == Array("one".utf8))
    gates[1].open()
    #expect(try await stream.next() == Array("two".utf8))
    #expect(try await stream.next() == nil)
    #expect(try await stream.next() == nil)
  }

  @Test("a slow reader gets every byte in order")
  func backPressure() async throws {
    let body = (0..<3_000_000).map { UInt8(truncatingIfNeeded: $0 &* 7 &+ $0 >> 8) }
    let server = try ScriptedProvider(.pieces([(nil, body)]))
    let stream = try await client.stream(HTTPRequest(url: server.origin, timeout: .seconds(600)))
    var received: [UInt8] = []
    for try await piece in stream {
      #expect(piece.count <= 64 << 10)
      for _ in 0..<5 { await Task.yield() }
      received += piece
    }
    #expect(received == body)
  }

  @Test("a server that sends more than is read is held up, and the rest of the client is not")
  func flood() async throws {
    let meter = FloodMeter()
    let piece = [UInt8](repeating: 7, count: 64 << 10)
    let server = try ScriptedProvider { request in
      request.path == "/flood" ? .flood(piece, bytesMax: 256 << 20, meter: meter) : .status(200, body: "ok")
    }
    let client = try HTTPClient()
    let stream = try await client.stream(
      HTTPRequest(url: server.origin + "/flood", timeout: .seconds(600), responseBytesMax: 1 << 30))
    for _ in 0..<200 {
      let reply = try await client.send(HTTPRequest(url: server.origin + "/other"))
      #expect(reply.status == 200)
    }
    // What the two ends of the socket and the pipe hold, and not all that there is.
    #expect(meter.bytes < 64 << 20)
    var bytes = 0
    while bytes < 64 << 20, let piece = try await stream.next() { bytes += piece.count }
    #expect(bytes >= 64 << 20)
    stream.close()
    await server.closedConnections(atLeast: 1)
    #expect(meter.bytes < 256 << 20)
  }

  @Test("letting go of a stream closes the connection")
  func abandoned() async throws {
    let server = try ScriptedProvider(.silentBody)
    do {
      let stream = try await client.stream(HTTPRequest(url: server.origin, timeout: .seconds(600)))
      #expect(stream.status == 200)
    }
    await server.closedConnections(atLeast: 1)
  }

  @Test("cancelling the reader ends the stream and closes the connection")
  func cancelled() async throws {
    let server = try ScriptedProvider(.silentBody)
    let stream = try await client.stream(HTTPRequest(url: server.origin, timeout: .seconds(600)))
    let task = Task { try await stream.next() }
    task.cancel()
    await #expect(throws: CancellationError.self) { try await task.value }
    await server.closedConnections(atLeast: 1)
  }

  @Test("a connection that breaks in the middle gives the bytes before it, then the error")
  func broken() async throws {
    let server = try ScriptedProvider(.raw("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf"))
    let stream = try await client.stream(HTTPRequest(url: server.origin))
    #expect(try await stream.next() == Array("half".utf8))
    #expect(await failure { try await stream.next() }?.kind == .broken)
  }

  @Test("a body beyond the cap ends in an error")
  func tooLarge() async throws {
    let server = try ScriptedProvider(.pieces([(nil, [UInt8](repeating: 65, count: 200_000))]))
    let stream = try await client.stream(HTTPRequest(url: server.origin, responseBytesMax: 100_000))
    #expect(await failure { while try await stream.next() != nil {} }?.kind == .tooLarge)
  }

  @Test("redirects are followed before the head is given")
  func redirect() async throws {
    let server = try ScriptedProvider { request in
      request.path == "/" ? .status(302, headers: [("Location", "/next")]) : .status(200, body: "here")
    }
    let stream = try await client.stream(HTTPRequest(url: server.origin + "/", redirectsMax: 1))
    #expect(stream.url == server.origin + "/next")
    #expect(try await stream.next() == Array("here".utf8))
  }

  @Test("a stream that nobody can open is an error, not a stream")
  func notOpened() async throws {
    #expect(
      await failure { try await client.stream(HTTPRequest(url: "http://nowhere.invalid/")) }?.kind == .connect
    )
  }
}
