// SPDX-License-Identifier: Apache-2.0
import Core
import JSONCodec
import Storage
import Testing

@Suite("Turns")
struct TurnTests {
  @Test("a first turn makes the user and the session, and sees no history")
  func firstTurn() async throws {
    try await withStore { store in
      let opened = try await store.openTurn(opening("r1", message: "hello", at: 5))
      #expect(opened.history.isEmpty)
      #expect(opened.state == .emptyObject)
      let session = try await store.session(id: "s", userID: "ann")
      #expect(session.title == "Chat: hello")
      #expect(session.agent == nil)
      #expect(session.messageCount == 1)
      #expect(session.createdAt == Timestamp(milliseconds: 5))
    }
  }

  @Test("the next turn sees the messages before it, oldest first")
  func history() async throws {
    try await withStore { store in
      try await store.turn("r1", message: "one")
      try await store.turn("r2", message: "two")
      let history = try await store.openTurn(opening("r3")).history
      #expect(history.map(\.text) == ["one", "answer to one", "two", "answer to two"])
      #expect(history.map(\.role) == [.user, .assistant, .user, .assistant])
      #expect(history.map(\.id) == ["r1-q", "r1-a", "r2-q", "r2-a"])
    }
  }

  @Test("the window holds whole turns", arguments: [(0, 0), (1, 0), (2, 2), (3, 2), (4, 4), (99, 6)])
  func window(wanted: Int, got: Int) async throws {
    try await withStore { store in
      for run in ["r1", "r2", "r3"] { try await store.turn(run) }
      let history = try await store.openTurn(opening("r4", history: wanted)).history
      #expect(history.count == got)
      #expect(history.first?.role != .assistant)
      if got > 0 { #expect(history.last?.id == "r3-a") }
    }
  }

  @Test("state lasts until a turn changes it")
  func state() async throws {
    try await withStore { store in
      let state = RawJSON(["step": 2])
      _ = try await store.openTurn(opening("r1"))
      try await store.closeTurn(closing("r1", state: state))
      #expect(try await store.turn("r2").state == state)
      #expect(try await store.turn("r3").state == state)
    }
  }

  @Test("tool steps come back as they were")
  func steps() async throws {
    try await withStore { store in
      let failure = Failure(
        .upstream, "no luck", retryable: true, detail: ["a": [1, 2.5, nil]], retryAfterSeconds: 1.5,
        diagnostic: "502")
      let steps = [
        TurnStep(
          text: "let me see",
          calls: [
            call("c1", .result(RawJSON(["ok": true]))),
            call("c2", .failed(failure)),
          ]),
        TurnStep(text: "", calls: [call("c3", .result(.null))]),
      ]
      _ = try await store.openTurn(opening("r1"))
      try await store.closeTurn(closing("r1", steps: steps))
      #expect(try await store.openTurn(opening("r2")).history.last?.steps == steps)
      let page = try await store.messages(sessionID: "s", userID: "ann", page: PageRequest())
      #expect(page.items[1].steps == steps)
    }
  }

  @Test("a failed run leaves an answer that says so, with what was done")
  func failedRun() async throws {
    try await withStore { store in
      let steps = [TurnStep(text: "", calls: [call("c1", .result(RawJSON("done")))])]
      _ = try await store.openTurn(opening("r1"))
      try await store.closeTurn(
        closing("r1", status: .failed, failure: Failure(.timeout, "too slow"), text: "", steps: steps))
      let answer = try #require(try await store.openTurn(opening("r2")).history.last)
      #expect(answer.failure == .timeout)
      #expect(answer.steps == steps)
      #expect(try await store.run(id: "r1", visibleTo: .user("ann")).failure == .timeout)
    }
  }

  @Test("a cancelled run without a failure is marked by its status")
  func cancelledRun() async throws {
    try await withStore { store in
      _ = try await store.openTurn(opening("r1"))
      try await store.closeTurn(closing("r1", status: .cancelled, text: ""))
      #expect(try await store.openTurn(opening("r2")).history.last?.failure == .cancelled)
    }
  }

  @Test("the end of a turn updates session and run")
  func end() async throws {
    try await withStore { store in
      _ = try await store.openTurn(opening("r1", at: 10))
      try await store.closeTurn(closing("r1", at: 20))
      let session = try await store.session(id: "s", userID: "ann")
      #expect(session.agent == "helper")
      #expect(session.messageCount == 2)
      #expect(session.updatedAt == Timestamp(milliseconds: 20))
      let run = try await store.run(id: "r1", visibleTo: .user("ann"))
      #expect(
        run
          == RunRecord(
            id: "r1", userID: "ann", sessionID: "s", agent: "helper", version: "v1", status: .completed,
            usage: Usage(inputTokens: 3, outputTokens: 2, costUSD: 0.5),
            startedAt: Timestamp(milliseconds: 10), finishedAt: Timestamp(milliseconds: 20)))
    }
  }

  @Test("a cost that is not known stays unknown")
  func unknownCost() async throws {
    try await withStore { store in
      _ = try await store.openTurn(opening("r1"))
      try await store.closeTurn(closing("r1", usage: Usage(costUSD: nil)))
      #expect(try await store.run(id: "r1", visibleTo: .user("ann")).usage.costUSD == nil)
    }
  }

  @Test("closing a turn twice writes one answer")
  func closedTwice() async throws {
    try await withStore { store in
      try await store.turn("r1")
      try await store.closeTurn(closing("r1", text: "again"))
      let page = try await store.messages(sessionID: "s", userID: "ann", page: PageRequest())
      #expect(page.items.map(\.text) == ["hello", "answer to hello"])
    }
  }

  @Test("closing a turn of a deleted session writes nothing")
  func deletedSession() async throws {
    try await withStore { store in
      _ = try await store.openTurn(opening("r1"))
      try await store.deleteSession(id: "s", by: .init(userID: "ann"), at: Timestamp(milliseconds: 9))
      _ = try await store.openTurn(opening("r2"))
      try await store.closeTurn(closing("r1"))
      let page = try await store.messages(sessionID: "s", userID: "ann", page: PageRequest())
      #expect(page.items.map(\.id) == ["r2-q"])
      #expect(try await failure { try await store.run(id: "r1", visibleTo: .user("ann")) }.code == .notFound)
    }
  }

  @Test("a run identifier is used once, and its second use writes nothing")
  func duplicateRun() async throws {
    try await withStore { store in
      _ = try await store.openTurn(opening("r1"))
      #expect(try await failure { try await store.openTurn(opening("r1")) }.code == .internal)
      #expect(try await store.session(id: "s", userID: "ann").messageCount == 1)
    }
  }

  @Test("a cancelled task opens no turn, but closes the one it has open")
  func cancellation() async throws {
    try await withStore { store in
      _ = try await store.openTurn(opening("r1"))
      let task = Task {
        withUnsafeCurrentTask { $0?.cancel() }
        try await store.closeTurn(closing("r1"))
        await #expect(throws: CancellationError.self) { try await store.openTurn(opening("r2")) }
      }
      try await task.value
      #expect(try await store.run(id: "r1", visibleTo: .user("ann")).status == .completed)
      #expect(try await store.session(id: "s", userID: "ann").messageCount == 2)
    }
  }

  private func call(_ id: String, _ outcome: ToolCall.Outcome) -> ToolCall {
    ToolCall(
      id: id, name: "todos.list", arguments: RawJSON(["done": false]), outcome: outcome,
      startedAt: Timestamp(milliseconds: 7), durationMilliseconds: 1.25)
  }
}
