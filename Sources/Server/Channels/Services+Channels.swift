// SPDX-License-Identifier: Apache-2.0
import Core
import HTTPTypes
import HummingbirdCore
import JSONCodec

/// Webhooks of messengers, whose own signatures say who asks.
extension Services {
  /// Those that are on.
  var channelRoutes: [Route] {
    (channels?.channels ?? []).map { channel in
      channelRoute(channel, "/v1/channels/\(channel.name)/{agent}", name: "\(channel.name)Message") {
        $0.parameters[0]
      }
    }
  }

  /// - Parameter isAlias: The configuration made it.
  func channelRoute(
    _ channel: any MessageChannel, _ path: String, name: String, isAlias: Bool = false,
    agent: @escaping @Sendable (Exchange) -> String
  ) -> Route {
    var fails: [HTTPResponse.Status] = [
      .badRequest, .forbidden, .notFound, .tooManyRequests, .internalServerError,
    ]
    fails += [.contentTooLarge, .unsupportedMediaType]
    return Route(
      .post, path, name: name,
      summary: "Takes a message that came by \(channel.name); signed by the messenger.",
      access: .open, isAlias: isAlias, bodySchema: channel.body.schema, bodyType: channel.body.type,
      answers: [
        .init(
          .ok, "The answer, or nothing: it comes later, or the message came before.", .text(channel.replyType)
        )
      ], fails: fails
    ) { try await receive($0, channel, to: agent($0)) }
  }

  private func receive(
    _ exchange: Exchange, _ channel: any MessageChannel, to agent: String
  ) async throws -> Reply {
    guard let channels else { throw Problem.noSuchPath(exchange.request.uri.path) }
    let webhook = Webhook(
      url: channels.url(of: exchange, isEncrypted: isEncrypted), headers: exchange.request.headers,
      body: try await exchange.content(of: channel.body.type))
    let message: ChannelMessage?
    do throws(ChannelRefusal) {
      message = try channel.read(webhook, to: agent)
    } catch {
      throw try refusal(error, webhook, from: exchange.clientAddress)
    }
    var texts: [String] = []
    if let message {
      guard host().agents[agent] != nil else {
        throw Failure(.notFound, "there is no agent '\(agent)'")
      }
      _ = try limits.admit(message.user)
      texts = try await channels.answer(
        message, by: channel, trace: exchange.trace, connection: exchange.connection,
        onEnd: counted(message.text, to: agent, as: message.user, trace: exchange.trace))
    }
    let bytes = channel.reply(texts, to: message?.address ?? JSONObject())
    return Reply(contentType: channel.replyType, bytes: bytes ?? [])
  }

  /// - Throws: ``Problem`` 429 for who tries too often.
  private func refusal(
    _ refusal: ChannelRefusal, _ webhook: Webhook, from address: String?
  ) throws(Problem) -> Problem {
    switch refusal {
    case .invalid(let why): return .invalid(why)
    case .forged(let why):
      try limits.admitStranger(from: address)
      var problem = Problem(status: .forbidden, code: Failure.Code.denied.rawValue, detail: why)
      // Most often it is not the address that was signed.
      problem.diagnostic = "its address was taken to be \(webhook.url.prefix { $0 != "?" })"
      return problem
    }
  }
}

extension Channels {
  /// The address by which the world knows the request.
  fileprivate func url(of exchange: Exchange, isEncrypted: Bool) -> String {
    let origin = "\(isEncrypted ? "https" : "http")://\(exchange.request.head.authority ?? "")"
    return (publicURL ?? origin) + (exchange.request.head.path ?? "/")
  }
}
