// SPDX-License-Identifier: Apache-2.0
import Core
import Identity
import JSONCodec
import Settings
import Transport

extension Configuration.JWT {
  /// Where public keys are fetched; `nil` = nowhere.
  func publishedKeys(_ client: HTTPClient) -> FetchedKeys? {
    if let jwksURL { return FetchedKeys(place: .document(jwksURL), client: client) }
    return issuer.flatMap { discoversKeys ? FetchedKeys(place: .issuer($0), client: client) : nil }
  }
}

/// The public keys of an issuer, over HTTP.
struct FetchedKeys: JWKSSource {
  /// Who knows where they are.
  enum Place: Sendable {
    case document(String)
    /// One that says it in a document of its own, which is asked anew each time.
    case issuer(String)
  }

  private static let timeLimit = Duration.seconds(10)

  let place: Place
  let client: HTTPClient

  /// For people.
  var address: String {
    switch place {
    case .document(let url), .issuer(let url): url
    }
  }

  func load() async throws -> (document: [UInt8], maxAge: Duration?) {
    let url =
      switch place {
      case .document(let url): url
      case .issuer(let issuer): try await keysAddress(of: issuer)
      }
    let response = try await get(url, accepting: "application/jwk-set+json, application/json")
    guard response.status == 200 else {
      throw Failure(.upstream, "\(url) answered \(response.status), and no JWK set")
    }
    let control = response.headers.filter { $0.name.lowercased() == "cache-control" }.map(\.value)
    return (response.body, Self.maxAge(control))
  }

  /// Source: OpenID Connect Discovery 1.0, 4; RFC 8414, 3.
  private func keysAddress(of issuer: String) async throws -> String {
    var url = Self.openIDAddress(of: issuer)
    var response = try await get(url, accepting: "application/json")
    if response.status == 404 {
      url = Self.authorizationServerAddress(of: issuer)
      response = try await get(url, accepting: "application/json")
    }
    guard response.status == 200, let metadata = try? JSON(parsing: response.body) else {
      throw Failure(.upstream, "\(url) answered \(response.status), and does not say where the keys are")
    }
    // Whoever answers for somebody else could hand out keys for their tokens.
    guard metadata["issuer"]?.string == issuer else {
      throw Failure(
        .upstream, "\(url) speaks for \(metadata["issuer"]?.string ?? "nobody"), not for \(issuer)")
    }
    guard let keys = metadata["jwks_uri"]?.string,
      keys.hasPrefix("https://") || keys.hasPrefix("http://") && issuer.hasPrefix("http://")
    else { throw Failure(.upstream, "\(url) names no https:// address as jwks_uri") }
    return keys
  }

  static func openIDAddress(of issuer: String) -> String {
    (issuer.hasSuffix("/") ? String(issuer.dropLast()) : issuer) + "/.well-known/openid-configuration"
  }

  /// The path of the issuer comes after the well-known one.
  static func authorizationServerAddress(of issuer: String) -> String {
    let scheme = issuer.hasPrefix("https://") ? "https://" : "http://"
    let rest = issuer.dropFirst(scheme.count)
    let authority = rest.prefix { $0 != "/" }
    let path = rest.dropFirst(authority.count)
    let end = path.hasSuffix("/") ? path.dropLast() : path
    return "\(scheme)\(authority)/.well-known/oauth-authorization-server\(end)"
  }

  private func get(_ url: String, accepting types: String) async throws -> HTTPResponse {
    try await client.send(
      HTTPRequest(
        method: "GET", url: url, headers: [(name: "Accept", value: types)], timeout: Self.timeLimit,
        responseBytesMax: 1 << 20, isIdempotent: true))
  }

  /// Source: RFC 9111, 5.2.2.1.
  private static func maxAge(_ control: [String]) -> Duration? {
    for directive in control.flatMap({ $0.split(separator: ",") }) {
      let parts = directive.split(separator: "=", maxSplits: 1)
      guard parts.count == 2, parts[0].lowercased().filter({ $0 != " " }) == "max-age" else { continue }
      return Int(parts[1].filter { $0 != " " && $0 != "\"" }).map { .seconds($0) }
    }
    return nil
  }
}
