// SPDX-License-Identifier: Apache-2.0
import Core
import JSONCodec
import Storage
import Testing

@Suite("Erasing a user")
struct ErasureTests {
  private static let admin = AuditEntry.Actor(userID: "root")
  private static let now = Timestamp(milliseconds: 100_000)

  @Test("many conversations and runs go, in several transactions, and others keep theirs")
  func many() async throws {
    try await withStore { store in
      for index in 0..<45 { try await store.turn("r\(index)", session: "s\(index)", at: 1000) }
      for index in 0..<30 {
        var opening = opening("lone\(index)", at: 1000)
        opening.hasSession = false
        _ = try await store.openTurn(opening)
        var closing = closing("lone\(index)", at: 2000)
        closing.hasSession = false
        try await store.closeTurn(closing)
      }
      try await store.turn("b", user: "bob", session: "s1", at: 1000)
      let erased = try await store.eraseUser("ann", by: Self.admin, at: Self.now)
      #expect(erased.sessions == 45 && erased.runs == 30 && erased.auditEntries == 75 && erased.isScrubbed)
      #expect(try await store.runs(visibleTo: .everyone, page: PageRequest()).items.map(\.id) == ["b"])
      #expect(try await store.sessions(userID: "bob", page: PageRequest()).items.count == 1)
      let verdict = try await store.verifyAudit()
      #expect(verdict.faults.isEmpty && verdict.erased == 75)
      #expect(
        try await failure { try await store.eraseUser("ann", by: Self.admin, at: Self.now) }.code == .notFound
      )
      // A run that begins is written where the erased ones were.
      try await store.turn("new", session: "s1", at: 3000)
    }
  }

  @Test("who erases themselves is not named by it")
  func themselves() async throws {
    try await withStore { store in
      try await store.turn("r", session: "s", at: 1000)
      _ = try await store.eraseUser("ann", by: AuditEntry.Actor(userID: "ann"), at: Self.now)
      let entry = try await store.auditTrail(AuditFilter(actions: [.userErased]), page: PageRequest())
        .items.first?.entry
      let detail = try entry?.detail?.value()
      #expect(entry?.actor == nil && detail?["self"] == true)
      #expect(try await store.auditTrail(AuditFilter(userID: "ann"), page: PageRequest()).items.isEmpty)
    }
  }

  @Test("a user whose name begins with another's, or looks like a scope, keeps their values")
  func scopes() async throws {
    try await withStore { store in
      let values = SQLiteKeyValueStore(store: store, time: ManualTime())
      let mine: [KeyValueScope] = [
        .user("ann"), .session(userID: "ann", sessionID: "s"), .session(userID: "ann", sessionID: ""),
      ]
      let others: [KeyValueScope] = [
        .user("ann:s"), .user("ann2"), .session(userID: "ann:s", sessionID: "s"), .workspace(nil),
        .session(userID: "anna", sessionID: "s"), .user("3:ann:s"), .session(userID: "bob", sessionID: "ann"),
      ]
      for scope in mine + others { try await values.set(scope: scope, key: "k", value: RawJSON(1), ttl: nil) }
      _ = try await store.eraseUser("ann", by: Self.admin, at: Self.now)
      for scope in mine { #expect(try await values.get(scope: scope, key: "k") == nil) }
      for scope in others { #expect(try await values.get(scope: scope, key: "k") != nil, "\(scope)") }
    }
  }
}
