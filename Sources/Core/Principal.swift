// SPDX-License-Identifier: Apache-2.0
public import JSONCodec

/// Who asks: the user on whose behalf a run acts.
public struct Principal: Sendable, Hashable {
  /// Of a tenant's user with the tenant before it: `acme/ann`.
  public let id: String
  /// `nil` = they are of none: the host's own, or there are no tenants.
  public let tenant: Tenant?
  public let name: String
  public let roles: [String]
  public let claims: JSONObject
  /// Where the request came from, an IP address; `nil` = not over the network, or not known.
  public var address: String?
  /// Of the API key by which they come; `nil` = they come by other means.
  public var keyID: String?
  /// Agents that the key may ask for; empty = all.
  public var keyAgents: [String] = []

  public init(
    id: String, tenant: Tenant? = nil, name: String? = nil, roles: [String] = ["user"],
    claims: JSONObject = JSONObject(), address: String? = nil
  ) {
    self.id = id
    self.tenant = tenant
    self.name = name ?? id
    self.roles = roles
    self.claims = claims
    self.address = address
  }

  /// Whether the key by which they come, if any, is for that agent.
  public func mayAsk(_ agent: String) -> Bool { keyAgents.isEmpty || keyAgents.contains(agent) }

  /// The one user of a server without authentication, who may do everything.
  public static let local = Principal(id: "local", roles: ["user", "operator", "admin"])
}
