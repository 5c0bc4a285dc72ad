// SPDX-License-Identifier: Apache-2.0
import Core
import JSONCodec
import NIOCore
import NIOEmbedded
import Testing

@testable import Server

@Suite("Graceful shutdown", .timeLimit(.minutes(5)))
struct DrainTests {
  /// An agent that waits for `goOn`, and tells when it has begun.
  private static func waiting(_ started: Signal, _ goOn: Signal) -> ScriptedAgent {
    ScriptedAgent("slow") { _ in
      started.send()
      try await goOn.wait()
      return ScriptReply(text: "done")
    }
  }

  @Test("a turn under way is answered, and a kept connection is told 503 meanwhile")
  func drains() async throws {
    let (started, goOn) = (Signal(), Signal())
    try await TestServer.run(agents: [Self.waiting(started, goOn)]) { server in
      try await Client.connect(server.port) { kept in
        try await kept.send("GET", "/health/live")
        #expect(try await kept.receive().headers["connection"] == nil)
        try await Client.connect(server.port) { busy in
          try await busy.send("POST", "/v1/agents/slow/chat", body: #"{"message":"hi"}"#)
          try await started.wait()
          await server.stop()
          try await server.refusesConnections()

          try await kept.send("GET", "/v1/sessions")
          let refusal = try await kept.receive()
          #expect(refusal.status == 503 && refusal.headers["connection"] == "close")
          #expect(refusal.headers["retry-after"] == "1")
          #expect(try await kept.readToEnd().isEmpty)

          goOn.send()
          let answer = try await busy.receive()
          #expect(answer.status == 200 && answer.headers["connection"] == "close")
          #expect(try answer.json["response"] == "done")
          #expect(try await busy.readToEnd().isEmpty)
        }
      }
    }
  }

  @Test("an answer that was not announced as the last leaves its connection open until all are answered")
  func lateEnd() throws {
    let drain = Drain(limit: .seconds(30))
    let channel = EmbeddedChannel()
    channel.allowRemoteHalfClosure = true
    let connection = Connection(
      channel: channel, requestTime: .seconds(60), drain: drain,
      metrics: ServerMetrics(registry: PrometheusRegistry()))
    try channel.pipeline.syncOperations.addHandler(connection)
    try channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).wait()
    #expect(connection.begin())
    drain.enter()
    // Its answer has left, and the server is told to stop before the connection knows.
    channel.pipeline.fireUserInboundEventTriggered(ChannelShouldQuiesceEvent())
    connection.end(on: channel)
    channel.embeddedEventLoop.advanceTime(by: Connection.lingering * 2)
    #expect(channel.isActive && connection.begin())
    connection.closeAfterAnswer()
    connection.end(on: channel)
    drain.leave()
    channel.embeddedEventLoop.advanceTime(by: Connection.lingering * 2)
    #expect(!channel.isActive)
  }

  @Test("a turn that takes longer than the drain is cancelled and may be tried again")
  func expires() async throws {
    let started = Signal()
    let configuration = Server.Configuration(port: 0, drain: .milliseconds(50))
    try await TestServer.run(agents: [Self.waiting(started, Signal())], configuration: configuration) {
      server in
      try await Client.connect(server.port) { client in
        try await client.send("POST", "/v1/agents/slow/chat", body: #"{"message":"hi"}"#)
        try await started.wait()
        await server.stop()
        let reply = try await client.receive()
        #expect(reply.status == 503)
        #expect(try reply.json["code"] == "cancelled")
      }
    }
  }

  @Test("kept connections do not hold up a server that has nothing to do")
  func idle() async throws {
    try await TestServer.run { server in
      try await Client.connect(server.port) { kept in
        try await kept.send("GET", "/health/live")
        _ = try await kept.receive()
        await server.stop()
        #expect(try await kept.readToEnd().isEmpty)
      }
    }
  }
}

extension TestServer {
  /// Waits until the listener is closed.
  fileprivate func refusesConnections() async throws {
    while true {
      do {
        // Another test's server, which has got the port since, has no such agent.
        if try await send("GET", "/v1/agents/slow").status == 404 { return }
      } catch {
        return
      }
    }
  }
}
