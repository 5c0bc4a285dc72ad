// SPDX-License-Identifier: Apache-2.0

/// What a token must say, beside being signed.
public struct TokenPolicy: Sendable, Hashable {
  /// Permitted signatures; each key adds its own, narrower limit.
  public var algorithms: [SignatureAlgorithm]
  /// Required `iss`, byte for byte; `nil` = any.
  public var issuer: String?
  /// One of these must be in `aud`; empty = any, which is safe only where the issuer signs for nobody else.
  public var audiences: [String]
  /// How far clocks may differ; 0 to 10 minutes.
  public var leeway: Duration
  /// Whether a token without `exp` is refused: it could never be taken back.
  public var requiresExpiry: Bool
  /// Claim with the user's id: text, or a whole number. A dotted path, unless there is a claim of that very
  /// name.
  public var userClaim: String
  /// Claim with the roles: an array of text, or text with spaces between. A path, as above.
  public var rolesClaim: String
  /// Claim with the user's tenant, text that is a ``Core/Tenant``'s name, which every token then must have; a path, as
  /// above. `nil` = there are no tenants.
  public var tenantClaim: String?
  /// Roles of a user whose token has no such claim.
  public var rolesDefault: [String]

  public static let leewayMax = Duration.seconds(600)

  public init(
    algorithms: [SignatureAlgorithm] = [.hs256], issuer: String? = nil, audiences: [String] = [],
    leeway: Duration = .seconds(30), requiresExpiry: Bool = true, userClaim: String = "sub",
    rolesClaim: String = "roles", tenantClaim: String? = nil, rolesDefault: [String] = ["user"]
  ) {
    self.algorithms = algorithms
    self.issuer = issuer
    self.audiences = audiences
    self.leeway = leeway
    self.requiresExpiry = requiresExpiry
    self.userClaim = userClaim
    self.rolesClaim = rolesClaim
    self.tenantClaim = tenantClaim
    self.rolesDefault = rolesDefault
  }
}
