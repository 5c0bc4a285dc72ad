// SPDX-License-Identifier: Apache-2.0
import Core
import JSONCodec
import Storage
import Testing

@Suite("Audit trail")
struct AuditTests {
  private static func entry(_ action: AuditEntry.Action, by user: String? = "ann", at: Int64 = 7)
    -> AuditEntry
  {
    AuditEntry(
      action, at: Timestamp(milliseconds: at), by: user.map { .init(userID: $0, address: "192.0.2.7") },
      target: "tool:x", runID: "r", agent: "a", version: "v", detail: RawJSON(["n": 1]))
  }

  /// A trail of six entries by two users and the server, on disk and closed.
  private static func withTrail(_ body: (_ directory: String, _ path: String) async throws -> Void)
    async throws
  {
    try await withDirectory { directory in
      let store = try await SQLiteStore.open(directory: directory, synchronous: .normal)
      for (index, user) in ["ann", "bob", nil, "ann", "bob", "ann"].enumerated() {
        try await store.record([Self.entry(.toolCalled, by: user, at: Int64(10 * index))])
      }
      try await store.close()
      try await body(directory, directory + "/" + SQLiteStore.fileName)
    }
  }

  @Test("a digest of what was said is the same for the same, and only in this database")
  func digests() async throws {
    func digest(_ text: String, in store: SQLiteStore) async throws -> String? {
      try await store.record([
        AuditEntry(
          refusalOf: "call", to: .init(userID: "ann"), runID: "r", agent: "a", version: "v",
          arguments: RawJSON(["number": .string(text)]), at: Timestamp(milliseconds: 1))
      ])
      let entry = try await store.auditTrail(AuditFilter(), page: PageRequest(limit: 1)).items.first?.entry
      return try entry?.detail?.value()["arguments"]?.string
    }
    try await withDirectory { directory in
      var found: [String?] = []
      for number in ["555-0101", "555-0102", "555-0101"] {
        let store = try await SQLiteStore.open(directory: directory, synchronous: .normal)
        found.append(try await digest(number, in: store))
        #expect(try await store.verifyAudit().faults.isEmpty)
        try await store.close()
      }
      try await withStore { found.append(try await digest("555-0101", in: $0)) }
      #expect(found[0]?.count == 16 && found[0] == found[2])
      #expect(Set(found).count == 3, "\(found)")
    }
  }

  @Test("a trail of before tenants had an index and digests a key still holds, and tenants find theirs")
  func older() async throws {
    try await withDirectory { directory in
      let store = try await SQLiteStore.open(directory: directory, synchronous: .normal)
      for user in ["ann", "acme/ann", nil, "acme/bob"] {
        try await store.record([Self.entry(.toolCalled, by: user)])
      }
      try await store.close()
      try runSQL(
        directory + "/" + SQLiteStore.fileName,
        """
        DELETE FROM grdb_migrations WHERE identifier LIKE '0017%';
        DROP INDEX approvals_by_decider; DROP INDEX sessions_by_user; DROP INDEX events_by_tenant;
        DROP INDEX jobs_dead_by_tenant; DROP INDEX audit_by_tenant; DROP TABLE audit_key;
        ALTER TABLE audit DROP COLUMN tenant; ALTER TABLE users DROP COLUMN erasing_at;
        """)
      let again = try await SQLiteStore.open(directory: directory, synchronous: .normal)
      #expect(try await again.verifyAudit().faults.isEmpty)
      let acme = try #require(Tenant("acme"))
      let filter = AuditFilter(visibleTo: .tenant(acme))
      let page = try await again.auditTrail(filter, page: PageRequest())
      #expect(page.items.map(\.number) == [4, 2])
      try await again.close()
      #expect(
        try complaint(directory + "/" + SQLiteStore.fileName, "UPDATE audit SET actor = NULL")?
          .contains("is not changed") == true)
    }
  }

  private static func verdict(_ directory: String) async throws -> AuditVerdict {
    let store = try await SQLiteStore.open(directory: directory, synchronous: .normal)
    let verdict = try await store.verifyAudit()
    try await store.close()
    return verdict
  }

  @Test("turns, what they did and what was done to them stand in it, in order and intact")
  func recorded() async throws {
    try await withStore { store in
      _ = try await store.openTurn(opening("r1"))
      var closing = closing("r1")
      closing.audit = [Self.entry(.toolCalled)]
      closing.address = "192.0.2.7"
      try await store.closeTurn(closing)
      // What is said twice is done once.
      try await store.closeTurn(closing)
      try await store.deleteSession(
        id: "s", by: .init(userID: "ann"), at: Timestamp(milliseconds: 9))
      let trail = try await store.auditTrail(AuditFilter(), page: PageRequest()).items
      #expect(trail.map(\.entry.action) == [.sessionDeleted, .runEnded, .toolCalled])
      #expect(trail.map(\.number) == [3, 2, 1])
      let ended = trail[1].entry
      #expect(ended.actor == .init(userID: "ann", address: "192.0.2.7"))
      #expect(ended.agent == "helper" && ended.version == "v1" && ended.runID == "r1")
      #expect(try ended.detail?.value()["status"] == "completed")
      let verdict = try await store.verifyAudit()
      #expect(verdict.count == 3 && verdict.faults.isEmpty && verdict.hash == trail[0].hash)
      #expect(try await store.hasAuditEntry(hash: trail[2].hash))
      #expect(try await !store.hasAuditEntry(hash: String(repeating: "0", count: 64)))
    }
  }

  @Test("a turn that could not be kept leaves nothing in it")
  func rolledBack() async throws {
    try await withStore { store in
      _ = try await store.openTurn(opening("r1"))
      // A stranger's.
      try await store.closeTurn(closing("r1", user: "eve"))
      _ = try await failure {
        try await store.deleteSession(id: "s", by: .init(userID: "eve"), at: Timestamp(milliseconds: 9))
      }
      #expect(try await store.verifyAudit().count == 0)
    }
  }

  @Test("branches that disagree are in it once, however often it is told")
  func conflict() async throws {
    try await withStore { store in
      let event = Event(
        Event.guardConflict, at: Timestamp(milliseconds: 5), userID: "ann", runID: "r", key: "k",
        data: RawJSON(["agent_id": "compose", "field": "listing_id", "values": ["a": "1", "b": "2"]]))
      try await store.keep([event])
      try await store.keep([event])
      let trail = try await store.auditTrail(AuditFilter(actions: [.guardConflict]), page: PageRequest())
        .items
      #expect(trail.count == 1 && trail[0].entry.agent == "compose" && trail[0].entry.runID == "r")
      #expect(try trail[0].entry.detail?.value()["values"]?["b"] == "2")
    }
  }

  @Test(
    "whatever is changed behind its back is found, and where",
    arguments: [
      ("UPDATE audit SET at = 31 WHERE number = 4", [4]),
      ("UPDATE audit SET action = 'run.ended' WHERE number = 2", [2]),
      ("UPDATE audit SET target = NULL WHERE number = 6", [6]),
      ("UPDATE audit SET run_id = 'other' WHERE number = 1", [1]),
      ("UPDATE audit SET detail = x'7b7d' WHERE number = 5", [5]),
      ("UPDATE audit SET actor = 2 WHERE number = 4", [4]),
      ("UPDATE audit SET actor = NULL WHERE number = 4", [4]),
      ("UPDATE audit SET hash = zeroblob(32) WHERE number = 3", [3, 4]),
      ("DELETE FROM audit WHERE number = 3", [4]),
      ("DELETE FROM audit WHERE number IN (2, 3)", [4]),
      ("DELETE FROM audit WHERE number = 1", [2]),
      ("INSERT INTO audit VALUES (7, 70, 'run.ended', 1, NULL, 'r', 'a', 'v', NULL, x'00', NULL)", [7]),
      ("UPDATE audit SET tenant = 'acme/' WHERE number = 2", [2]),
      ("UPDATE audit_actors SET user_id = 'eve' WHERE user_id = 'bob'", [2, 5]),
      ("UPDATE audit_actors SET address = '198.51.100.1' WHERE user_id = 'bob'", [2, 5]),
      ("DELETE FROM audit_actors WHERE user_id = 'bob'", [2, 5]),
      ("UPDATE audit_actors SET user_id = 'eve', salt = NULL WHERE user_id = 'bob'", [2, 5]),
      ("UPDATE audit_start SET number = 3, hash = (SELECT hash FROM audit WHERE number = 3)", [3]),
      ("UPDATE audit_start SET number = 9223372036854775807", [9_223_372_036_854_775_807]),
      (
        "UPDATE audit_start SET number = 3, hash = (SELECT hash FROM audit WHERE number = 3); DELETE FROM audit WHERE number <= 3",
        [3]
      ),
    ])
  func tampering(sql: String, places: [Int64]) async throws {
    try await Self.withTrail { directory, path in
      #expect(try await Self.verdict(directory).faults.isEmpty)
      // As one does who knows how it is kept.
      try runSQL(path, "PRAGMA foreign_keys = OFF; DROP TRIGGER audit_stays; DROP TRIGGER audit_ends; " + sql)
      #expect(try await Self.verdict(directory).faults.map(\.number) == places)
    }
  }

  @Test(
    "whoever does not know how it is kept cannot change it",
    arguments: ["UPDATE audit SET at = 0", "DELETE FROM audit"])
  func kept(sql: String) async throws {
    try await Self.withTrail { directory, path in
      let refusal = try complaint(path, sql)
      #expect(refusal?.hasPrefix("the audit trail is not") == true)
      let verdict = try await Self.verdict(directory)
      #expect(verdict.count == 6)
    }
  }

  @Test("that the end was taken away shows by the hash that was noted")
  func cut() async throws {
    try await Self.withTrail { directory, path in
      let noted = try await Self.verdict(directory).hash
      try runSQL(path, "DROP TRIGGER audit_ends; DELETE FROM audit WHERE number > 4")
      #expect(try await Self.verdict(directory).faults.isEmpty)
      let store = try await SQLiteStore.open(directory: directory, synchronous: .normal)
      #expect(try await !store.hasAuditEntry(hash: noted))
      try await store.close()
    }
  }

  @Test("old entries are forgotten, and the rest still vouches for itself")
  func forgotten() async throws {
    try await Self.withTrail { directory, path in
      let store = try await SQLiteStore.open(directory: directory, synchronous: .normal)
      let now = Timestamp(milliseconds: 100)
      #expect(try await store.forgetAudit(before: Timestamp(milliseconds: 30), at: now) == 3)
      #expect(try await store.forgetAudit(before: Timestamp(milliseconds: 30), at: now) == 0)
      let trail = try await store.auditTrail(AuditFilter(), page: PageRequest()).items
      #expect(trail.map(\.number) == [7, 6, 5, 4])
      #expect(trail[0].entry.action == .auditForgotten && trail[0].entry.actor == nil)
      let detail = try trail[0].entry.detail?.value()
      #expect(detail?["through"] == 3)
      let verdict = try await store.verifyAudit()
      #expect(verdict.faults.isEmpty && verdict.first == 4 && verdict.last == 7)
      // All of it is old: the latest stays, so that numbers go on.
      #expect(try await store.forgetAudit(before: Timestamp(milliseconds: 1000), at: now) == 3)
      #expect(try await store.auditTrail(AuditFilter(), page: PageRequest()).items.map(\.number) == [8, 7])
      try await store.close()
      try runSQL(path, "DROP TRIGGER audit_stays; UPDATE audit_start SET number = number - 1")
      #expect(try await Self.verdict(directory).faults.map(\.number) == [7, 5])
    }
  }

  @Test("one with a wrong time takes no newer ones along, and keeps none back for ever")
  func wrongTime() async throws {
    try await withStore { store in
      for at in [50, 60, 1, 70, 80] as [Int64] { try await store.record([Self.entry(.toolCalled, at: at)]) }
      let (end, now) = (Timestamp(milliseconds: 30), Timestamp(milliseconds: 100))
      #expect(try await store.forgetAudit(before: end, at: now) == 0)
      #expect(try await store.forgetAudit(before: Timestamp(milliseconds: 65), at: now) == 3)
      #expect(try await store.verifyAudit().faults.isEmpty)
    }
  }

  @Test("it is read in pages, by user, action and run")
  func pages() async throws {
    try await withStore { store in
      for index in 0..<9 {
        try await store.record([
          Self.entry(index % 3 == 0 ? .runEnded : .toolCalled, by: index % 2 == 0 ? "ann" : "bob")
        ])
      }
      var (numbers, after): ([Int64], String?) = ([], nil)
      repeat {
        let page = try await store.auditTrail(
          AuditFilter(userID: "ann"), page: PageRequest(limit: 2, after: after))
        numbers += page.items.map(\.number)
        after = page.next
      } while after != nil
      #expect(numbers == [9, 7, 5, 3, 1])
      let some = try await store.auditTrail(
        AuditFilter(userID: "ann", actions: [.runEnded]), page: PageRequest()
      ).items
      #expect(some.map(\.number) == [7, 1])
      #expect(
        try await store.auditTrail(AuditFilter(runID: "other"), page: PageRequest()).items.isEmpty)
      #expect(
        try await failure { try await store.auditTrail(AuditFilter(), page: PageRequest(after: "r1")) }.code
          == .invalidArguments)
    }
  }

  @Test("writers side by side leave one chain")
  func concurrent() async throws {
    try await withDirectory { directory in
      let stores = [
        try await SQLiteStore.open(directory: directory, synchronous: .normal),
        try await SQLiteStore.open(directory: directory, synchronous: .normal),
      ]
      try await withThrowingTaskGroup(of: Void.self) { group in
        for index in 0..<200 {
          group.addTask { try await stores[index % 2].record([Self.entry(.toolCalled, by: "u\(index % 7)")]) }
        }
        try await group.waitForAll()
      }
      let verdict = try await stores[0].verifyAudit()
      #expect(verdict.count == 200 && verdict.last == 200 && verdict.faults.isEmpty)
      for store in stores { try await store.close() }
    }
  }
}
