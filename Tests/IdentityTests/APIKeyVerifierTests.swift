// SPDX-License-Identifier: Apache-2.0
import Core
import Synchronization
import Testing

@testable import Identity

/// A store in memory that counts, fails and waits when a test says so.
final class KeyStore: APIKeyStore {
  private struct State {
    var records: [String: APIKeyRecord] = [:]
    var finds = 0
    var touches = 0
    var fails = false
    var touchFails = false
  }

  private let state = Mutex(State())

  var finds: Int { state.withLock(\.finds) }
  var touches: Int { state.withLock(\.touches) }
  func fail(_ fails: Bool = true, touch: Bool = false) {
    state.withLock {
      $0.fails = fails
      $0.touchFails = touch
    }
  }
  func change(_ id: String, _ change: (inout APIKeyRecord) -> Void) {
    state.withLock {
      if var record = $0.records[id] {
        change(&record)
        $0.records[id] = record
      }
    }
  }

  func apiKey(id: String) async throws -> APIKeyRecord? {
    try state.withLock { state in
      state.finds += 1
      if state.fails { throw Failure(.internal, "down") }
      return state.records[id]
    }
  }
  func saveAPIKey(_ record: APIKeyRecord, by actor: AuditEntry.Actor) async throws {
    state.withLock { $0.records[record.id] = record }
  }
  func revokeAPIKey(id: String, by actor: AuditEntry.Actor, at: Timestamp) async throws {
    change(id) { $0.revokedAt = $0.revokedAt ?? at }
  }
  func apiKeys(userID: String?, page: PageRequest) async throws -> Page<APIKeyRecord> {
    Page(items: state.withLock { $0.records.values.filter { $0.userID == userID ?? $0.userID } }, next: nil)
  }
  func touchAPIKey(id: String, at: Timestamp) async throws {
    try state.withLock {
      $0.touches += 1
      if $0.touchFails { throw Failure(.internal, "down") }
    }
    change(id) { $0.lastUsedAt = at }
  }
}

@Suite("Who comes with an API key")
struct APIKeyVerifierTests {
  private let clock = ManualTime()
  private let key = APIKey.make()

  private func refusal(_ verifier: APIKeyVerifier, _ key: APIKey) async -> TokenRefusal.Code? {
    do {
      _ = try await verifier.verify(key)
      return nil
    } catch {
      return error.code
    }
  }

  private func saved(_ store: KeyStore, expiresAfter: Duration? = nil) async throws {
    try await store.saveAPIKey(
      .make(
        for: key, name: "report", userID: "bot", roles: ["user", "operator"], agents: ["todo"], at: clock.now,
        expiresAt: expiresAfter.map { clock.now + $0 }), by: .init(userID: "ops"))
  }

  @Test("a key acts for its user, with its roles and agents")
  func grant() async throws {
    let store = KeyStore()
    try await saved(store)
    let verifier = APIKeyVerifier(store: store, clock: clock)
    #expect(verifier.remembered(key) == nil)
    let principal = try await verifier.verify(key)
    #expect(principal.id == "bot" && principal.roles == ["user", "operator"])
    #expect(principal.keyID == key.id && principal.keyAgents == ["todo"])
    #expect(verifier.remembered(key) == principal)
  }

  @Test("it is looked up each 2 seconds, and noted as used each minute")
  func cache() async throws {
    let store = KeyStore()
    try await saved(store)
    let verifier = APIKeyVerifier(store: store, clock: clock)
    for _ in 0..<120 {
      _ = try await verifier.verify(key)
      clock.advance(by: 1)
    }
    #expect(store.finds == 60)
    #expect(store.touches == 2)
  }

  @Test("an unknown key and a wrong secret are refused alike, and not remembered")
  func unknown() async throws {
    let store = KeyStore()
    let verifier = APIKeyVerifier(store: store, clock: clock)
    #expect(await refusal(verifier, key) == .unknownKey)
    try await saved(store)
    #expect(await refusal(verifier, key) == nil)
    // Another secret under the same id, with a good checksum.
    let body =
      Array(key.reveal().utf8.prefix(21)) + Array(APIKey.make().reveal().utf8.dropFirst(21).prefix(43))
    let forged = try APIKey(parsing: String(decoding: body + APIKey.checksum(of: body), as: UTF8.self))
    #expect(forged.id == key.id && verifier.remembered(forged) == nil)
    #expect(await refusal(verifier, forged) == .unknownKey)
    #expect(verifier.remembered(key) != nil)
  }

  @Test("it ends at its time, remembered or not")
  func expiry() async throws {
    let store = KeyStore()
    try await saved(store, expiresAfter: .seconds(1))
    let verifier = APIKeyVerifier(store: store, clock: clock)
    #expect(await refusal(verifier, key) == nil)
    clock.advance(by: 0.9)
    #expect(verifier.remembered(key) != nil)
    clock.advance(by: 0.1)
    #expect(verifier.remembered(key) == nil)
    #expect(await refusal(verifier, key) == .expired)
  }

  @Test("a revocation takes effect within 2 seconds")
  func revocation() async throws {
    let store = KeyStore()
    try await saved(store)
    let verifier = APIKeyVerifier(store: store, clock: clock)
    _ = try await verifier.verify(key)
    try await store.revokeAPIKey(id: key.id, by: .init(userID: "ops"), at: clock.now)
    clock.advance(by: 1.9)
    #expect(await refusal(verifier, key) == nil)
    clock.advance(by: 0.1)
    #expect(verifier.remembered(key) == nil)
    #expect(await refusal(verifier, key) == .revoked)
  }

  @Test("a store that fails makes keys unavailable; a note that fails harms nobody")
  func failing() async throws {
    let store = KeyStore()
    try await saved(store)
    let verifier = APIKeyVerifier(store: store, clock: clock)
    store.fail()
    #expect(await refusal(verifier, key) == .unavailable)
    store.fail(false, touch: true)
    #expect(await refusal(verifier, key) == nil)
    #expect(store.touches == 1)
  }

  @Test("a stored user who cannot be one is refused")
  func reserved() async throws {
    let store = KeyStore()
    try await store.saveAPIKey(
      APIKeyRecord(
        id: key.id, hash: key.hash, name: "x", userID: "perigee:cron", roles: [], agents: [],
        createdAt: clock.now), by: .init(userID: "ops"))
    #expect(await refusal(APIKeyVerifier(store: store, clock: clock), key) == .subject)
  }

  @Test(
    "a key's tenant counts where there are tenants, and its user's id makes none",
    arguments: [
      ("acme", "acme/bot", true, nil), (nil, "bot", true, nil), (nil, "bot", false, nil),
      (nil, "acme/bot", false, nil), ("acme", "acme/bot", false, .tenant), (nil, "acme/bot", true, .tenant),
      ("acme", "globex/bot", true, .tenant), ("acme", "bot", true, .tenant),
    ] as [(String?, String, Bool, TokenRefusal.Code?)])
  func tenants(_ tenant: String?, _ user: String, _ hasTenants: Bool, _ code: TokenRefusal.Code?) async throws
  {
    let store = KeyStore()
    try await store.saveAPIKey(
      APIKeyRecord(
        id: key.id, hash: key.hash, name: "x", userID: user, tenant: tenant.flatMap(Tenant.init), roles: [],
        agents: [], createdAt: clock.now), by: .init(userID: "ops"))
    let verifier = APIKeyVerifier(store: store, hasTenants: hasTenants, clock: clock)
    #expect(await refusal(verifier, key) == code)
    guard code == nil else { return }
    let principal = try await verifier.verify(key)
    #expect(principal.id == user && principal.tenant?.name == tenant)
  }
}
