// SPDX-License-Identifier: Apache-2.0
public import Core
import Crypto
public import JSONCodec

/// What is stored of an API key: never the secret, only its hash.
public struct APIKeyRecord: Sendable, Hashable {
  public let id: String
  /// SHA-256 of the secret, 32 bytes.
  public let hash: [UInt8]
  /// For people: `nightly report`.
  public var name: String
  /// On whose behalf the key acts: the full id.
  public var userID: String
  /// Of that user; `nil` = none.
  public var tenant: Tenant?
  public var roles: [String]
  /// Agents that it may use; empty = all.
  public var agents: [String]
  public let createdAt: Timestamp
  /// From then on it is refused.
  public var expiresAt: Timestamp?
  public var revokedAt: Timestamp?
  /// To the minute: ``APIKeyVerifier/touchGap``.
  public var lastUsedAt: Timestamp?

  /// As the store read it.
  public init(
    id: String, hash: [UInt8], name: String, userID: String, tenant: Tenant? = nil, roles: [String],
    agents: [String],
    createdAt: Timestamp, expiresAt: Timestamp? = nil, revokedAt: Timestamp? = nil,
    lastUsedAt: Timestamp? = nil
  ) {
    self.id = id
    self.hash = hash
    self.name = name
    self.userID = userID
    self.tenant = tenant
    self.roles = roles
    self.agents = agents
    self.createdAt = createdAt
    self.expiresAt = expiresAt
    self.revokedAt = revokedAt
    self.lastUsedAt = lastUsedAt
  }

  /// Makes the record of a new key.
  ///
  /// - Parameters:
  ///   - userID: Without its tenant.
  ///   - hasTenants: Whether there are tenants: without a claim that names a token's, nobody has one.
  /// - Throws: ``IdentityError`` for a name or user that cannot be one, or a key that expires before it
  ///   begins.
  public static func make(
    for key: APIKey, name: String, userID: String, tenant: Tenant? = nil, hasTenants: Bool = false,
    roles: [String] = ["user"], agents: [String] = [], at now: Timestamp, expiresAt: Timestamp? = nil
  ) throws(IdentityError) -> APIKeyRecord {
    if let fault = UserID.fault(in: userID, of: tenant) { throw IdentityError(fault) }
    if tenant != nil, !hasTenants { throw .noTenants }
    if tenant == nil, hasTenants, UserID.mayBeOfTenant(userID) {
      throw IdentityError("an id with a '/' is one of a tenant's users", hint: "name it: --tenant acme")
    }
    guard (1...UserID.bytesMax).contains(name.utf8.count), UserID.isPrintable(name) else {
      throw IdentityError("a key's name has 1 to \(UserID.bytesMax) bytes that can be printed")
    }
    if let expiresAt, expiresAt <= now { throw IdentityError("the key would expire before it is made") }
    return APIKeyRecord(
      id: key.id, hash: key.hash, name: name, userID: tenant?.id(of: userID) ?? userID, tenant: tenant,
      roles: roles, agents: agents, createdAt: now,
      expiresAt: expiresAt)
  }

  /// Whether `key` is the one that was made with this record, in a time that does not depend on the bytes.
  public func matches(_ key: APIKey) -> Bool {
    // swift-crypto compares a digest with bytes in constant time; ids are no secret.
    key.digest == hash && key.id == id
  }

  /// Why the key counts no more; `nil` while it does.
  func refusal(at now: Timestamp) -> TokenRefusal? {
    if revokedAt != nil { return TokenRefusal(.revoked, "the API key was revoked") }
    if let expiresAt, now >= expiresAt { return TokenRefusal(.expired, "the API key has expired") }
    return nil
  }
}

extension APIKeyRecord: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
  public var description: String { "\(APIKey.prefix)\(id)_…" }
  public var debugDescription: String { description }
  public var customMirror: Mirror { Mirror(self, children: ["id": id, "name": name]) }

  /// For the command line and HTTP; times are RFC 3339 or `null`. Neither hash nor secret is in it.
  public var json: RawJSON {
    var writer = JSONWriter(reservingCapacity: 256)
    writer.object {
      $0.member("id", id)
      $0.member("name", name)
      $0.member("user_id", userID)
      $0.member("tenant", tenant.map { JSON.string($0.name) } ?? .null)
      $0.member("roles", JSON.array(roles.map { .string($0) }))
      $0.member("agents", JSON.array(agents.map { .string($0) }))
      let times = [
        ("created_at", createdAt), ("expires_at", expiresAt), ("revoked_at", revokedAt),
        ("last_used_at", lastUsedAt),
      ]
      for (name, time) in times { $0.member(named: name, time.map { JSON.string($0.description) } ?? .null) }
    }
    return writer.raw
  }
}
