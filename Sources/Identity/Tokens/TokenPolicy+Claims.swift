// SPDX-License-Identifier: Apache-2.0
import Core
import JSONCodec

/// When a token counts, in seconds since 1970; of `Double`, in which every JSON number has a place.
struct TokenLifetime: Sendable, Hashable {
  /// Inclusive.
  var from = -Double.infinity
  /// Exclusive.
  var until = Double.infinity

  func contains(_ seconds: Double) -> Bool { from <= seconds && seconds < until }
}

extension TokenPolicy {
  /// Whom the claims of a signed token name, and until when.
  ///
  /// - Parameter now: Seconds since 1970.
  /// - Throws: ``TokenRefusal``.
  func admit(
    _ claims: JSONObject, at now: Double
  ) throws(TokenRefusal) -> (principal: Principal, lifetime: TokenLifetime) {
    let lifetime = try lifetime(claims)
    if now >= lifetime.until { throw TokenRefusal(.expired, "the token has expired") }
    if now < lifetime.from { throw TokenRefusal(.notYetValid, "the token is not valid yet") }
    try checkIssuer(claims)
    try checkAudience(claims)
    let tenant = try tenant(claims)
    let id = try userID(claims, of: tenant)
    let name = claims["name"]?.string.flatMap { name in
      name.isEmpty || name.utf8.count > UserID.bytesMax || !UserID.isPrintable(name) ? nil : name
    }
    let principal = Principal(
      id: tenant?.id(of: id) ?? id, tenant: tenant, name: name ?? id, roles: try roles(claims),
      claims: Self.claimsOfUser(claims))
    return (principal, lifetime)
  }

  /// Source: RFC 7519, 4.1.4 to 4.1.6. `exp` itself is too late, `nbf` itself is not too early.
  private func lifetime(_ claims: JSONObject) throws(TokenRefusal) -> TokenLifetime {
    let leeway = leeway / .seconds(1)
    var lifetime = TokenLifetime()
    if let expiry = try date("exp", claims) {
      lifetime.until = expiry + leeway
    } else if requiresExpiry {
      throw CompactToken.malformed("has no 'exp'")
    }
    // A token of the future comes from a wrong clock, or from somebody who tries to outlive a key.
    for name in ["nbf", "iat"] {
      if let start = try date(name, claims) { lifetime.from = max(lifetime.from, start - leeway) }
    }
    return lifetime
  }

  private func date(_ name: String, _ claims: JSONObject) throws(TokenRefusal) -> Double? {
    guard let value = claims[name] else { return nil }
    guard let seconds = value.double, seconds.isFinite else {
      throw CompactToken.malformed("has an '\(name)' that is not a number")
    }
    return seconds
  }

  private func checkIssuer(_ claims: JSONObject) throws(TokenRefusal) {
    guard let issuer else { return }
    guard claims["iss"]?.string?.hasSameBytes(as: issuer) == true else {
      throw TokenRefusal(.issuer, "the token is of another issuer")
    }
  }

  private func checkAudience(_ claims: JSONObject) throws(TokenRefusal) {
    if audiences.isEmpty { return }
    let named: [String]? =
      switch claims["aud"] {
      case .string(let audience)?: [audience]
      case .array(let elements)?: Self.texts(elements)
      default: nil
      }
    guard let named, named.contains(where: { one in audiences.contains { $0.hasSameBytes(as: one) } }) else {
      throw TokenRefusal(.audience, "the token is for another audience")
    }
  }

  private func tenant(_ claims: JSONObject) throws(TokenRefusal) -> Tenant? {
    guard let tenantClaim else { return nil }
    guard case .string(let name)? = ClaimPath(tenantClaim).value(in: claims) else {
      throw TokenRefusal(.tenant, "the token does not name its user's tenant in '\(tenantClaim)'")
    }
    guard let tenant = Tenant(name) else { throw TokenRefusal(.tenant, "a tenant's name is \(Tenant.rule)") }
    return tenant
  }

  private func userID(_ claims: JSONObject, of tenant: Tenant?) throws(TokenRefusal) -> String {
    let id: String
    switch ClaimPath(userClaim).value(in: claims) {
    case .string(let text)?: id = text
    case .integer(let number)?: id = String(number)
    default: throw TokenRefusal(.subject, "the token does not name its user in '\(userClaim)'")
    }
    if let fault = UserID.fault(in: id, of: tenant) { throw TokenRefusal(.subject, fault) }
    return id
  }

  private static let rolesMax = 100

  private func roles(_ claims: JSONObject) throws(TokenRefusal) -> [String] {
    let roles: [String]?
    switch ClaimPath(rolesClaim).value(in: claims) {
    case nil: return rolesDefault
    case .string(let text)?: roles = text.split(separator: " ").map(String.init)
    case .array(let elements)?: roles = Self.texts(elements)
    default: roles = nil
    }
    guard let roles else { throw CompactToken.malformed("has roles that are not a list of texts") }
    var seen: Set<String> = []
    // What is no name, or one of very many, opens nothing.
    return Array(
      roles.filter { !$0.isEmpty && !$0.contains(where: \.isWhitespace) && seen.insert($0).inserted }
        .prefix(Self.rolesMax))
  }

  /// `nil` when one of them is not text: half a list would be guesswork.
  private static func texts(_ elements: [JSON]) -> [String]? {
    let texts = elements.compactMap(\.string)
    return texts.count == elements.count ? texts : nil
  }

  /// Without what describes the token and not its user: a renewed token then makes the same principal.
  private static func claimsOfUser(_ claims: JSONObject) -> JSONObject {
    JSONObject(
      claims.members.filter { !["exp", "nbf", "iat", "jti"].contains($0.key) }.map { ($0.key, $0.value) })
  }
}
