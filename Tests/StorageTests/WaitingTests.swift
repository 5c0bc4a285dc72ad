// SPDX-License-Identifier: Apache-2.0
import Core
import JSONCodec
import Storage
import Testing

@Suite("Journals and runs that wait, as they are stored")
struct WaitingTests {
  private static func begin(_ id: String, _ store: SQLiteStore, session: String = "s") async throws {
    var open = opening(id)
    open.sessionID = session
    open.seed = .max
    open.beginning = RunBeginning(
      user: Principal(id: "ann", name: "Ann", roles: ["user", "x"], claims: JSONObject([("a", 1)])),
      input: JSONObject([("n", 2)]), idempotencyKey: IdempotencyKey(name: "k" + id, digest: [1, 255]))
    _ = try await store.openTurn(open)
  }

  private static func write(
    _ entries: [JournalEntry], asking approvals: [Approval] = [], run: String, _ store: SQLiteStore
  ) async throws {
    try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
      store.writeJournal(JournalBatch(entries, approvals: approvals), runID: run) { failure in
        if let failure { continuation.resume(throwing: failure) } else { continuation.resume() }
      }
    }
  }

  private static func entry(_ number: Int, _ key: String, _ name: String = "x") -> JournalEntry {
    JournalEntry(
      number: number, key: key, name: name, digest: .max, arguments: RawJSON([1]),
      startedAt: Timestamp(milliseconds: 5), durationMilliseconds: 1.5)
  }

  private static func approval(_ id: String, run: String, roles: [String] = [], until: Int64? = nil)
    -> Approval
  {
    Approval(
      id: id, runID: run, key: "run:1", userID: "ann", agent: "helper",
      question: Approval.Question(
        title: "Go?", detail: RawJSON(["a": 1]), form: RawJSON(["type": "object"]), roles: roles), digest: 9,
      createdAt: Timestamp(milliseconds: 5), expiresAt: until.map(Timestamp.init(milliseconds:)))
  }

  private static let yes = Approval.Decision(
    choice: "approve", comment: "ok", values: RawJSON(["v": 1]), userID: "bob",
    at: Timestamp(milliseconds: 50))

  @Test("a journal is read as it was written, an entry in place of the one under its number")
  func journal() async throws {
    try await withStore { store in
      try await Self.begin("r1", store)
      var (first, second) = (Self.entry(0, "a"), Self.entry(1, "b"))
      try await Self.write([first, second], run: "r1", store)
      first.outcome = .result(RawJSON(["ok": true]))
      second.outcome = .failed(Failure(.denied, "no", detail: ["why": "x"]))
      try await Self.write([first], run: "r1", store)
      try await Self.write([second], run: "r1", store)
      #expect(try await store.journal(ofRun: "r1") == [first, second])
      try await store.deleteSession(id: "s", by: .init(userID: "ann"), at: Timestamp(milliseconds: 9))
      #expect(try await store.journal(ofRun: "r1").isEmpty)
    }
  }

  @Test("what a stopped process left is found with all that it takes to go on, and counted")
  func unfinished() async throws {
    try await withStore { store in
      try await store.turn("r0")
      try await Self.begin("r1", store)
      try await Self.write([Self.entry(0, "a")], run: "r1", store)
      #expect(try await store.interruptLoneRuns(at: Timestamp(milliseconds: 9)) == 0)
      let run = try #require(try await store.unfinishedRuns(begunBefore: Timestamp(milliseconds: 5000)).first)
      #expect(run.runID == "r1" && run.sessionID == "s" && run.message == "hello")
      #expect(run.beginning.user.name == "Ann" && run.beginning.user.claims["a"] == 1)
      #expect(run.beginning.input["n"] == 2 && run.beginning.idempotencyKey?.digest == [1, 255])
      for life in 1...2 {
        let resumed = try #require(
          try await store.resumeTurn(
            runID: "r1", from: .running, historyMessages: 10, wantsSummary: false))
        #expect(resumed.resumptions == life && resumed.seed == .max && !resumed.wasWaiting)
        #expect(resumed.journal.count == 1 && resumed.opened.history.map(\.runID) == ["r0", "r0"])
        // Also one that a start has seen before.
        _ = try await store.interruptLoneRuns(at: Timestamp(milliseconds: 9))
        #expect(
          try await store.unfinishedRuns(begunBefore: Timestamp(milliseconds: 5000)).map(\.runID) == ["r1"])
      }
      try await store.closeTurn(closing("r1"))
      #expect(
        try await store.resumeTurn(
          runID: "r1", from: .running, historyMessages: 10, wantsSummary: false) == nil)
      _ = try await store.interruptLoneRuns(at: Timestamp(milliseconds: 9))
      #expect(try await store.unfinishedRuns(begunBefore: Timestamp(milliseconds: 5000)).isEmpty)
    }
  }

  @Test("a run that waits is due when its question is decided, or its sleep over; usage counts once")
  func due() async throws {
    try await withStore { store in
      let now = Timestamp(milliseconds: 100)
      try await Self.begin("r1", store)
      try await Self.begin("r2", store, session: "t")
      let question = Self.entry(0, "run:1", "approval")
      try await Self.write([question], asking: [Self.approval("a1", run: "r1")], run: "r1", store)
      var sleep = Self.entry(0, "run:1", "sleep")
      sleep.arguments = RawJSON(["until": 200])
      for (run, entries) in [("r1", []), ("r2", [sleep])] {
        try await store.suspendTurn(
          TurnSuspension(
            runID: run, journal: entries, keys: ["run:1"], usage: Usage(inputTokens: 5, costUSD: 1)))
      }
      #expect(try await store.run(id: "r1", visibleTo: .user("ann")).status == .waiting)
      // A server starts meanwhile.
      _ = try await store.interruptLoneRuns(at: now)
      #expect(try await store.dueRuns(at: now, limit: 9).isEmpty)
      #expect(try await store.dueRuns(at: Timestamp(milliseconds: 200), limit: 9).map(\.runID) == ["r2"])
      #expect(try await store.unfinishedRuns(begunBefore: Timestamp(milliseconds: 5000)).isEmpty)
      _ = try await store.decideApproval(id: "a1", Self.yes)
      #expect(try await store.dueRuns(at: now, limit: 9).map(\.runID) == ["r1"])
      let resumed = try #require(
        try await store.resumeTurn(
          runID: "r1", from: .waiting, historyMessages: 9, wantsSummary: false))
      #expect(resumed.wasWaiting)
      #expect(
        try resumed.journal.first?.outcome?.get().value()
          == ["approved": true, "decision": "approve", "comment": "ok", "by": "bob", "values": ["v": 1]])
      #expect(try await store.dueRuns(at: now, limit: 9).isEmpty)
      // Another process that saw it as due does not get it, and it is no longer there to be ended as one that waits.
      #expect(
        try await store.resumeTurn(runID: "r1", from: .waiting, historyMessages: 9, wantsSummary: false)
          == nil)
      #expect(try await !store.endWaitingTurn(closing("r1", status: .cancelled)))
      // A start that passed over it while it waited does not keep the next one from finding it.
      #expect(
        try await store.unfinishedRuns(begunBefore: Timestamp(milliseconds: 5000)).map(\.runID) == ["r1"])
      var end = closing("r1")
      end.isResumed = true
      try await store.closeTurn(end)
      #expect(try await store.run(id: "r1", visibleTo: .user("ann")).usage == end.usage)
    }
  }

  @Test("a decision that comes while the run is leaving wakes it")
  func race() async throws {
    try await withStore { store in
      try await Self.begin("r1", store)
      try await Self.write(
        [Self.entry(0, "run:1", "approval")], asking: [Self.approval("a1", run: "r1")], run: "r1", store)
      _ = try await store.decideApproval(id: "a1", Self.yes)
      try await store.suspendTurn(
        TurnSuspension(runID: "r1", journal: [], keys: ["run:1"], usage: Usage()))
      #expect(try await store.dueRuns(at: Timestamp(milliseconds: 0), limit: 9).map(\.runID) == ["r1"])
    }
  }

  @Test("a question is decided once, by time or by a person, and goes with its run")
  func once() async throws {
    try await withStore { store in
      try await Self.begin("r1", store)
      let asked = [("a1", nil), ("a2", 40), ("a3", 60)] as [(String, Int64?)]
      for (index, (id, until)) in asked.enumerated() {
        var approval = Self.approval(id, run: "r1", until: until)
        approval.key = "run:\(index)"
        try await Self.write(
          [Self.entry(index, approval.key, "approval")], asking: [approval], run: "r1", store)
      }
      let results = await withTaskGroup(of: Bool.self) { group in
        for _ in 0..<20 { group.addTask { (try? await store.decideApproval(id: "a1", Self.yes)) != nil } }
        return await group.reduce(into: []) { $0.append($1) }
      }
      #expect(results.filter { $0 }.count == 1)
      // Its time is over at 50, though nobody has looked.
      #expect(try await failure { try await store.decideApproval(id: "a2", Self.yes) }.code == .conflict)
      #expect(try await store.expireApprovals(at: Timestamp(milliseconds: 50)).map(\.id) == ["a2"])
      #expect(
        try await store.journal(ofRun: "r1")[1].outcome?.get()
          == RawJSON(["approved": false, "decision": "expired"]))
      var end = closing("r1")
      end.hasAsked = true
      try await store.closeTurn(end)
      #expect(try await store.approval(id: "a3").status == .cancelled)
      #expect(try await store.approval(id: "a1").decision == Self.yes)
    }
  }

  @Test("a question is seen by its owner, by who may decide it, and by operators; pages follow each other")
  func visibility() async throws {
    try await withStore { store in
      try await Self.begin("r1", store)
      for (number, roles) in [[], ["support"], []].enumerated() {
        try await Self.write(
          [], asking: [Self.approval("a\(number)", run: "r1", roles: roles)], run: "r1", store)
      }
      func seen(_ user: Principal) async throws -> [String] {
        try await store.approvals(visibleTo: user, status: .pending, page: PageRequest()).items.map(\.id)
      }
      #expect(try await seen(Principal(id: "ann")) == ["a2", "a1", "a0"])
      #expect(try await seen(Principal(id: "bob", roles: ["user", "support"])) == ["a1"])
      #expect(try await seen(Principal(id: "bob", roles: ["user", "supp", "ort"])) == [])
      #expect(try await seen(Principal(id: "op", roles: ["operator"])) == ["a2", "a1", "a0"])
      let ops = Principal(id: "acme/ops", tenant: Tenant("acme"), roles: ["operator", "support"])
      #expect(try await seen(ops) == [])
      for (id, user) in [("b0", "acme/ann"), ("b1", "acmes/ann"), ("b2", "acme/bob")] {
        var asked = Self.approval(id, run: "r1", roles: ["support"])
        asked.userID = user
        try await Self.write([], asking: [asked], run: "r1", store)
      }
      #expect(try await seen(ops) == ["b2", "b0"])
      let clerk = Principal(id: "acme/ann", tenant: Tenant("acme"), roles: ["support"])
      #expect(try await seen(clerk) == ["b2", "b0"])
      #expect(try await seen(Principal(id: "acme/ann", tenant: Tenant("acme"))) == ["b0"])
      let page = try await store.approvals(visibleTo: .local, status: nil, page: PageRequest(limit: 3))
      let rest = try await store.approvals(
        visibleTo: .local, status: nil, page: PageRequest(limit: 3, after: page.next))
      #expect(
        page.items.map(\.id) + rest.items.map(\.id) == ["b2", "b1", "b0", "a2", "a1", "a0"]
          && rest.next == nil)
      let shown = try await store.approval(id: "a1")
      #expect(shown.mayDecide(Principal(id: "bob", roles: ["support"])))
      #expect(
        !shown.mayDecide(Principal(id: "ann")) && !shown.mayDecide(Principal(id: "op", roles: ["operator"])))
    }
  }
}
