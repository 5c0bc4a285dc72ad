// SPDX-License-Identifier: Apache-2.0
import Core
import JSONCodec
import Storage
import Testing

@Suite("Retention")
struct RetentionTests {
  private static let now = Timestamp(milliseconds: 100_000)

  @Test(
    "sessions that were not used for long go with all they have; one that is used, or whose run goes on, stays"
  )
  func sessions() async throws {
    try await withStore { store in
      try await store.turn("r1", session: "old", at: 1000)
      try await store.turn("r2", session: "new", at: 5000)
      _ = try await store.openTurn(opening("r3", session: "busy", at: 1000))
      try await store.turn("r4", user: "bob", session: "old", at: 1000)
      let time = Timestamp(milliseconds: 3000)
      #expect(try await store.forgetSessions(before: time, loneRunsBefore: nil, at: Self.now) == 2)
      #expect(try await store.forgetSessions(before: time, loneRunsBefore: nil, at: Self.now) == 0)
      let left = try await store.sessions(userID: "ann", page: PageRequest()).items.map(\.id)
      #expect(Set(left) == ["new", "busy"])
      #expect(try await failure { try await store.run(id: "r1", visibleTo: .everyone) }.code == .notFound)
      #expect(try await store.run(id: "r2", visibleTo: .everyone).status == .completed)
      let trail = try await store.auditTrail(AuditFilter(actions: [.dataForgotten]), page: PageRequest())
        .items
      let detail = try trail.first?.entry.detail?.value()
      #expect(trail.count == 1 && detail?["count"] == 2)
      // Its name is free.
      #expect(try await store.turn("r5", session: "old", at: 6000).history.isEmpty)
    }
  }

  @Test("runs without a session go when they ended long ago, a few at a time")
  func loneRuns() async throws {
    try await withStore { store in
      for index in 0..<120 {
        var opening = opening("r\(index)", at: 1000)
        opening.hasSession = false
        _ = try await store.openTurn(opening)
        var closing = closing("r\(index)", at: 2000)
        closing.hasSession = false
        try await store.closeTurn(closing)
      }
      var opening = opening("open", at: 1000)
      opening.hasSession = false
      _ = try await store.openTurn(opening)
      let time = Timestamp(milliseconds: 3000)
      // Sessions may go sooner than they do.
      #expect(try await store.forgetSessions(before: time, loneRunsBefore: nil, at: Self.now) == 0)
      for count in [100, 20] {
        #expect(try await store.forgetSessions(before: time, loneRunsBefore: time, at: Self.now) == count)
      }
      #expect(try await store.runs(visibleTo: .everyone, page: PageRequest()).items.map(\.id) == ["open"])
    }
  }
}
