// SPDX-License-Identifier: Apache-2.0
import Core
import JSONCodec
import Storage
import Testing

@Suite("Feedback as it is kept")
struct FeedbackTests {
  private static let ann = Principal(id: "ann")
  private static let operators = Principal(id: "root", roles: ["operator"])

  private static func turn(_ store: SQLiteStore, _ run: String, user: String = "ann", session: String? = "s")
    async throws
  {
    var (opening, closing) = (
      opening(run, user: user, session: session ?? "s"), closing(run, user: user, session: session ?? "s")
    )
    (opening.hasSession, closing.hasSession) = (session != nil, session != nil)
    _ = try await store.openTurn(opening)
    try await store.closeTurn(closing)
  }

  @discardableResult
  private static func judge(
    _ store: SQLiteStore, _ run: String, _ score: Double, _ comment: String? = nil, by user: Principal = ann,
    at milliseconds: Int64 = 3000
  ) async throws -> Feedback {
    try await store.keepFeedback(
      ofRun: run, score: score, comment: comment, by: user, at: Timestamp(milliseconds: milliseconds))
  }

  private static func all(_ store: SQLiteStore) async throws -> [String] {
    try await store.feedback(FeedbackFilter(), page: PageRequest()).items.map(\.runID)
  }

  @Test("a run that was refused is not judged, and nothing tells of it")
  func refused() async throws {
    try await withStore { store in
      _ = try await store.openTurn(opening("open"))
      #expect(try await failure { try await Self.judge(store, "open", 1) }.code == .conflict)
      #expect(try await failure { try await Self.judge(store, "none", 1) }.code == .notFound)
      let bob = Principal(id: "bob")
      #expect(try await failure { try await Self.judge(store, "open", 1, by: bob) }.code == .notFound)
      #expect(try await Self.all(store).isEmpty)
      let told = try await store.events(
        after: 0, EventFilter(types: ["feedback.given"]), limit: 10)
      #expect(told.events.isEmpty)
      let trail = try await store.auditTrail(AuditFilter(actions: [.feedbackGiven]), page: PageRequest())
      #expect(trail.items.isEmpty)
    }
  }

  @Test("it goes with its session, its run, and who gave it; what is thought of others stays")
  func goes() async throws {
    try await withStore { store in
      try await Self.turn(store, "kept", user: "bob")
      try await Self.turn(store, "deleted", session: "a")
      try await Self.turn(store, "old", session: "b")
      try await Self.turn(store, "lone", session: nil)
      for run in ["kept", "deleted", "old", "lone"] {
        try await Self.judge(store, run, 1, "word", by: Self.operators)
      }
      try await Self.judge(store, "deleted", -1)
      try await store.deleteSession(id: "a", by: Self.ann.actor, at: Timestamp(milliseconds: 4000))
      #expect(try await Self.all(store) == ["lone", "old", "kept"])
      _ = try await store.renameSession(
        id: "s", title: "used", userID: "bob", at: Timestamp(milliseconds: 9000))
      let old = Timestamp(milliseconds: 2500)
      // Sessions first, and then runs without one.
      #expect(
        try await store.forgetSessions(before: old, loneRunsBefore: old, at: Timestamp(milliseconds: 5000))
          == 1)
      #expect(try await Self.all(store) == ["lone", "kept"])
      #expect(
        try await store.forgetSessions(before: old, loneRunsBefore: old, at: Timestamp(milliseconds: 5000))
          == 1)
      #expect(try await Self.all(store) == ["kept"])
      _ = try await store.eraseUser("root", by: AuditEntry.Actor(userID: "x"), time: ManualTime())
      #expect(try await Self.all(store).isEmpty)
      #expect(try await store.run(id: "kept", visibleTo: .everyone).status == .completed)
    }
  }

  @Test("a run that is done again is not what was judged")
  func again() async throws {
    try await withStore { store in
      _ = try await store.openTurn(opening("r"))
      try await store.closeTurn(
        closing("r", status: .failed, failure: Failure(.upstream, "no"), at: 2000))
      try await Self.judge(store, "r", -1)
      var again = opening("r", at: 4000)
      again.isAgain = true
      _ = try await store.openTurn(again)
      #expect(try await Self.all(store).isEmpty)
    }
  }

  @Test("pages follow each other, and who thinks again comes first again")
  func pages() async throws {
    try await withStore { store in
      for index in 0..<5 {
        try await Self.turn(store, "r\(index)")
        try await Self.judge(store, "r\(index)", 0.5, at: Int64(3000 + index))
      }
      try await Self.judge(store, "r1", -1, at: 4000)
      var (seen, page) = ([Feedback](), PageRequest(limit: 2))
      repeat {
        let found = try await store.feedback(FeedbackFilter(), page: page)
        seen += found.items
        page.after = found.next
      } while page.after != nil
      #expect(seen.map(\.runID) == ["r1", "r4", "r3", "r2", "r0"])
      let late = FeedbackFilter(since: Timestamp(milliseconds: 3004))
      #expect(try await store.feedback(late, page: PageRequest()).items.map(\.runID) == ["r1", "r4"])
      #expect(try await store.feedbackSummary(late).map(\.count) == [2])
    }
  }

  @Test("a tenant's operators find what its users think, in lists and sums")
  func tenants() async throws {
    try await withStore { store in
      let tenant = try #require(Tenant("acme"))
      for (index, user) in ["acme/ann", "acme", "acmes/ann", "bob", "acme/bob"].enumerated() {
        try await Self.turn(store, "r\(index)", user: user)
        try await Self.judge(store, "r\(index)", Double(index) / 4, by: Principal(id: user))
      }
      let filter = FeedbackFilter(visibleTo: .tenant(tenant))
      let users = try await store.feedback(filter, page: PageRequest()).items.map(\.userID)
      #expect(users == ["acme/bob", "acme/ann"])
      let sums = try await store.feedbackSummary(filter)
      #expect(sums.map(\.count) == [2] && sums.map(\.mean) == [0.5])
      let outsider = Principal(id: "acme/root", tenant: tenant, roles: ["operator"])
      #expect(try await failure { try await Self.judge(store, "r3", 1, by: outsider) }.code == .notFound)
    }
  }
}
