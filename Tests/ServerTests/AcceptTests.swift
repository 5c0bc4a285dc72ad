// SPDX-License-Identifier: Apache-2.0
import Logging
import NIOCore
import NIOPosix
import Testing

@testable import Server

@Suite("A connection that is accepted while the server stops", .timeLimit(.minutes(5)))
struct AcceptTests {
  /// Connects to a listener that closes between accepting a connection and giving it to the server.
  private func connect(_ drain: Drain, _ body: @escaping @Sendable (inout Client) async throws -> Void)
    async throws
  {
    let connections = ConnectionChannel(
      responder: { _, _, _ in }, configuration: Server.Configuration(), certificate: nil,
      limits: ConnectionLimits(max: 0, perAddressMax: 0, proxies: TrustedProxies([])),
      metrics: ServerMetrics(registry: PrometheusRegistry()), drain: drain)
    let logger = Logger(label: "tests") { _ in SwiftLogNoOpLogHandler() }
    let closed = Signal()
    // With one thread for both, nothing comes between the end of the listener and the connection.
    let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    let listener = try await ServerBootstrap(group: group).bind(host: "127.0.0.1", port: 0) { accepted in
      accepted.closeFuture.whenComplete { _ in closed.send() }
      return connections.setup(channel: accepted, logger: logger).map { value in
        accepted.parent?.close(promise: nil)
        return value
      }
    }
    let port = try #require(listener.channel.localAddress?.port)
    try await listener.executeThenClose { inbound in
      async let answer: Void = Client.connect(port, body)
      for try await _ in inbound { Issue.record("a connection came through a closed listener") }
      try await answer
    }
    try await closed.wait()
    try await group.shutdownGracefully()
  }

  @Test("is closed")
  func draining() async throws {
    let drain = Drain(limit: .seconds(30))
    drain.begin()
    try await connect(drain) { client in
      let answer = try await client.readToEnd()
      #expect(answer.isEmpty)
    }
  }

  @Test("is closed although a request is under way on another, and where the server was not told to stop")
  func dropped() async throws {
    let busy = Drain(limit: .seconds(30))
    busy.enter()
    busy.begin()
    for drain in [busy, Drain(limit: .seconds(30))] {
      try await connect(drain) { client in
        let answer = try await client.readToEnd()
        #expect(answer.isEmpty)
      }
    }
  }
}
