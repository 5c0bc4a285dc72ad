// SPDX-License-Identifier: Apache-2.0
import Core
import Identity
import JSONCodec
import Storage
import Testing

/// What a tenant's operators find among everybody's rows.
@Suite("A tenant's rows")
struct TenantTests {
  private let acme = Visibility.tenant(Tenant("acme")!)

  /// Users whose ids sort around the tenant's, and those of the tenant.
  private static let neighbours = [
    "acme", "acme.", "acme.x/ann", "acme-x/ann", "acme0", "acmes/ann", "Acme/ann", "ann", "globex/acme/ann",
    "perigee:schedule",
  ]
  private static let own = ["acme/ann", "acme/\u{7E}", "acme/globex/ann", "acme/0"]

  @Test("runs are those of its users alone, newest first, in pages that follow each other")
  func runs() async throws {
    try await withStore { store in
      let users = zip(Self.own + Self.own, Self.neighbours).flatMap { [$0, $1] }
      for (number, user) in users.enumerated() { try await store.turn("r\(number)", user: user) }
      var (seen, page) = ([RunRecord](), PageRequest(limit: 3))
      repeat {
        let runs = try await store.runs(visibleTo: acme, page: page)
        seen += runs.items
        page.after = runs.next
      } while page.after != nil
      #expect(seen.map(\.userID) == (Self.own + Self.own).reversed())
      for run in try await store.runs(visibleTo: .everyone, page: PageRequest(limit: 200)).items {
        let isOwn = Self.own.contains(run.userID)
        #expect((try? await store.run(id: run.id, visibleTo: acme)) == (isOwn ? run : nil))
        // How it began is not kept here, which who may see it is told.
        let kept = try await failure {
          try await store.keptRun(id: run.id, visibleTo: acme, historyMessages: 0, wantsSummary: false)
        }
        #expect(kept.code == (isOwn ? .conflict : .notFound))
      }
    }
  }

  @Test("a run that waits is found by who sees it")
  func waiting() async throws {
    try await withStore { store in
      for user in ["acme/ann", "acmes/ann"] {
        var turn = opening(user, user: user)
        turn.beginning = RunBeginning(user: Principal(id: user))
        try await store.queueTurn(turn)
        let found = try await store.waitingRun(id: user, visibleTo: acme)
        #expect((found?.runID == user) == (user == "acme/ann"))
        #expect(try await store.waitingRun(id: user, visibleTo: .everyone)?.runID == user)
      }
    }
  }

  @Test("dead letters are those of its users alone")
  func others() async throws {
    try await JobScene.with { scene in
      for user in Self.own + Self.neighbours {
        try await scene.publish("of \(user)", user: user)
        try await scene.kill("of \(user)")
      }
      let letters = try await scene.store.deadLetters(visibleTo: acme, page: PageRequest())
      #expect(Set(letters.items.map(\.job.user.id)) == Set(Self.own) && letters.next == nil)
      for user in Self.own + Self.neighbours {
        let letter = try? await scene.store.deadLetter(id: "of \(user)", visibleTo: acme)
        #expect((letter != nil) == Self.own.contains(user), "\(user)")
      }
    }
  }

  @Test("events and the audit trail are those of its users alone, without the host's own")
  func trail() async throws {
    try await withStore { store in
      let at = Timestamp(milliseconds: 1)
      for user in (Self.own + Self.neighbours).map(Optional.some) + [nil] {
        try await store.keep([Event("external.x", at: at, userID: user)])
        try await store.record([AuditEntry(.auditRead, at: at, by: user.map { .init(userID: $0) })])
      }
      let events = try await store.events(after: 0, EventFilter(visibleTo: acme), limit: 200).events
      #expect(events.map(\.event.userID) == Self.own)
      let entries = try await store.auditTrail(AuditFilter(visibleTo: acme), page: PageRequest()).items
      #expect(entries.map { $0.entry.actor?.userID } == Self.own.reversed())
      let asked = AuditFilter(visibleTo: acme, userID: "acmes/ann")
      #expect(try await store.auditTrail(asked, page: PageRequest()).items.isEmpty)
    }
  }

  @Test("a tenant's page of events and of the trail passes over others', however many there are")
  func many() async throws {
    try await withStore { store in
      let at = Timestamp(milliseconds: 1)
      // More of them than a page of everybody's looks through.
      let others = (0..<21_000).map { $0 % 2 == 0 ? "ann" : "acme0/ann" }
      try await store.keep(others.prefix(5100).map { Event("external.x", at: at, userID: $0) })
      try await store.keep([Event("external.x", at: at, userID: "acme/ann")])
      try await store.keep([Event("external.x", at: at)])
      let (events, last) = try await store.events(after: 0, EventFilter(visibleTo: acme), limit: 10)
      #expect(events.map(\.event.userID) == ["acme/ann"])
      // What comes after is nobody's of theirs: they need not ask again.
      #expect(try await store.lastEventNumber() == last && last == 5102)
      try await store.record([AuditEntry(.auditRead, at: at, by: .init(userID: "acme/ann"))])
      try await store.record(others.map { AuditEntry(.auditRead, at: at, by: .init(userID: $0)) })
      let page = try await store.auditTrail(AuditFilter(visibleTo: acme), page: PageRequest())
      #expect(page.items.map(\.number) == [1] && page.next == nil)
      #expect(try await store.verifyAudit().faults.isEmpty)
    }
  }

  @Test("a key keeps its tenant")
  func keys() async throws {
    try await withStore { store in
      for tenant in [Tenant("acme"), nil] {
        let key = APIKey.make()
        let record = try APIKeyRecord.make(
          for: key, name: "k", userID: "bot", tenant: tenant, hasTenants: true, at: Timestamp(milliseconds: 1)
        )
        try await store.saveAPIKey(record, by: .init(userID: "ops"))
        #expect(try await store.apiKey(id: key.id) == record)
        #expect(record.userID == (tenant == nil ? "bot" : "acme/bot"))
      }
    }
  }
}
