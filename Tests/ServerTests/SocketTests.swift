// SPDX-License-Identifier: Apache-2.0
import Core
import JSONCodec
import Testing

@testable import Server

@Suite("The conversation over a WebSocket")
struct SocketTests {
  private static let path = "/v1/agents/echo/ws"
  private static let close: UInt8 = 8

  private static func run(
    agents: [ScriptedAgent] = [.echo], model: any Model = SilentModel(), path: String = Self.path,
    configuration: Server.Configuration = .init(port: 0),
    _ body: @escaping @Sendable (inout Client, TestServer) async throws -> Void
  ) async throws {
    try await TestServer.run(agents: agents, model: model, configuration: configuration) { server in
      try await Client.connect(server.port) { client in
        #expect(try await client.upgrade(path).status == 101)
        #expect(try await client.receiveMessage()["type"] == "connection")
        try await body(&client, server)
      }
    }
  }

  private static func code(_ payload: [UInt8]) -> Int { payload.prefix(2).reduce(0) { $0 << 8 | Int($1) } }

  @Test("the handshake follows the protocol, and the first frame names the conversation")
  func handshake() async throws {
    try await TestServer.run { server in
      try await Client.connect(server.port) { client in
        let head = try await client.upgrade(Self.path + "?session_id=mine", headers: ["X-Request-Id: r-1"])
        #expect(head.status == 101)
        // The example of RFC 6455, 1.3.
        #expect(head.headers["sec-websocket-accept"] == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")
        #expect(head.headers["upgrade"] == "websocket")
        #expect(head.headers["x-request-id"] == "r-1")
        let first = try await client.receiveMessage()
        #expect(first == ["type": "connection", "agent": "echo", "session_id": "mine"])
      }
    }
  }

  @Test(
    "what asks for no WebSocket is refused as any request",
    arguments: [
      ("/v1/agents/nobody/ws", "", 404), ("/v1/agents/echo/ws?session_id=a%20b", "", 400),
      ("/v1/agents/echo/ws?x=1", "", 400), (Self.path, "Origin: http://evil.example", 403),
    ])
  func refused(path: String, header: String, status: Int) async throws {
    try await TestServer.run { server in
      try await Client.connect(server.port) { client in
        let head = try await client.upgrade(path, headers: header.isEmpty ? [] : [header])
        #expect(head.status == status)
      }
    }
  }

  @Test("a plain request is told to upgrade, and an old or broken handshake is refused")
  func upgradeRequired() async throws {
    try await TestServer.run { server in
      let plain = try await server.send("GET", Self.path)
      #expect(plain.status == 426 && plain.headers["sec-websocket-version"] == "13")
      let old = try await server.send(
        "GET", Self.path,
        headers: ["Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 8"])
      #expect(old.status == 426)
      let broken = try await server.send(
        "GET", Self.path,
        headers: [
          "Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: abc",
        ])
      #expect(broken.status == 400)
    }
  }

  @Test("many turns of one session go over one socket")
  func turns() async throws {
    try await Self.run { client, server in
      var session: JSON?
      for number in 1...3 {
        try await client.sendMessage(#"{"message":"hi \#(number)"}"#)
        let messages = try await client.receiveMessages(through: "message")
        #expect(messages.map { $0["type"] } == ["delta", "message"])
        #expect(messages[0]["text"] == .string("You said: hi \(number)"))
        let reply = messages[1]
        #expect(reply["response"] == .string("You said: hi \(number)"))
        #expect(session == nil || reply["session_id"] == session)
        session = reply["session_id"]
      }
      let name = session?.string ?? ""
      let stored = try await server.send("GET", "/v1/sessions/\(name)/messages")
      #expect(try stored.json["data"]?.array?.count == 6)
    }
  }

  @Test("tools are told as they run")
  func tools() async throws {
    try await Self.run(agents: [.adder], model: AddingModel(), path: "/v1/agents/adder/ws") { client, _ in
      try await client.sendMessage(#"{"type":"message","message":"add"}"#)
      let messages = try await client.receiveMessages(through: "message")
      #expect(messages.map { $0["type"] } == ["tool", "tool", "delta", "message"])
      #expect(messages.map { $0["status"] }.prefix(2) == ["started", "finished"])
      #expect(messages[1]["result"] == ["sum": 3])
    }
  }

  @Test("a message in pieces, and with a ping between them, is one message")
  func fragments() async throws {
    try await Self.run { client, _ in
      try await client.sendFrame(1, Array(#"{"message":"#.utf8), isFinal: false)
      try await client.sendFrame(9, Array("beat".utf8))
      try await client.sendFrame(0, Array(#""whole"}"#.utf8))
      let pong = try await client.receiveFrame()
      #expect(pong.opcode == 10 && pong.payload == Array("beat".utf8))
      #expect(try await client.receiveMessages(through: "message").last?["response"] == "You said: whole")
    }
  }

  @Test(
    "a wrong message is answered, and the conversation goes on",
    arguments: ["x", "[]", "{}", #"{"type":"dance"}"#, #"{"message":5}"#, #"{"message":"a","b":1}"#])
  func wrongMessage(text: String) async throws {
    try await Self.run { client, _ in
      try await client.sendMessage(text)
      let error = try await client.receiveMessage()
      #expect(error["type"] == "error" && error["status"] == 400 && error["code"] == "invalid_arguments")
      try await client.sendMessage(#"{"message":"hi"}"#)
      #expect(try await client.receiveMessages(through: "message").last?["response"] == "You said: hi")
    }
  }

  @Test("cancel ends the turn and not the conversation")
  func cancel() async throws {
    let started = Signal()
    let agent = ScriptedAgent("slow") { context in
      guard try context.input.value()["message"] == "wait" else { return ScriptReply(text: "quick") }
      started.send()
      try await Signal().wait()
      return ScriptReply(text: "never")
    }
    try await Self.run(agents: [agent], path: "/v1/agents/slow/ws") { client, _ in
      try await client.sendMessage(#"{"message":"wait"}"#)
      try await started.wait()
      try await client.sendMessage(#"{"type":"cancel"}"#)
      #expect(try await client.receiveMessage()["code"] == "cancelled")
      try await client.sendMessage(#"{"message":"go"}"#)
      #expect(try await client.receiveMessages(through: "message").last?["response"] == "quick")
    }
  }

  @Test("a client that goes away, politely or not, cancels its turns", arguments: [true, false])
  func departure(isPolite: Bool) async throws {
    let (started, cancelled) = (Signal(), Signal())
    let agent = ScriptedAgent.endless(started: started, cancelled: cancelled)
    try await Self.run(agents: [agent], path: "/v1/agents/slow/ws") { client, _ in
      try await client.sendMessage(#"{"message":"wait"}"#)
      try await started.wait()
      if isPolite {
        try await client.sendFrame(Self.close, [0x03, 0xE8])
      } else {
        try await client.close()
      }
      try await cancelled.wait()
    }
  }

  @Test("a close is answered with its own code, and then the connection ends")
  func closeHandshake() async throws {
    try await Self.run { client, _ in
      try await client.sendFrame(Self.close, [0x03, 0xE9])
      let (opcode, payload) = try await client.receiveFrame()
      #expect(opcode == Self.close && Self.code(payload) == 1001)
      #expect(try await client.readToEnd().isEmpty)
    }
  }

  @Test(
    "what breaks the protocol or a limit closes the connection and says why",
    arguments: [
      (UInt8(2), 3, true, 1003), (1, 3, false, 1002), (3, 3, true, 1002), (1, 5000, true, 1009),
      (8, 1, true, 1002),
    ])
  func broken(opcode: UInt8, count: Int, isMasked: Bool, code: Int) async throws {
    try await Self.run(configuration: .init(port: 0, bodyBytesMax: 4096)) { client, _ in
      try await client.sendFrame(opcode, Array(repeating: 0x20, count: count), isMasked: isMasked)
      let (opcode, payload) = try await client.receiveFrame()
      #expect(opcode == Self.close && Self.code(payload) == code)
    }
  }

  @Test("text that is no UTF-8, and codes that no frame may have, are faults", arguments: [true, false])
  func invalid(isText: Bool) async throws {
    try await Self.run { client, _ in
      if isText {
        try await client.sendFrame(1, [0x22, 0xC3, 0x28, 0x22])
      } else {
        try await client.sendFrame(Self.close, [0x03, 0xED])
      }
      let (opcode, payload) = try await client.receiveFrame()
      #expect(opcode == Self.close && Self.code(payload) == (isText ? 1007 : 1002))
    }
  }

  @Test("faults without end are answered one after the other, and the conversation goes on")
  func manyFaults() async throws {
    try await Self.run { client, _ in
      for _ in 0..<500 { try await client.sendMessage("x") }
      for _ in 0..<500 { #expect(try await client.receiveMessage()["status"] == 400) }
      try await client.sendMessage(#"{"message":"hi"}"#)
      #expect(try await client.receiveMessages(through: "message").last?["response"] == "You said: hi")
    }
  }

  @Test("fragments that together are too large are too large")
  func largeFragments() async throws {
    try await Self.run(configuration: .init(port: 0, bodyBytesMax: 4096)) { client, _ in
      try await client.sendFrame(1, Array(repeating: 0x20, count: 3000), isFinal: false)
      try await client.sendFrame(0, Array(repeating: 0x20, count: 3000))
      let (opcode, payload) = try await client.receiveFrame()
      #expect(opcode == Self.close && Self.code(payload) == 1009)
    }
  }

  @Test("too many messages at once are refused, those under way are not lost")
  func flood() async throws {
    let goOn = Signal()
    let agent = ScriptedAgent("slow") { _ in
      try await goOn.wait()
      return ScriptReply(text: "done")
    }
    try await Self.run(agents: [agent], path: "/v1/agents/slow/ws") { client, _ in
      for _ in 0...ConversationSocket.turnsMax { try await client.sendMessage(#"{"message":"hi"}"#) }
      #expect(try await client.receiveMessage()["code"] == "rate_limited")
      goOn.send()
      for _ in 0..<ConversationSocket.turnsMax {
        #expect(try await client.receiveMessages(through: "message").last?["response"] == "done")
      }
    }
  }

  @Test("a server that stops answers the turn under way and closes as one that goes away")
  func drain() async throws {
    let (started, goOn) = (Signal(), Signal())
    let agent = ScriptedAgent("slow") { _ in
      started.send()
      try await goOn.wait()
      return ScriptReply(text: "done")
    }
    try await Self.run(agents: [agent], path: "/v1/agents/slow/ws") { client, server in
      try await client.sendMessage(#"{"message":"hi"}"#)
      try await started.wait()
      await server.stop()
      goOn.send()
      #expect(try await client.receiveMessages(through: "message").last?["response"] == "done")
      let (opcode, payload) = try await client.receiveFrame()
      #expect(opcode == Self.close && Self.code(payload) == 1001)
    }
  }
}
