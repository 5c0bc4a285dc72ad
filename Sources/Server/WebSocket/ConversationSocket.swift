// SPDX-License-Identifier: Apache-2.0
import Core
import JSONCodec
import NIOCore
import NIOWebSocket
import Synchronization

/// One conversation over a WebSocket: many turns, and what happens in each.
final class ConversationSocket: Sendable {
  /// Between two pings; a client that sends nothing at all from one to the next is gone.
  static let pingInterval = Duration.seconds(30)
  /// Messages of one socket that may be under way.
  static let turnsMax = 8

  /// What a client is told of a turn.
  enum Told: Sendable {
    case everything
    /// The answers, and what went wrong.
    case messages
  }

  /// The body of a message; the members are those of the chat endpoint.
  private static let shape = BodyShape(
    fields: [
      .init(name: "type", kind: .string(), isRequired: false, description: "message, or cancel.")
    ] + Services.conversationFields.map { $0.optional })

  private let services: Services
  private let agent: String
  private let told: Told
  /// Of a message; `nil` = the server's own limit alone.
  private let messageCharactersMax: Int?
  private let exchange: Exchange
  private let sessionID: String
  private let requestID: String
  private let bridge: FrameBridge
  private let connection: Connection
  /// Turns under way, by number.
  private let turns = Mutex<(next: Int, cancellations: [Int: RunCancellation])>((0, [:]))
  private let hasHeard = Mutex(true)

  init(
    services: Services, agent: String, tells told: Told, messageCharactersMax: Int?, exchange: Exchange,
    sessionID: String, requestID: String,
    bridge: FrameBridge, connection: Connection
  ) {
    self.services = services
    self.agent = agent
    self.told = told
    self.messageCharactersMax = messageCharactersMax
    self.exchange = exchange
    self.sessionID = sessionID
    self.requestID = requestID
    self.bridge = bridge
    self.connection = connection
  }

  /// Serves the socket until one side ends it.
  func run() async {
    connection.onQuiesce { [bridge] in bridge.finish(.goingAway) }
    connection.onDeparture { [self] in
      bridge.finish(.departed)
      cancelTurns()
    }
    let pings = Task { await ping() }
    defer { pings.cancel() }
    await send("connection") {
      $0.member("agent", agent)
      $0.member("session_id", sessionID)
    }
    var code: WebSocketErrorCode?
    var isClosedByClient = false
    await withDiscardingTaskGroup { group in
      while code == nil, let frame = await bridge.next() {
        hasHeard.withLock { $0 = true }
        switch frame.opcode {
        case .text:
          let text = Array(buffer: frame.unmaskedData)
          if String(validating: text, as: UTF8.self) == nil {
            code = .dataInconsistentWithMessage
          } else {
            // Faults are told before more is read: a client that does not listen is not listened to.
            await take(text, in: &group)
          }
        case .ping: try? await bridge.write(.pong, frame.unmaskedData)
        case .connectionClose:
          code = Self.closeCode(frame.unmaskedData)
          isClosedByClient = true
        case .binary: code = .unacceptableData
        case .pong: break
        default: code = .protocolError
        }
      }
      // Turns under way are answered if the server stops, and end with the client if it left.
      if case .goingAway = bridge.end, code == nil {} else { cancelTurns() }
    }
    await bridge.close(code ?? bridge.end?.code ?? .normalClosure, isAnswer: isClosedByClient)
  }

  // MARK: What comes in

  private func take(_ text: [UInt8], in group: inout DiscardingTaskGroup) async {
    let (message, user): (JSONObject, Principal)
    do {
      message = try Self.shape.decode(text)
      switch message["type"]?.string {
      case "cancel": return cancelTurns()
      case "message", nil: break
      case .some(let type):
        throw Problem.invalid([
          .init(field: "type", message: "'\(type)' is not one; there are message, cancel")
        ])
      }
      guard let text = message["message"]?.string else {
        throw Problem.invalid([.init(field: "message", message: "is required")])
      }
      if let most = messageCharactersMax, text.count > most {
        throw Problem.invalid([.init(field: "message", message: "must have at most \(most) characters")])
      }
      // Each message is as much as a request, and who asks must still be who may.
      user = try await exchange.identifyAgain()
      _ = try services.limits.admit(user)
    } catch {
      return await report(error)
    }
    let cancellation = RunCancellation()
    guard let number = begin(cancellation) else {
      return await report(
        Failure(.rateLimited, "more than \(Self.turnsMax) messages are under way", retryable: true))
    }
    var request = ChatRequest(agent: agent, body: message)
    request.sessionID = request.sessionID ?? sessionID
    request.trace = exchange.trace
    let feed: RunFeed
    do {
      // Begun here and not in its task, so that turns come in the order of their messages.
      feed = try services.runner.stream(
        request, as: user, cancellation: cancellation,
        onEnd: services.counted(request.message, to: agent, as: user, trace: exchange.trace))
    } catch {
      end(number)
      return await report(error)
    }
    group.addTask {
      await self.tell(feed)
      self.end(number)
    }
  }

  private func begin(_ cancellation: RunCancellation) -> Int? {
    turns.withLock { turns in
      guard turns.cancellations.count < Self.turnsMax else { return nil }
      turns.next += 1
      turns.cancellations[turns.next] = cancellation
      return turns.next
    }
  }

  private func end(_ number: Int) { turns.withLock { $0.cancellations[number] = nil } }

  private func cancelTurns() {
    for cancellation in turns.withLock({ Array($0.cancellations.values) }) { cancellation.cancel() }
  }

  // MARK: What goes out

  private func tell(_ feed: RunFeed) async {
    var watcher = feed.watch()
    while let events = try? await watcher.next(within: Self.pingInterval) {
      for event in events where told == .everything || !event.precedesAnswer { await tell(event) }
    }
  }

  private func tell(_ event: RunEvent) async {
    switch event {
    case .started: break
    case .text(let text): await send("delta") { $0.member("text", text) }
    case .toolStarted(let id, let name, let arguments):
      await send("tool") {
        $0.member("status", "started")
        $0.member("id", id)
        $0.member("name", name)
        $0.member("arguments", arguments)
      }
    case .toolFinished(let call):
      await send("tool") {
        $0.member("status", "finished")
        call.writeMembers(to: &$0)
      }
    case .approvalRequested(let approval): await send("approval") { $0.member("approval", approval) }
    case .waiting(let run): await send("waiting") { $0.member("run_id", run.runID) }
    case .completed(let reply): await send("message") { reply.writeMembers(to: &$0) }
    case .failed(let failure): await report(failure)
    }
  }

  private func report(_ error: any Error) async {
    let problem = Problem(error, isDraining: connection.isDraining)
    await send("error") { problem.writeMembers(to: &$0, requestID: requestID) }
  }

  /// A client that is gone is noticed by who reads.
  private func send(_ type: String, _ members: (inout JSONWriter) -> Void) async {
    var writer = JSONWriter(reservingCapacity: 256)
    writer.object {
      $0.member("type", type)
      members(&$0)
    }
    try? await bridge.write(.text, ByteBuffer(bytes: writer.bytes))
  }

  private func ping() async {
    while (try? await services.time.sleep(for: Self.pingInterval)) != nil {
      let isAlive = hasHeard.withLock { hasHeard in
        defer { hasHeard = false }
        return hasHeard
      }
      guard isAlive else { return bridge.finish(.departed) }
      bridge.writeSoon(.ping)
    }
  }

  /// The code to answer the client's with; one that no frame may have is a fault. Source: RFC 6455, 7.4.
  private static func closeCode(_ data: ByteBuffer) -> WebSocketErrorCode {
    var data = data
    guard data.readableBytes > 0 else { return .normalClosure }
    guard let number = data.getInteger(at: data.readerIndex, as: UInt16.self),
      (1000...1003).contains(number) || (1007...1014).contains(number) || (3000...4999).contains(number)
    else { return .protocolError }
    return data.readWebSocketErrorCode() ?? .protocolError
  }
}

extension RunEvent {
  fileprivate var precedesAnswer: Bool {
    switch self {
    case .text, .toolStarted, .toolFinished: true
    default: false
    }
  }
}

extension FrameBridge.End {
  fileprivate var code: WebSocketErrorCode {
    switch self {
    case .departed: .normalClosure
    case .goingAway: .goingAway
    case .failed(let code): code
    }
  }
}
