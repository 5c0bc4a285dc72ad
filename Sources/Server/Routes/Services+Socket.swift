// SPDX-License-Identifier: Apache-2.0
import Core
import HTTPTypes
import HummingbirdCore
import JSONCodec

extension Services {
  var socketRoutes: [Route] {
    [
      Route(
        .get, "/v1/agents/{agent}/ws", name: "chatSocket",
        summary: "Opens a WebSocket on which many messages may be sent to an agent.",
        access: .agent,
        query: [
          .init(
            name: "session_id", kind: .sessionID, isRequired: false,
            description: "The conversation; absent = a new one.",
            example: "shopping")
        ],
        answers: [.init(.switchingProtocols, "Frames of JSON from here on.", .nothing)],
        fails: [.upgradeRequired]
      ) { try await openSocket($0) }
    ]
  }

  private func openSocket(_ exchange: Exchange) async throws -> Reply {
    let agent = exchange.parameters[0]
    guard host().agents[agent] != nil else { throw Failure(.notFound, "there is no agent '\(agent)'") }
    var sessionID = Identifier.randomUUID()
    for (name, value) in Query.parse(exchange.request.uri.query ?? "") {
      guard name == "session_id" else {
        throw Problem.invalid([.init(field: name, message: "is not a parameter here; there is session_id")])
      }
      guard ChatRequest.isSessionID(value) else {
        throw Problem.invalid([.init(field: name, message: ChatRequest.sessionIDRule)])
      }
      sessionID = value
    }
    let handshake = try WebSocketHandshake(exchange.request)
    guard exchange.request.method == .get else {
      throw Problem.wrongMethod(exchange.request.method, allowed: "GET")
    }
    guard let connection = exchange.connection else {
      throw Failure(.internal, "a request without a connection")
    }
    let bridge = FrameBridge(channel: connection.channel, messageBytesMax: exchange.bodyBytesMax)
    try await bridge.takeInput()
    return .upgrade(handshake) { [services = self, sessionID] requestID in
      try await bridge.takeOutput()
      await ConversationSocket(
        services: services, agent: agent, exchange: exchange, sessionID: sessionID, requestID: requestID,
        bridge: bridge,
        connection: connection
      ).run()
    }
  }
}
