// SPDX-License-Identifier: Apache-2.0
import Core
import HTTPTypes
import JSONCodec

/// Agents in the shapes of other systems: each alias says what it takes in its own words, and does what the chat
/// endpoint does.
extension Services {
  var aliasRoutes: [Route] {
    aliases.enumerated().flatMap { index, alias in routes(of: alias, number: index + 1) }
  }

  private func routes(of alias: Alias, number: Int) -> [Route] {
    let name = "alias\(number)"
    return switch alias.shape {
    case .todo: [todoRoute(alias, name)]
    case .agents: [agentsRoute(alias, name)]
    case .webchat: webChatRoutes(alias, name)
    case .whatsapp, .telegram:
      // One that is off has none.
      (alias.shape.channel.flatMap { channels?[$0] }).map { channel in
        [channelRoute(channel, alias.path, name: "\(name)Message", isAlias: true) { alias.agent(in: $0) }]
      } ?? []
    }
  }

  /// - Throws: ``ServerError`` `alias` for one whose requests another route takes.
  func checkAliases() throws(ServerError) {
    var taken = ownRoutes.map(\.template) + ["/openapi.json"]
    for (index, alias) in aliases.enumerated() {
      for path in routes(of: alias, number: index + 1).map(\.template) {
        if let other = taken.first(where: { RouteTable.overlap($0, path) }) {
          throw ServerError(
            .alias, "\(path) of routes would be taken by \(other)", hint: "give it another path")
        }
        taken.append(path)
      }
    }
  }

  /// What an alias answers: the schema of a reply, or that there is none yet.
  func answers(_ schema: String) -> [Route.Answer] {
    [
      .init(.ok, "The answer.", .json(schema)),
      .init(.accepted, "The run waits for a person; it goes on when that is decided.", .json("WaitingRun")),
    ]
  }

  /// Answers with what `write` makes of the agent's reply.
  func answer(
    _ request: ChatRequest, as user: Principal, _ exchange: Exchange,
    _ write: (ChatReply, inout JSONWriter) -> Void
  ) async throws -> Reply {
    var request = request
    request.trace = exchange.trace
    let cancellation = RunCancellation()
    exchange.connection?.onDeparture(cancellation.cancel)
    switch try await runner.chat(
      request, as: user, cancellation: cancellation,
      onEnd: counted(request.message, to: request.agent, as: user, trace: exchange.trace))
    {
    case .answered(let answer):
      var reply = Reply.json { write(answer, &$0) }
      reply.run = answer
      return reply
    case .waiting(let run): return .document(status: .accepted, run)
    }
  }
}

extension Alias {
  /// - Returns: The value of a parameter of the path; `nil` = it has none of that name.
  func value(of name: String, in exchange: Exchange) -> String? {
    parameters.firstIndex(of: name).map { exchange.parameters[$0] }
  }

  func agent(in exchange: Exchange) -> String { agent ?? value(of: "agent", in: exchange) ?? "" }

  /// A message as this system takes it.
  func messageField(_ lengthMax: Int?) -> BodyShape.Field {
    .init(
      name: "message", kind: .string(lengthMin: 1, lengthMax: messageCharactersMax ?? lengthMax),
      isRequired: true, description: "What the user says.", example: "show my to-dos")
  }

  /// On whose behalf: whoever is named must be whoever asks.
  ///
  /// The local user of a server without authentication may speak for others, so that examples with several users can be
  /// tried; they are named so that nobody inherits what they leave when there is authentication.
  ///
  /// - Throws: ``Failure`` `denied`, ``Problem`` 400.
  func user(_ exchange: Exchange, named id: String?) throws -> Principal {
    let user = exchange.user
    guard let id, user.id(named: id) != user.id else { return user }
    guard user == .local else { throw Failure(.denied, "the request is for another user than who asks") }
    guard id.utf8.count <= 100, id.utf8.allSatisfy({ (0x21...0x7E).contains($0) && $0 != UInt8(ascii: "/") })
    else {
      throw Problem.invalid([
        .init(field: "user_id", message: "must be 1 to 100 printable ASCII characters, without spaces and /")
      ])
    }
    return Principal(id: "\(user.id)/\(id)", name: id)
  }
}
