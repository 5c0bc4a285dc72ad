// SPDX-License-Identifier: Apache-2.0
public import Core
public import JSONCodec

/// What a token for development shall say.
public struct TokenDraft: Sendable {
  public var userID: String
  /// Of the user; `nil` = none.
  public var tenant: Tenant?
  public var name: String?
  public var roles: [String]
  /// Beside those that have a place of their own here.
  public var claims: JSONObject
  /// One second to a year.
  public var lifetime: Duration
  public var issuer: String?
  public var audiences: [String]

  public static let lifetimeMax = Duration.seconds(366 * 86_400)

  public init(
    userID: String, tenant: Tenant? = nil, name: String? = nil, roles: [String] = ["user"],
    claims: JSONObject = JSONObject(),
    lifetime: Duration = .seconds(3600), issuer: String? = nil, audiences: [String] = []
  ) {
    self.userID = userID
    self.tenant = tenant
    self.name = name
    self.roles = roles
    self.claims = claims
    self.lifetime = lifetime
    self.issuer = issuer
    self.audiences = audiences
  }

  /// All claims, user and roles where `policy` looks for them.
  ///
  /// Issuer and audience that the draft leaves open are the policy's.
  ///
  /// - Throws: ``IdentityError`` for a user that a verifier would refuse, with or without a tenant, a lifetime out of bounds, or a
  ///   claim that is written twice.
  func payload(for policy: TokenPolicy, at now: Timestamp) throws(IdentityError) -> JSONObject {
    if let fault = UserID.fault(in: userID, of: tenant) { throw IdentityError(fault) }
    guard (.seconds(1)...Self.lifetimeMax).contains(lifetime) else {
      throw IdentityError("a token lives for one second to 366 days")
    }
    let issuedAt = now.milliseconds / 1000
    var payload = JSONObject()
    if let issuer = issuer ?? policy.issuer { payload.append("iss", .string(issuer)) }
    let audiences = audiences.isEmpty ? Array(policy.audiences.prefix(1)) : audiences
    if audiences.count == 1 {
      payload.append("aud", .string(audiences[0]))
    } else if !audiences.isEmpty {
      payload.append("aud", .array(audiences.map { .string($0) }))
    }
    payload.append("iat", .integer(issuedAt))
    payload.append("exp", .integer(issuedAt + lifetime.components.seconds))
    if let name { payload.append("name", .string(name)) }
    for (name, value) in claims.members {
      guard payload[name] == nil else { throw IdentityError("the claim '\(name)' is written twice") }
      payload.append(name, value)
    }
    var places: [(String, JSON)] = [
      (policy.userClaim, .string(userID)), (policy.rolesClaim, .array(roles.map { .string($0) })),
    ]
    switch (tenant, policy.tenantClaim) {
    case (let tenant?, let claim?): places.append((claim, .string(tenant.name)))
    case (nil, nil): break
    case (_?, nil): throw .noTenants
    case (nil, _?):
      throw IdentityError(
        "a token names its user's tenant here", hint: "--tenant acme; only API keys are without one")
    }
    for (name, value) in places where !ClaimPath(name).write(value, into: &payload) {
      throw IdentityError("the claim '\(name)' is written twice")
    }
    return payload
  }
}
