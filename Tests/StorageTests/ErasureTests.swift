// SPDX-License-Identifier: Apache-2.0
import Core
import GRDB
import Identity
import JSONCodec
import Storage
import Testing

@Suite("Erasing a user")
struct ErasureTests {
  private static let admin = AuditEntry.Actor(userID: "root")

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
      let erased = try await store.eraseUser("ann", by: Self.admin, time: ManualTime())
      #expect(erased.sessions == 45 && erased.runs == 30 && erased.auditEntries == 75 && erased.isScrubbed)
      #expect(try await store.runs(visibleTo: .everyone, page: PageRequest()).items.map(\.id) == ["b"])
      #expect(try await store.sessions(userID: "bob", page: PageRequest()).items.count == 1)
      let verdict = try await store.verifyAudit()
      #expect(verdict.faults.isEmpty && verdict.erased == 75)
      #expect(
        try await failure { try await store.eraseUser("ann", by: Self.admin, time: ManualTime()) }.code
          == .notFound)
      // A run that begins is written where the erased ones were.
      try await store.turn("new", session: "s1", at: 3000)
    }
  }

  @Test("one that is cut off stands in the trail, and is finished by whoever asks again")
  func cutOff() async throws {
    try await withStore { store in
      // All that is kept of them goes at once: nothing but the mark tells that they were there.
      try await store.saveAPIKey(Self.key(of: "ann"), by: Self.admin)
      await #expect(throws: CancellationError.self) {
        try await store.eraseUser("ann", by: Self.admin, time: ManualTime())
      }
      #expect(try await store.apiKeys(userID: "ann", page: PageRequest()).items.isEmpty)
      #expect(try await store.actions == [.userErasureBegun, .keyCreated])
      // Who they are in the trail outlasts what is forgotten of it meanwhile.
      _ = try await store.forgetAudit(
        before: Timestamp(milliseconds: 2), at: Timestamp(milliseconds: 2_000_000))
      let erased = try await store.eraseUser("ann", by: Self.admin, time: Waiting {})
      #expect(erased.isResumed)
      let trail = try await store.auditTrail(AuditFilter(), page: PageRequest()).items.map(\.entry)
        .filter { $0.action != .auditForgotten }
      #expect(trail.map(\.action) == [.userErased, .userErasureBegun, .userErasureBegun])
      #expect(try trail.prefix(2).map { try $0.detail?.value()["resumed"] } == [true, true])
      #expect(Set(trail.map(\.target)).count == 1)
      #expect(
        try await failure { try await store.eraseUser("ann", by: Self.admin, time: ManualTime()) }.code
          == .notFound)
    }
  }

  @Test("a run that begins meanwhile ends it, and the trail says that it was begun")
  func conflict() async throws {
    try await withStore { store in
      try await store.saveAPIKey(Self.key(of: "ann"), by: Self.admin)
      try await store.turn("old", session: "s", at: 1000)
      let refusal = try await failure {
        // Of a server that believes the key for a moment more.
        try await store.eraseUser(
          "ann", by: Self.admin, time: Waiting { _ = try await store.openTurn(opening("new")) })
      }
      #expect(refusal.code == .conflict && refusal.message.contains("new"))
      #expect(refusal.message.contains("some of it is gone"))
      #expect(try await store.actions.first == .userErasureBegun)
      try await store.closeTurn(closing("new"))
      #expect(try await store.eraseUser("ann", by: Self.admin, time: Waiting {}).sessions == 1)
      #expect(try await store.runs(visibleTo: .everyone, page: PageRequest()).items.isEmpty)
      #expect(try await store.verifyAudit().faults.isEmpty)
    }
  }

  @Test("a user whose runs are under way keeps everything, keys too, and nothing was begun")
  func busy() async throws {
    try await withStore { store in
      try await store.saveAPIKey(Self.key(of: "ann"), by: Self.admin)
      _ = try await store.openTurn(opening("r"))
      let refusal = try await failure {
        try await store.eraseUser("ann", by: Self.admin, time: ManualTime())
      }
      #expect(refusal.code == .conflict && !refusal.message.contains("gone"))
      #expect(try await store.apiKeys(userID: "ann", page: PageRequest()).items.count == 1)
      #expect(try await store.actions == [.keyCreated])
    }
  }

  @Test("events go wherever they stand among those of others")
  func events() async throws {
    try await withStore { store in
      let users = ["ann", "bob", nil]
      try await store.keep(
        (0..<12_000).map { Event("external.x", at: Timestamp(milliseconds: 1), userID: users[$0 % 3]) })
      try await store.turn("r", session: "s", at: 1000)
      _ = try await store.eraseUser("ann", by: Self.admin, time: ManualTime())
      var (left, last): ([String?: Int], Int64) = ([:], 0)
      while case let page = try await store.events(after: last, EventFilter(), limit: 5000),
        page.last > last
      {
        for event in page.events { left[event.event.userID, default: 0] += 1 }
        last = page.last
      }
      #expect(left == ["bob": 4000, nil: 4000])
    }
  }

  @Test("a part of a name that looks like a tenant goes with the name")
  func slash() async throws {
    try await withDirectory { directory in
      let store = try await SQLiteStore.open(directory: directory, synchronous: .normal)
      for user in ["Xanadu/7", "Xanadu/8", "ann"] { try await store.turn("r\(user)", user: user) }
      _ = try await store.eraseUser("Xanadu/7", by: Self.admin, time: ManualTime())
      #expect(try await store.verifyAudit().faults.isEmpty)
      try await store.close()
      let queue = try DatabaseQueue(path: directory + "/" + SQLiteStore.fileName)
      let actors = try await queue.read { database in
        try String.fetchAll(
          database,
          sql: """
            SELECT ifnull(user_id, 'erased') FROM audit JOIN audit_actors ON audit_actors.id = actor
            WHERE tenant IS NOT NULL
            """)
      }
      #expect(actors == ["Xanadu/8"])
      try queue.close()
    }
  }

  private static func key(of user: String) -> APIKeyRecord {
    let key = APIKey.make()
    return APIKeyRecord(
      id: key.id, hash: key.hash, name: "k", userID: user, roles: ["user"], agents: [],
      createdAt: Timestamp(milliseconds: 1))
  }

  /// Time that passes at once, while something happens.
  private struct Waiting: TimeSource {
    let now = Timestamp(milliseconds: 100_000)
    let elapsed = Duration.zero
    let meanwhile: @Sendable () async throws -> Void

    init(_ meanwhile: @escaping @Sendable () async throws -> Void) { self.meanwhile = meanwhile }

    func sleep(for duration: Duration) async throws {
      #expect(duration >= APIKeyVerifier.rememberedFor)
      try await meanwhile()
    }
  }

  @Test("who erases themselves is not named by it")
  func themselves() async throws {
    try await withStore { store in
      try await store.turn("r", session: "s", at: 1000)
      _ = try await store.eraseUser("ann", by: AuditEntry.Actor(userID: "ann"), time: ManualTime())
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
      _ = try await store.eraseUser("ann", by: Self.admin, time: ManualTime())
      for scope in mine { #expect(try await values.get(scope: scope, key: "k") == nil) }
      for scope in others { #expect(try await values.get(scope: scope, key: "k") != nil, "\(scope)") }
    }
  }
}

extension SQLiteStore {
  /// Of the audit trail, the latest first.
  fileprivate var actions: [AuditEntry.Action] {
    get async throws {
      try await auditTrail(AuditFilter(), page: PageRequest()).items.map(\.entry.action)
    }
  }
}
