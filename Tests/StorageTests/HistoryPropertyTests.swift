// SPDX-License-Identifier: Apache-2.0
import Core
import JSONCodec
import Storage
import TestSupport
import Testing

/// What a turn reads is what its rows say, whatever came before it and however much of that is in memory.
@Suite("Histories, in any order")
struct HistoryPropertyTests {
  private struct Model {
    var random: SplitMix64
    var runs = 0
    /// Begun, and not ended.
    var open: [(run: String, session: String)] = []
    /// May be done again.
    var failed: [(run: String, session: String)] = []

    mutating func pick(_ count: Int) -> Int { Int(random.next() % UInt64(count)) }
    mutating func session() -> String { "s\(pick(3))" }
  }

  @Test("every turn reads what is in the database", arguments: 1...20)
  func reads(seed: Int) async throws {
    try await withDirectory { directory in
      let store = try await SQLiteStore.open(directory: directory, synchronous: .normal)
      var model = Model(random: SplitMix64(seed: UInt64(seed)))
      for _ in 0..<120 { try await move(store, directory, &model) }
      try await store.close()
    }
  }

  private func move(_ store: SQLiteStore, _ directory: String, _ model: inout Model) async throws {
    switch model.pick(24) {
    case 0...13: try await turn(store, &model, isLeft: false)
    case 14, 15: try await turn(store, &model, isLeft: true)
    case 16, 17:
      guard !model.open.isEmpty else { return }
      let (run, session) = model.open.remove(at: model.pick(model.open.count))
      try await end(store, run, session, &model)
    case 18:
      let session = model.session()
      let actor = AuditEntry.Actor(userID: "ann")
      try? await store.deleteSession(id: session, by: actor, at: Timestamp(milliseconds: 5))
    case 19:
      _ = try? await store.renameSession(
        id: model.session(), title: "t", userID: "ann", at: Timestamp(milliseconds: 5))
    case 20:
      try runSQL(directory + "/perigee.sqlite", "UPDATE messages SET text = text || '!' WHERE key % 3 = 0")
    case 21:
      // A write whose group is rolled back takes what the cache learnt with it.
      guard model.runs > 0 else { return }
      _ = try? await store.openTurn(opening("r\(model.runs)", session: model.session()))
    case 22:
      guard !model.failed.isEmpty else { return }
      let (run, session) = model.failed.remove(at: model.pick(model.failed.count))
      var again = opening(run, session: session, message: "again \(run)")
      again.isAgain = true
      // Its session may be gone.
      guard (try? await store.openTurn(again)) != nil else { return }
      if model.pick(2) == 0 { try await end(store, run, session, &model, isAgain: true) }
    default: try await turn(store, &model, isLeft: false, isUnchecked: true)
    }
  }

  private func turn(
    _ store: SQLiteStore, _ model: inout Model, isLeft: Bool, isUnchecked: Bool = false
  ) async throws {
    model.runs += 1
    let (run, session) = ("r\(model.runs)", model.session())
    let wanted = [20, 20, 20, 6, 5, 1, 0][model.pick(7)]
    var turn = opening(run, session: session, message: "ask \(run)", history: wanted, at: Int64(model.runs))
    turn.beginning = RunBeginning(user: Principal(id: "ann"))
    turn.isUnchecked = isUnchecked
    let read = try await store.openTurn(turn).history
    let kept = try await store.keptRun(
      id: run, visibleTo: .user("ann"), historyMessages: wanted, wantsSummary: false)
    #expect(
      read.map(Self.described) == kept.turn.opened.history.map(Self.described),
      "\(run) of \(session), \(wanted) messages")
    if isLeft { return model.open.append((run, session)) }
    try await end(store, run, session, &model, isChecked: isUnchecked && model.pick(2) == 0)
  }

  /// All of a message, as a failure of the test shows it.
  private static func described(_ message: Message) -> String {
    let steps = message.steps.map { step in "\(step.text) \(step.calls)" }
    return "\(message.id) \(message.runID) \(message.role) \(message.text) \(steps) "
      + "\(message.failure?.rawValue ?? "-") \(message.countedTokens ?? -1) \(message.createdAt)"
  }

  private func end(
    _ store: SQLiteStore, _ run: String, _ session: String, _ model: inout Model, isChecked: Bool = false,
    isAgain: Bool = false
  ) async throws {
    var closing = closing(
      run, session: session, text: "answer to \(run)", steps: steps(&model), at: Int64(model.runs) + 1)
    closing.isChecked = isChecked
    closing.isAgain = isAgain
    closing.answerTokens = model.pick(2) == 0 ? nil : 7
    switch model.pick(8) {
    case 0: closing.message = "changed \(run)"
    case 1:
      closing.status = .failed
      closing.failure = Failure(.upstream, "no luck", diagnostic: "502")
      closing.text = ""
      model.failed.append((run, session))
    case 2: closing.status = .cancelled
    default: break
    }
    try await store.closeTurn(closing)
  }

  private func steps(_ model: inout Model) -> [TurnStep] {
    guard model.pick(3) == 0 else { return [] }
    let outcome: ToolCall.Outcome =
      model.pick(4) == 0
      ? .failed(Failure(.timeout, "too slow", diagnostic: "after 3 s")) : .result(RawJSON(["n": 1]))
    let call = ToolCall(
      id: "c\(model.runs)", name: "look", arguments: .emptyObject, outcome: outcome,
      startedAt: Timestamp(milliseconds: 7), durationMilliseconds: 1.25)
    return [TurnStep(text: "let me", calls: [call]), TurnStep(text: "words alone", calls: [])]
  }
}
