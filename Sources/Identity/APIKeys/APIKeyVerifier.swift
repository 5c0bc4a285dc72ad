// SPDX-License-Identifier: Apache-2.0
public import Core
import Synchronization

/// Tells whom an API key stands for.
///
/// Records are remembered for ``rememberedFor``, so that a key costs a request next to nothing; within that time a
/// revocation takes effect. Unknown ids are not remembered: who guesses takes a new one each time, and a look-up by
/// primary key costs less than the place that it would take from a good key.
public final class APIKeyVerifier: Sendable {
  /// How long a revocation may go unnoticed.
  public static let rememberedFor = Duration.seconds(2)
  /// A key's last use is written at most this often.
  public static let touchGap = Duration.seconds(60)

  private struct Entry: Sendable {
    let record: APIKeyRecord
    let principal: Principal
    /// On the clock that never jumps.
    let until: Duration
  }

  private let store: any APIKeyStore
  private let hasTenants: Bool
  private let clock: any TimeSource
  private let entries: Mutex<BoundedCache<String, Entry>>

  /// - Parameter hasTenants: Whether there are tenants; else keys of one are refused, which would be the host's own.
  public init(
    store: any APIKeyStore, hasTenants: Bool = false, clock: any TimeSource, remembersMax: Int = 10_000
  ) {
    self.store = store
    self.hasTenants = hasTenants
    self.clock = clock
    entries = Mutex(BoundedCache(countMax: remembersMax))
  }

  /// Whom a key stands for that was looked up a moment ago; `nil` says nothing but that ``verify(_:)`` must.
  ///
  /// - Complexity: One hash and one look-up; never suspends.
  public func remembered(_ key: APIKey) -> Principal? {
    let now = clock.elapsed
    let entry = entries.withLock { $0.value(for: key.id) }
    guard let entry, now < entry.until, entry.record.matches(key), entry.record.refusal(at: clock.now) == nil
    else {
      return nil
    }
    return entry.principal
  }

  /// Looks a key up.
  ///
  /// - Throws: ``TokenRefusal``: `unknown_key` for an id that there is not as for a wrong secret, `expired`
  ///   and `revoked` only to who has the secret, `subject`, `unavailable` when the store fails.
  public func verify(_ key: APIKey) async throws(TokenRefusal) -> Principal {
    if let principal = remembered(key) { return principal }
    let began = clock.elapsed
    let found: APIKeyRecord?
    do {
      found = try await store.apiKey(id: key.id)
    } catch {
      throw TokenRefusal(.unavailable, "API keys cannot be looked up now")
    }
    guard let record = found, record.matches(key) else {
      throw TokenRefusal(.unknownKey, "the API key is not known")
    }
    let now = clock.now
    if let refusal = record.refusal(at: now) { throw refusal }
    if let fault = UserID.fault(in: record.userID) { throw TokenRefusal(.subject, fault) }
    if let refusal = refusal(of: record) { throw refusal }
    var principal = Principal(id: record.userID, tenant: record.tenant, roles: record.roles)
    principal.keyID = record.id
    principal.keyAgents = record.agents
    let entry = Entry(record: record, principal: principal, until: began + Self.rememberedFor)
    entries.withLock { $0.insert(entry, for: record.id) }
    if record.lastUsedAt.map({ now - $0 >= Self.touchGap }) ?? true {
      // A note that cannot be written is no reason to turn somebody away; the next look-up tries again.
      try? await store.touchAPIKey(id: record.id, at: now)
    }
    return principal
  }

  /// Why a key's user is not taken; an id alone does not tell whether it is one of a tenant.
  private func refusal(of record: APIKeyRecord) -> TokenRefusal? {
    if let tenant = record.tenant {
      if !hasTenants { return TokenRefusal(.tenant, "the API key is of a tenant, and there are none here") }
      return tenant.holds(record.userID)
        ? nil : TokenRefusal(.tenant, "the API key is not of its user's tenant")
    }
    guard hasTenants, UserID.mayBeOfTenant(record.userID) else { return nil }
    return TokenRefusal(.tenant, "the API key's user has a '/' in their id and no tenant")
  }
}
