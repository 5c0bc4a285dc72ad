// SPDX-License-Identifier: Apache-2.0
import Core
import HTTPTypes
import Hummingbird
public import Identity

/// How callers prove who they are.
public struct Authentication: Sendable {
  enum Mode: Sendable {
    /// Everybody who reaches the loopback address is the local user.
    case none
    case credentials(tokens: TokenVerifier?, keys: APIKeyVerifier?)
  }

  let mode: Mode

  public static let none = Authentication(mode: .none)

  private init(mode: Mode) { self.mode = mode }

  /// Whether callers have to say who they are.
  var isRequired: Bool { takesTokens || takesKeys }
  var takesTokens: Bool { if case .credentials(_?, _) = mode { true } else { false } }
  var takesKeys: Bool { if case .credentials(_, _?) = mode { true } else { false } }

  /// - Parameters:
  ///   - tokens: `nil` = tokens are not taken.
  ///   - keys: `nil` = API keys are not taken.
  public init(tokens: TokenVerifier?, keys: APIKeyVerifier?) {
    self.init(mode: .credentials(tokens: tokens, keys: keys))
  }
}

/// Tells on whose behalf a request comes.
struct Authenticator: Sendable {
  let authentication: Authentication
  let proxies: TrustedProxies
  let origins: CrossOrigin

  /// - Throws: ``Failure`` `denied`, ``Problem`` 401, or 503 when nobody can tell now.
  func identify(_ request: Request, from connection: Connection?) async throws -> Principal {
    switch authentication.mode {
    case .none: return try local(request)
    case .credentials(let tokens, let keys):
      var user: Principal
      do {
        user = try await identify(request, tokens: tokens, keys: keys)
      } catch let refusal as TokenRefusal {
        throw Problem(refusal)
      }
      user.address = proxies.client(of: request, from: connection?.address)
      return user
    }
  }

  private func identify(
    _ request: Request, tokens: TokenVerifier?, keys: APIKeyVerifier?
  ) async throws -> Principal {
    let credentials = try Credentials.parse(
      authorization: request.headers[values: .authorization], apiKey: request.headers[values: .apiKey])
    switch credentials {
    case .token(let token):
      guard let tokens else { throw Problem.unauthorized("tokens are not taken here; show an API key") }
      if let known = tokens.remembered(token) { return known }
      return try await tokens.verify(token)
    case .apiKey(let key):
      guard let keys else { throw Problem.unauthorized("API keys are not taken here; show a token") }
      if let known = keys.remembered(key) { return known }
      return try await keys.verify(key)
    case nil:
      throw Problem.unauthorized(
        tokens == nil
          ? "show an API key: Authorization: Bearer pgk_… or X-API-Key"
          : "show who you are: Authorization: Bearer and a token")
    }
  }

  /// - Throws: ``Failure`` `denied` when the request comes by a name that is not this machine's: a web page whose
  ///   owner points its name at 127.0.0.1 would otherwise act as the local user. The same goes for a page of another
  ///   origin, whose browser says so.
  private func local(_ request: Request) throws(Failure) -> Principal {
    // It would be the proxy that is local, and the world that is let in.
    if [.forwardedFor, .forwarded, .via].contains(where: { request.headers[$0] != nil }) {
      throw Failure(.denied, "a server without authentication answers nobody behind a proxy; set auth.mode")
    }
    let authority = request.head.authority ?? ""
    guard authority.isEmpty || Loopback.contains(Loopback.host(of: authority[...])) else {
      throw Failure(.denied, "a server without authentication answers only to local names")
    }
    if let origin = request.headers[.origin], !origins.names(origin) {
      guard let separator = origin.firstRange(of: "://"), origin[separator.upperBound...] == authority else {
        throw Failure(.denied, "a server without authentication answers no other origin")
      }
    }
    return .local
  }
}

extension Problem {
  /// Nobody has said who asks. Source: RFC 6750, 3.1: then the challenge names no error.
  static func unauthorized(_ detail: String) -> Problem {
    Problem(
      status: .unauthorized, code: "unauthorized", detail: detail, headers: [.wwwAuthenticate: "Bearer"])
  }

  /// What was shown does not count.
  init(_ refusal: TokenRefusal) {
    guard let challenge = refusal.challenge else {
      self.init(
        status: .serviceUnavailable, code: "unavailable", detail: refusal.message, retryAfterSeconds: 5)
      return
    }
    self.init(
      status: refusal.code == .request ? .badRequest : .unauthorized,
      code: refusal.code == .request ? Failure.Code.invalidArguments.rawValue : "unauthorized",
      detail: refusal.message, headers: [.wwwAuthenticate: challenge])
  }
}
