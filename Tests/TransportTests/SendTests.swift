// SPDX-License-Identifier: Apache-2.0
import TestSupport
import Testing
import Transport

@Suite(.timeLimit(.minutes(5))) struct SendTests {
  let client: HTTPClient

  init() throws { client = try HTTPClient() }

  @Test("a GET brings status, headers in any case and the body")
  func get() async throws {
    let server = try ScriptedProvider(.status(201, headers: [("X-Thing", " a b ")], body: "hello"))
    let response = try await client.send(HTTPRequest(url: server.origin + "/path?q=1"))
    #expect(response.status == 201)
    #expect(response.headers["x-thing"] == "a b")
    #expect(response.headers["X-THING"] == "a b")
    #expect(response.headers["x-thin"] == nil)
    #expect(response.body == Array("hello".utf8))
    #expect(response.url == server.origin + "/path?q=1")
    let request = try #require(server.requests.first)
    #expect(request.method == "GET")
    #expect(request.path == "/path?q=1")
    #expect(request.header("user-agent") == "perigee")
  }

  @Test("a body arrives whole, with the headers that were given and none that libcurl makes up")
  func post() async throws {
    let server = try ScriptedProvider(.status(200))
    let body = (0..<200_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
    for isIdempotent in [true, false] {
      _ = try await client.send(
        HTTPRequest(
          method: "POST", url: server.origin, headers: [("X-Empty", ""), ("X-One", "1")], body: body,
          isIdempotent: isIdempotent))
    }
    for request in server.requests {
      #expect(request.body == body)
      #expect(request.header("content-length") == "200000")
      #expect(request.header("x-empty") == "")
      #expect(request.header("x-one") == "1")
      #expect(request.header("expect") == nil)
      #expect(request.header("content-type") == nil)
    }
    #expect(server.requests.count == 2)
  }

  @Test(
    "every method is sent as it is named",
    arguments: ["GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS", "POST"])
  func methods(method: String) async throws {
    let server = try ScriptedProvider { $0.method == "HEAD" ? .raw("HTTP/1.1 200 OK\r\n\r\n") : .status(200) }
    // The same handle serves all of them: nothing of one request may be left in the next.
    for (name, body) in [("POST", [65]), (method, nil), ("GET", nil)] as [(String, [UInt8]?)] {
      _ = try await client.send(HTTPRequest(method: name, url: server.origin, body: body))
    }
    #expect(server.requests.map(\.method) == ["POST", method, "GET"])
    #expect(server.requests.map(\.body) == [[65], [], []])
  }

  @Test("a GET may have a body")
  func getWithBody() async throws {
    let server = try ScriptedProvider(.status(200))
    _ = try await client.send(HTTPRequest(url: server.origin, body: [65, 66]))
    #expect(server.requests.first?.method == "GET")
    #expect(server.requests.first?.body == [65, 66])
  }

  @Test("requests one after another share a connection")
  func reuse() async throws {
    let server = try ScriptedProvider(.status(200, body: "x"))
    for _ in 0..<5 { _ = try await client.send(HTTPRequest(url: server.origin)) }
    #expect(server.connectionsOpened == 1)
  }

  @Test("informational responses are passed over")
  func informational() async throws {
    let server = try ScriptedProvider(
      .raw(
        "HTTP/1.1 103 Early Hints\r\nX-A: 1\r\n\r\nHTTP/1.1 200 OK\r\nX-B: 2\r\nContent-Length: 1\r\n\r\n!"))
    let response = try await client.send(HTTPRequest(url: server.origin))
    #expect(response.status == 200)
    #expect(response.headers.map(\.name) == ["X-B", "Content-Length"])
  }

  @Test("200 requests at once all get their own answer")
  func concurrent() async throws {
    let server = try ScriptedProvider { .status(200, body: $0.path) }
    let origin = server.origin
    let bodies = try await withThrowingTaskGroup(of: (Int, [UInt8]).self) { group in
      for number in 0..<200 {
        group.addTask { (number, try await client.send(HTTPRequest(url: "\(origin)/\(number)")).body) }
      }
      return try await group.reduce(into: [Int: [UInt8]]()) { $0[$1.0] = $1.1 }
    }
    #expect(bodies.count == 200)
    for (number, body) in bodies { #expect(body == Array("/\(number)".utf8)) }
  }

  @Test(
    "more requests at once than libcurl gets in one piece get their own answer, and leave their connections to be used"
  )
  func many() async throws {
    let gate = Gate()
    let server = try ScriptedProvider { request in
      gate.pass()
      return .status(200, body: request.path)
    }
    let origin = server.origin
    let bodies = try await withThrowingTaskGroup(of: (Int, [UInt8]).self) { group in
      for number in 0..<300 {
        group.addTask { (number, try await client.send(HTTPRequest(url: "\(origin)/\(number)")).body) }
      }
      await server.requests(atLeast: 300)
      gate.open()
      return try await group.reduce(into: [Int: [UInt8]]()) { $0[$1.0] = $1.1 }
    }
    #expect((0..<300).allSatisfy { bodies[$0] == Array("/\($0)".utf8) })
    for _ in 0..<5 { _ = try await client.send(HTTPRequest(url: origin)) }
    #expect(server.connectionsOpened == 300)
  }

  @Test("what a peak leaves of connections is closed after a time, and later requests are none the worse")
  func afterPeak() async throws {
    let gate = Gate()
    let server = try ScriptedProvider { _ in
      gate.pass()
      return .status(200)
    }
    let origin = server.origin
    let client = try HTTPClient(configuration: HTTPClient.Configuration(idleTime: .milliseconds(1)))
    func peak(_ requests: Int) async throws {
      try await withThrowingTaskGroup(of: Int.self) { group in
        for _ in 0..<300 { group.addTask { try await client.send(HTTPRequest(url: origin)).status } }
        await server.requests(atLeast: requests)
        gate.open()
        for try await status in group { #expect(status == 200) }
      }
    }
    try await peak(300)
    // All but those of the first handle.
    await server.closedConnections(atLeast: 300 - 128)
    try await peak(600)
    await client.shutdown()
  }

  @Test("a host gets no more connections at once than it may, and what is beyond waits")
  func connectionsPerHost() async throws {
    let gate = Gate()
    let server = try ScriptedProvider { _ in
      gate.pass()
      return .status(200)
    }
    let client = try HTTPClient(configuration: HTTPClient.Configuration(connectionsPerHostMax: 3))
    let origin = server.origin
    try await withThrowingTaskGroup(of: Int.self) { group in
      for _ in 0..<10 { group.addTask { try await client.send(HTTPRequest(url: origin)).status } }
      await server.requests(atLeast: 3)
      gate.open()
      for try await status in group { #expect(status == 200) }
    }
    #expect(server.connectionsOpened == 3)
    await client.shutdown()
  }

  @Test("cancelling the task closes the connection")
  func cancellation() async throws {
    let server = try ScriptedProvider(.silence)
    let task = Task { try await client.send(HTTPRequest(url: server.origin, timeout: .seconds(600))) }
    await server.requests(atLeast: 1)
    task.cancel()
    await #expect(throws: CancellationError.self) { try await task.value }
    await server.closedConnections(atLeast: 1)
  }

  @Test("a task that is cancelled already sends nothing")
  func cancelledBefore() async throws {
    let server = try ScriptedProvider(.status(200))
    let task = Task {
      withUnsafeCurrentTask { $0?.cancel() }
      return try await client.send(HTTPRequest(url: server.origin))
    }
    await #expect(throws: CancellationError.self) { try await task.value }
    #expect(server.requests.isEmpty)
  }

  @Test("shutting down fails what is on its way and what comes after")
  func shutdown() async throws {
    let server = try ScriptedProvider(.silence)
    let task = Task { try await client.send(HTTPRequest(url: server.origin, timeout: .seconds(600))) }
    await server.requests(atLeast: 1)
    await client.shutdown()
    await client.shutdown()
    #expect(await failure { try await task.value }?.kind == .closed)
    #expect(await failure { try await client.send(HTTPRequest(url: server.origin)) }?.kind == .closed)
  }
}

/// The transport error that `body` throws; `nil` when it throws none.
func failure<Result>(_ body: () async throws -> Result) async -> TransportError? {
  do {
    _ = try await body()
    return nil
  } catch {
    return error as? TransportError
  }
}
