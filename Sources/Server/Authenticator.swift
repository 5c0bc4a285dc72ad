// SPDX-License-Identifier: Apache-2.0
import Core
import Hummingbird

/// Tells on whose behalf a request comes.
struct Authenticator: Sendable {
  enum Mode: Sendable {
    /// Everybody who reaches the loopback address is the local user.
    case none
  }

  let mode: Mode

  /// - Throws: ``Failure`` `denied` when the request comes by a name that is not this machine's: a web page whose
  ///   owner points its name at 127.0.0.1 would otherwise act as the local user. The same goes for a page of another
  ///   origin, whose browser says so.
  func identify(_ request: Request) throws(Failure) -> Principal {
    switch mode {
    case .none:
      let authority = request.head.authority ?? ""
      guard authority.isEmpty || Loopback.contains(Loopback.host(of: authority[...])) else {
        throw Failure(.denied, "a server without authentication answers only to local names")
      }
      if let origin = request.headers[.origin] {
        guard let separator = origin.firstRange(of: "://"), origin[separator.upperBound...] == authority
        else {
          throw Failure(.denied, "a server without authentication answers no other origin")
        }
      }
      return .local
    }
  }
}

/// Names and addresses that mean this machine.
enum Loopback {
  static func contains(_ host: some StringProtocol) -> Bool {
    let host = host.lowercased()
    if host == "localhost" || host.hasSuffix(".localhost") || host == "::1" { return true }
    let parts = host.split(separator: ".", omittingEmptySubsequences: false)
    return parts.count == 4 && parts[0] == "127" && parts.allSatisfy { UInt8($0) != nil }
  }

  /// The host of `host:port`, an IPv6 address without its brackets.
  static func host(of authority: Substring) -> Substring {
    if authority.first == "[" { return authority.dropFirst().prefix { $0 != "]" } }
    return authority.prefix { $0 != ":" }
  }
}
