// SPDX-License-Identifier: Apache-2.0
import Core
import HTTPTypes
import JSONCodec

/// `/webchat/session/new`, `/webchat/message`, `/webchat/ws`: the marketplace's own shape.
extension Services {
  private enum WebChat: String, CaseIterable {
    case session = "/session/new"
    case message = "/message"
    case socket = "/ws"
  }

  /// The operation whose path it is, or all of them below it.
  func webChatRoutes(_ alias: Alias, _ name: String) -> [Route] {
    let agent = alias.agent ?? ""
    func route(_ operation: WebChat, _ path: String) -> Route {
      switch operation {
      case .session: sessionRoute(path, agent, name)
      case .message: messageRoute(alias, path, agent, name)
      case .socket: socketRoute(alias, path, agent, name)
      }
    }
    if let operation = WebChat.allCases.first(where: { alias.path.hasSuffix($0.rawValue) }) {
      return [route(operation, alias.path)]
    }
    let base = alias.path == "/" ? "" : alias.path
    return WebChat.allCases.map { route($0, base + $0.rawValue) }
  }

  private func sessionRoute(_ path: String, _ agent: String, _ name: String) -> Route {
    let shape = BodyShape(fields: [])
    return Route(
      .post, path, name: "\(name)Session", summary: "Begins a conversation.", access: .agent, isAlias: true,
      body: shape,
      answers: [.init(.ok, "Its name.", .json("WebChatSession"))]
    ) { exchange in
      _ = try await exchange.body(shape)
      guard exchange.user.mayAsk(agent) else {
        throw Failure(.denied, "this API key is not for the agent '\(agent)'")
      }
      let session = try await store.createSession(
        id: Identifier.randomUUID(), title: TurnOpening.untitled, userID: exchange.user.id, at: time.now)
      return .json { $0.member("session_id", session.id) }
    }
  }

  private func messageRoute(_ alias: Alias, _ path: String, _ agent: String, _ name: String) -> Route {
    let shape = BodyShape(fields: [
      .init(
        name: "session_id", kind: .sessionID, isRequired: true, description: "The conversation.",
        example: "0b8f2f0e-6a4e-4d0c-9f5e-2f1d1c0a9b8e"), alias.messageField(nil),
      .init(
        name: "input", kind: .object, isRequired: false,
        description: "What the agent's script gets as ctx.input."),
    ])
    return Route(
      .post, path, name: "\(name)Message", summary: "Sends a message to an agent, as the marketplace does.",
      access: .agent, isAlias: true, headers: [.idempotencyKey], body: shape,
      answers: answers("WebChatReply"), fails: Route.runFailures
    ) { exchange in
      let body = try await exchange.body(shape)
      var request = ChatRequest(
        agent: agent, message: body["message"]?.string ?? "", sessionID: body["session_id"]?.string,
        input: body["input"]?.object ?? JSONObject())
      request.idempotencyKey = try exchange.idempotencyKey(of: body)
      return try await answer(request, as: exchange.user, exchange) { reply, writer in
        writer.member("response", reply.text)
        writer.member("data", reply.data ?? .null)
      }
    }
  }

  private func socketRoute(_ alias: Alias, _ path: String, _ agent: String, _ name: String) -> Route {
    chatSocketRoute(
      path, name: "\(name)Socket", isAlias: true, tells: .messages,
      messageCharactersMax: alias.messageCharactersMax
    ) { _ in agent }
  }
}
