// SPDX-License-Identifier: Apache-2.0
import Core
import HTTPTypes
import HummingbirdCore
import JSONCodec

extension Services {
  var socketRoutes: [Route] {
    [chatSocketRoute("/v1/agents/{agent}/ws", name: "chatSocket", tells: .everything) { $0.parameters[0] }]
  }

  func chatSocketRoute(
    _ path: String, name: String, isAlias: Bool = false, tells: ConversationSocket.Told,
    messageCharactersMax: Int? = nil,
    agent: @escaping @Sendable (Exchange) -> String
  ) -> Route {
    Route(
      .get, path, name: name,
      summary: "Opens a WebSocket on which many messages may be sent to an agent.",
      access: .agent, isAlias: isAlias,
      query: [
        .init(
          name: "session_id", kind: .sessionID, isRequired: false,
          description: "The conversation; absent = a new one.",
          example: "shopping")
      ],
      answers: [.init(.switchingProtocols, "Frames of JSON from here on.", .nothing)],
      fails: [.upgradeRequired]
    ) { exchange in
      try await openSocket(
        exchange, agent: agent(exchange), tells: tells, messageCharactersMax: messageCharactersMax)
    }
  }

  private func openSocket(
    _ exchange: Exchange, agent: String, tells: ConversationSocket.Told, messageCharactersMax: Int?
  ) async throws -> Reply {
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
        services: services, agent: agent, tells: tells, messageCharactersMax: messageCharactersMax,
        exchange: exchange, sessionID: sessionID, requestID: requestID, bridge: bridge, connection: connection
      ).run()
    }
  }
}
