// SPDX-License-Identifier: Apache-2.0
import Core
import JSONCodec
import Storage
import Testing

@Suite("What a crash left")
struct RepairTests {
  @Test("a question without an answer reads as interrupted")
  func missingAnswer() async throws {
    try await withStore { store in
      _ = try await store.openTurn(opening("r1", message: "one"))
      _ = try await store.openTurn(opening("r2", message: "two"))
      try await store.closeTurn(closing("r2"))
      let history = try await store.openTurn(opening("r3")).history
      #expect(history.map(\.role) == [.user, .assistant, .user, .assistant])
      #expect(history.map(\.runID) == ["r1", "r1", "r2", "r2"])
      #expect(history[1].text == "")
      #expect(history[1].failure?.rawValue == "interrupted")
    }
  }

  @Test("answers that came late stand after their own question")
  func lateAnswer() async throws {
    try await withStore { store in
      _ = try await store.openTurn(opening("r1", message: "one"))
      _ = try await store.openTurn(opening("r2", message: "two"))
      try await store.closeTurn(closing("r2", text: "second"))
      try await store.closeTurn(closing("r1", text: "first"))
      let history = try await store.openTurn(opening("r3")).history
      #expect(history.map(\.text) == ["one", "first", "two", "second"])
    }
  }

  @Test("the window stays within what was asked when answers are missing")
  func windowOfMissingAnswers() async throws {
    try await withStore { store in
      for run in ["r1", "r2", "r3", "r4"] { _ = try await store.openTurn(opening(run)) }
      let history = try await store.openTurn(opening("r5", history: 4)).history
      #expect(history.map(\.runID) == ["r3", "r3", "r4", "r4"])
    }
  }

  @Test("a tool call without an outcome reads as interrupted")
  func missingOutcome() async throws {
    try await withDirectory { directory in
      let store = try await SQLiteStore.open(directory: directory)
      _ = try await store.openTurn(opening("r1"))
      let call = ToolCall(
        id: "c1", name: "mail.send", arguments: .emptyObject, outcome: .result(.null),
        startedAt: Timestamp(milliseconds: 1), durationMilliseconds: 2)
      try await store.closeTurn(closing("r1", steps: [TurnStep(text: "", calls: [call])]))
      try runSQL(directory + "/perigee.sqlite", "UPDATE tool_calls SET result = NULL")
      let answer = try #require(try await store.openTurn(opening("r2")).history.last)
      guard case .failed(let failure) = answer.steps[0].calls[0].outcome else {
        Issue.record("the call has an outcome")
        return
      }
      #expect(failure.code == .internal)
      #expect(failure.message.hasPrefix("interrupted:"))
      try await store.close()
    }
  }

  @Test("runs that a stopped process left running are marked, once")
  func interruptedRuns() async throws {
    try await withStore { store in
      try await store.turn("r1")
      _ = try await store.openTurn(opening("r2"))
      _ = try await store.openTurn(opening("r3", user: "bob"))
      #expect(try await store.interruptLoneRuns(at: Timestamp(milliseconds: 9)) == 2)
      #expect(try await store.interruptLoneRuns(at: Timestamp(milliseconds: 10)) == 0)
      let run = try await store.run(id: "r2", visibleTo: .user("ann"))
      #expect(run.status == .interrupted)
      #expect(run.finishedAt == Timestamp(milliseconds: 9))
      #expect(try await store.run(id: "r1", visibleTo: .user("ann")).status == .completed)
    }
  }

  @Test("runs that begin after others were deleted are marked too")
  func interruptedAfterDeletion() async throws {
    try await withStore { store in
      try await store.turn("r1")
      try await store.turn("r2", session: "t")
      #expect(try await store.interruptLoneRuns(at: Timestamp(milliseconds: 9)) == 0)
      try await store.deleteSession(id: "t", by: .init(userID: "ann"), at: Timestamp(milliseconds: 9))
      _ = try await store.openTurn(opening("r3"))
      #expect(try await store.interruptLoneRuns(at: Timestamp(milliseconds: 10)) == 1)
    }
  }

  @Test("what was acknowledged is there when a store that was never closed is opened again")
  func unclosedStore() async throws {
    try await withDirectory { directory in
      let first = try await SQLiteStore.open(directory: directory)
      try await first.turn("r1")
      _ = try await first.openTurn(opening("r2"))
      let second = try await SQLiteStore.open(directory: directory)
      #expect(try await second.interruptLoneRuns(at: Timestamp(milliseconds: 1)) == 1)
      let page = try await second.messages(sessionID: "s", userID: "ann", page: PageRequest())
      #expect(page.items.map(\.id) == ["r1-q", "r1-a", "r2-q"])
      try await second.close()
      try await first.close()
    }
  }
}
