// SPDX-License-Identifier: Apache-2.0
import Core
import JSONCodec
import Storage
import Testing

@Suite("Runs without a session")
struct LoneRunTests {
  private static let call = ToolCall(
    id: "c", name: "add", arguments: .emptyObject, outcome: .result(RawJSON(["sum": 3])),
    startedAt: Timestamp(milliseconds: 7), durationMilliseconds: 1.5)

  private static func run(_ id: String, _ store: SQLiteStore, steps: [TurnStep] = []) async throws {
    var open = opening(id)
    open.hasSession = false
    #expect(try await store.openTurn(open).history.isEmpty)
    var close = closing(id, steps: steps, state: RawJSON(["kept": true]))
    close.hasSession = false
    try await store.closeTurn(close)
  }

  @Test("a run is all that is kept: no session, no message, no state")
  func kept() async throws {
    try await withStore { store in
      try await Self.run("r1", store)
      let record = try await store.run(id: "r1", visibleTo: .user("ann"))
      #expect(record.sessionID == nil && record.status == .completed && record.usage.inputTokens == 3)
      #expect(record.finishedAt == Timestamp(milliseconds: 2000))
      #expect(try await store.sessions(userID: "ann", page: PageRequest()).items.isEmpty)
      // The name that the run was given is nobody's, so a session of that name begins anew.
      let opened = try await store.openTurn(opening("r2"))
      #expect(opened.history.isEmpty && opened.state == .emptyObject)
    }
  }

  @Test("its steps are found by its user, and by nobody else")
  func steps() async throws {
    try await withStore { store in
      let steps = [TurnStep(text: "Adding.", calls: [Self.call])]
      try await Self.run("r1", store, steps: steps)
      try await Self.run("r2", store)
      #expect(try await store.steps(ofRuns: ["r1", "r2", "r3", "r1"], userID: "ann") == ["r1": steps])
      #expect(try await store.steps(ofRuns: ["r1"], userID: "bob").isEmpty)
    }
  }

  @Test("it ends once, and a run that a stopped process left is interrupted as any other")
  func ends() async throws {
    try await withStore { store in
      try await Self.run("r1", store)
      var again = closing("r1", status: .failed)
      again.hasSession = false
      try await store.closeTurn(again)
      #expect(try await store.run(id: "r1", visibleTo: .everyone).status == .completed)
      var open = opening("r2")
      open.hasSession = false
      _ = try await store.openTurn(open)
      #expect(try await store.interruptLoneRuns(at: Timestamp(milliseconds: 9)) == 1)
      #expect(try await store.run(id: "r2", visibleTo: .everyone).status == .interrupted)
    }
  }
}
