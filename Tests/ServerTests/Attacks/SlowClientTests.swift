// SPDX-License-Identifier: Apache-2.0
import Core
import JSONCodec
import Storage
import Synchronization
import Testing

@testable import Server

/// Clients that hold on to what they have been given: connections, time, memory.
@Suite("Slow clients and many of them", .timeLimit(.minutes(5)))
struct SlowClientTests {
  private static let impatient = Server.Configuration(port: 0, requestTime: .milliseconds(300))

  private static func cutOff(_ server: TestServer, _ reason: String) async throws -> Bool {
    try await Client.send("GET", "/metrics", port: server.port).text
      .contains("perigee_connections_cut_off_total{reason=\"\(reason)\"} 1\n")
  }

  @Test("a head that drips is answered 408, however steadily it does")
  func head() async throws {
    try await TestServer.run(configuration: Self.impatient) { server in
      try await Client.connect(server.port) { client in
        // The first bytes begin the request; each of the others would keep an idle timer off for ever.
        for byte in "GET /v1/agents HTTP/1.1\r\nX-Drip: " { try await client.write(String(byte)) }
        let reply = try await client.receive()
        #expect(reply.status == 408 && reply.headers["connection"] == "close")
        #expect(try reply.json["code"] == "timeout")
        #expect(try await client.readToEnd().isEmpty)
      }
      #expect(try await Self.cutOff(server, "slow_request"))
    }
  }

  @Test("a body that never comes ends its connection, and its message is not taken")
  func body() async throws {
    try await TestServer.run(configuration: Self.impatient) { server in
      try await Client.connect(server.port) { client in
        try await client.write(
          "POST /v1/agents/echo/chat HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            + "Content-Length: 20\r\n\r\n{\"message\"")
        _ = try? await client.readToEnd()
      }
      #expect(try await Self.cutOff(server, "slow_request"))
      #expect(try await server.store.runs(visibleTo: .everyone, page: PageRequest()).items.isEmpty)
    }
  }

  @Test("an answer that nobody takes ends its connection")
  func reader() async throws {
    try await TestServer.run(
      agents: [.talker], model: LongModel(), configuration: Self.impatient
    ) { server in
      try await Client.connect(server.port) { client in
        try await client.send("POST", "/v1/agents/talker/chat", body: #"{"message":"hi"}"#)
        while try await Self.cutOff(server, "slow_reader") == false { try Task.checkCancellation() }
      }
    }
  }

  /// The time of a connection is that of its event loop, which no test can turn: another client that is cut off meanwhile
  /// tells how much of it has passed.
  @Test("an answer that is taken slowly and steadily is taken whole, for longer than nothing may be taken")
  func steadyReader() async throws {
    let time = Server.Configuration(port: 0, requestTime: .seconds(3))
    try await TestServer.run(agents: [.talker], model: LongModel(), configuration: time) { server in
      try await Client.connect(server.port) { client in
        try await client.send("POST", "/v1/agents/talker/chat", body: #"{"message":"hi"}"#)
        let (status, headers) = try await client.receiveHead()
        #expect(status == 200)
        let whole = try #require(headers["content-length"].flatMap { Int($0) })
        var taken = 0
        for _ in 0..<2 {
          let isLate = Flag()
          let before = taken
          async let other: Void = Client.connect(server.port) { other in
            try await other.write("GET / HT")
            #expect(try await other.receive().status == 408)
            isLate.raise()
          }
          while !isLate.isRaised {
            // Each takes the server a moment.
            for _ in 0..<4 { _ = try await server.send("GET", "/health/live") }
            // Quickly at first: on a busy machine little may follow, and a socket tells its server of much at once.
            let most = taken - before < 4 << 20 ? 64 << 10 : 8 << 10
            taken += try await client.skip(atMost: most, of: whole - taken)
          }
          try await other
        }
        #expect(taken < whole)
        while taken < whole { taken += try await client.skip(atMost: whole, of: whole - taken) }
        try await client.send("GET", "/health/live")
        #expect(try await client.receive().status == 200)
      }
      #expect(
        try await !Client.send("GET", "/metrics", port: server.port).text.contains(#"reason="slow_reader""#))
    }
  }

  @Test("a request that is whole, and a connection that is kept, have all the time")
  func whole() async throws {
    let model = WaitingModel()
    try await TestServer.run(agents: [.talker], model: model, configuration: Self.impatient) { server in
      try await Client.connect(server.port) { client in
        try await client.send("POST", "/v1/agents/talker/chat", body: #"{"message":"hi"}"#)
        try await server.taken(1)
        // Another client is cut off for what this one is not.
        try await Client.connect(server.port) { other in
          try await other.write("GET / HT")
          #expect(try await other.receive().status == 408)
        }
        model.goOn.send()
        #expect(try await client.receive().status == 200)
        try await Client.connect(server.port) { other in
          try await other.write("GET / HT")
          #expect(try await other.receive().status == 408)
        }
        try await client.send("GET", "/health/live")
        #expect(try await client.receive().status == 200)
      }
    }
  }

  @Test("a line of its own after a body, or half of the next request, ends no run that is under way")
  func begun() async throws {
    for more in ["\r\n", "GET /health/li"] {
      let model = WaitingModel()
      try await TestServer.run(agents: [.talker], model: model, configuration: Self.impatient) { server in
        try await Client.connect(server.port) { client in
          try await client.send("POST", "/v1/agents/talker/chat", body: #"{"message":"hi"}"#)
          try await server.taken(1)
          try await client.write(more)
          // Another one begins later, and is cut off meanwhile.
          try await Client.connect(server.port) { other in
            try await other.write("GET / HT")
            #expect(try await other.receive().status == 408)
          }
          model.goOn.send()
          #expect(try await client.receive().status == 200)
        }
      }
    }
  }

  @Test("connections above the limit are closed, and there is room again when others go")
  func many() async throws {
    try await TestServer.run(configuration: Server.Configuration(port: 0, connectionsMax: 2)) { server in
      try await Client.connect(server.port) { one in
        try await one.send("GET", "/health/live")
        #expect(try await one.receive().status == 200)
        try await Client.connect(server.port) { two in
          try await two.send("GET", "/health/live")
          #expect(try await two.receive().status == 200)
          let third = try await Client.connect(server.port) { try await $0.readToEnd() }
          #expect(third.isEmpty)
          try await two.close()
        }
        var status = 0
        while status != 200 {
          try Task.checkCancellation()
          status = (try? await Client.send("GET", "/health/live", port: server.port).status) ?? 0
        }
        let metrics = try await one.get("/metrics")
        #expect(metrics.contains("\nperigee_connections_cut_off_total{reason=\"too_many\"} "))
        #expect(metrics.contains("\nperigee_connections "))
      }
    }
  }

  @Test(
    "each address has its own number of connections, an IPv6 network as one, proxies and this machine any")
  func addresses() {
    let limits = ConnectionLimits(max: 0, perAddressMax: 2, proxies: TrustedProxies(["192.0.2.9"]))
    let first = limits.admit(from: "203.0.113.1")
    #expect(first != nil && limits.admit(from: "::ffff:203.0.113.1") != nil)
    #expect(limits.admit(from: "203.0.113.1") == nil)
    #expect(limits.admit(from: "203.0.113.2") != nil)
    #expect(limits.admit(from: "2001:db8::1") != nil && limits.admit(from: "2001:db8::2") != nil)
    #expect(limits.admit(from: "2001:db8::3") == nil)
    for _ in 0..<9 {
      #expect(limits.admit(from: "192.0.2.9") != nil && limits.admit(from: "127.0.0.1") != nil)
    }
    if let first { limits.leave(first) }
    #expect(limits.admit(from: "203.0.113.1") != nil)
    #expect(limits.count == 23)
  }
}

extension Client {
  /// The body of what is at `path`.
  fileprivate mutating func get(_ path: String) async throws -> String {
    try await send("GET", path)
    return try await receive().text
  }
}

/// Raised once, and seen from wherever.
private final class Flag: Sendable {
  private let value = Atomic(false)
  var isRaised: Bool { value.load(ordering: .relaxed) }
  func raise() { value.store(true, ordering: .relaxed) }
}

extension ScriptedAgent {
  fileprivate static let talker = ScriptedAgent(
    Agent(name: "talker", file: "agents/talker.lua", body: .prompt(.constant("Talk."))))
}

/// Says more than sockets hold.
private struct LongModel: Model {
  func isConfigured(for models: [String]) -> Bool { true }

  func respond(
    to request: ModelRequest, within deadline: Duration, onText: TextListener?
  ) async throws -> ModelReply {
    ModelReply(model: "m", text: String(repeating: "x", count: 32 << 20), finishReason: .stop)
  }
}

/// Says something once it is let.
private struct WaitingModel: Model {
  let goOn = Signal()

  func isConfigured(for models: [String]) -> Bool { true }

  func respond(
    to request: ModelRequest, within deadline: Duration, onText: TextListener?
  ) async throws -> ModelReply {
    try await goOn.wait()
    return ModelReply(model: "m", text: "now", finishReason: .stop)
  }
}
