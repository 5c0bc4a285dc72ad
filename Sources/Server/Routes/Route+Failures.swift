// SPDX-License-Identifier: Apache-2.0
import HTTPTypes

extension Route {
  /// What an answer may be for whoever waits for an agent's run.
  static let runFailures: [HTTPResponse.Status] = [
    .conflict, .unprocessableContent, .tooManyRequests, .clientClosedRequest, .badGateway, .gatewayTimeout,
  ]

  /// The statuses of all answers that tell what went wrong, in their order.
  func failures(_ authentication: Authentication) -> [HTTPResponse.Status] {
    var failures = fails
    // A server that stops answers nothing else.
    failures.append(.serviceUnavailable)
    // Before its route is looked at: a request that does not come to its end, or in a coding that nobody reads.
    failures += [.requestTimeout, .notImplemented]
    let readsBody = body != nil || bodySchema != nil
    if readsBody { failures += [.contentTooLarge, .unsupportedMediaType] }
    if readsBody || list != nil || !query.isEmpty || !headers.isEmpty { failures.append(.badRequest) }
    if template.contains("{") { failures.append(.notFound) }
    switch access {
    case .open: break
    case .user, .agent:
      failures += [.forbidden, .internalServerError]
      // Two credentials at once are one too many.
      if authentication.isRequired { failures += [.badRequest, .unauthorized, .tooManyRequests] }
    }
    return Set(failures.map(\.code)).sorted().map { HTTPResponse.Status(code: $0) }
  }
}
