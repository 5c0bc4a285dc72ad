// SPDX-License-Identifier: Apache-2.0
public import Core
import JSONCodec

extension SQLiteStore {
  public func earlierTurn(
    _ key: IdempotencyKey, userID: String, at time: Timestamp
  ) async throws -> EarlierTurn? {
    try await commits.write { try $0.earlierTurn(key, userID: userID, at: time) }
  }
}

extension WriterConnection {
  fileprivate func earlierTurn(
    _ key: IdempotencyKey, userID: String, at time: Timestamp
  ) throws -> EarlierTurn? {
    // A run that went with its session is as good as none.
    let find = try statement(
      """
      SELECT digest, runs.id, runs.session, sessions.name, runs.status, runs.agent, version, finish_reason,
      using_stub, data, input_tokens, output_tokens, cost_usd, finished_at, coalesce(seed, 0)
      FROM idempotency_keys JOIN runs ON runs.id = run_id LEFT JOIN sessions ON sessions.id = runs.session
      WHERE idempotency_keys.user_id = ? AND idempotency_keys.name = ? AND idempotency_keys.created_at > ?
      AND (runs.session IS NULL OR sessions.id IS NOT NULL)
      """)
    find.bind(1, userID)
    find.bind(2, key.name)
    find.bind(3, Self.oldest(at: time))
    defer { find.reset() }
    guard try find.step() else { return nil }
    guard find.bytes(0) == key.digest else {
      throw Failure(
        .idempotencyKeyReused, "the Idempotency-Key came with another request before; take a new one")
    }
    let runID = find.text(1)
    switch RunRecord.Status(rawValue: find.text(4)) {
    case .completed:
      guard let answer = try earlierAnswer(of: runID, find),
        let reason = find.optionalText(7).flatMap(FinishReason.init)
      else { return nil }
      let calls = try ToolCallRow.steps(runID: runID, statement(ToolCallRow.selection)).flatMap(\.calls)
      return .answered(
        ChatReply(
          sessionID: answer.sessionID, messageID: answer.id, runID: runID, agent: find.text(5),
          version: find.text(6), text: answer.text,
          data: find.isNull(9) ? nil : RawJSON(trusted: find.bytes(9)),
          usingStub: find.integer(8) != 0, finishReason: reason, calls: calls, handedOut: answer.handedOut,
          usage: Usage(
            inputTokens: Int(find.integer(10)), outputTokens: Int(find.integer(11)),
            costUSD: find.optionalDouble(12)),
          at: Timestamp(milliseconds: find.integer(13))))
    case .waiting:
      return .waiting(
        WaitingRun(runID: runID, sessionID: find.text(3), approval: try pendingApproval(of: runID)))
    case .queued, .running:
      throw Failure.keyInUse
    case .failed, .cancelled, .interrupted, nil:
      let seed = UInt64(bitPattern: find.integer(14))
      guard !find.isNull(2) else {
        return .unanswered(
          runID: runID, messageID: Identifier.randomUUID(), sessionID: Identifier.randomUUID(), seed: seed)
      }
      guard let question = try turnMessages(of: runID).question else { return nil }
      return .unanswered(runID: runID, messageID: question.id, sessionID: find.text(3), seed: seed)
    }
  }

  private struct EarlierAnswer {
    let sessionID: String
    let id: String
    let text: String
    var handedOut: [ToolCallRequest] = []
  }

  /// The answer of a run that has completed: the session's message, or what is kept of a turn without one.
  private func earlierAnswer(of runID: String, _ row: SQLStatement) throws -> EarlierAnswer? {
    guard row.isNull(2) else {
      return try turnMessages(of: runID).answer.map {
        EarlierAnswer(sessionID: row.text(3), id: $0.id, text: $0.text)
      }
    }
    return try loneAnswer(of: runID).map { id, text, handedOut in
      // No session has this name, as none had the first time's.
      EarlierAnswer(sessionID: Identifier.randomUUID(), id: id, text: text, handedOut: handedOut)
    }
  }

  private static func oldest(at time: Timestamp) -> Int64 {
    time.milliseconds - Int64(IdempotencyKey.keptFor / .milliseconds(1))
  }

  /// Ties a key to the run that begins, and forgets some that are too old.
  ///
  /// - Throws: ``Failure`` `conflict` when another server began a run for it since somebody last looked.
  func remember(_ key: IdempotencyKey, of turn: TurnOpening) throws {
    if try earlierTurn(key, userID: turn.userID, at: turn.at) != nil { throw Failure.keyInUse }
    let answers = try statement(
      """
      DELETE FROM lone_answers WHERE run_id IN
      (SELECT run_id FROM idempotency_keys WHERE created_at <= ?1 ORDER BY created_at LIMIT 2)
      OR run_id IN (SELECT run_id FROM idempotency_keys WHERE user_id = ?2 AND name = ?3)
      """)
    answers.bind(1, Self.oldest(at: turn.at))
    answers.bind(2, turn.userID)
    answers.bind(3, key.name)
    try answers.run()
    let forget = try statement(
      """
      DELETE FROM idempotency_keys WHERE rowid IN
      (SELECT rowid FROM idempotency_keys WHERE created_at <= ? ORDER BY created_at LIMIT 2)
      """)
    forget.bind(1, Self.oldest(at: turn.at))
    try forget.run()
    let insert = try statement("INSERT OR REPLACE INTO idempotency_keys VALUES (?, ?, ?, ?, ?)")
    insert.bind(1, turn.userID)
    insert.bind(2, key.name)
    insert.bindBlob(3, key.digest)
    insert.bind(4, turn.runID)
    insert.bind(5, turn.at.milliseconds)
    try insert.run()
  }

  /// Begins a turn once more that got no answer; its message stays where it is.
  func reopenTurn(_ turn: TurnOpening) throws -> OpenedTurn {
    guard let session = try session(id: turn.sessionID, userID: turn.userID)?.key,
      let question = try turnMessages(of: turn.runID).question
    else { throw Failure(.conflict, "the session was deleted meanwhile", retryable: true) }
    if try hasWaitingRun(after: question.key, in: session) { throw Failure.laterRunWaits }
    // The message as it came: `before` may have changed it the first time. The last run again: a crash finds it.
    let message = try statement("UPDATE messages SET text = ?, failure = ? WHERE key = ?")
    message.bind(1, turn.message)
    message.bind(2, turn.isUnchecked ? MessageRows.unchecked : nil)
    message.bind(3, question.key)
    try message.run()
    try restartRun(turn)
    return try earlier(than: question.key, in: session, historyMessages: turn.historyMessages)
  }

  /// Whether a run waits that has read what came of an earlier message, and goes on with that.
  func hasWaitingRun(after question: Int64, in session: Int64) throws -> Bool {
    let find = try statement("SELECT 1 FROM runs WHERE session = ? AND status = 'waiting' AND question > ?")
    find.bind(1, session)
    find.bind(2, question)
    defer { find.reset() }
    return try find.step()
  }

  /// What a turn sees whose message is there already.
  ///
  /// - Parameter first: Key of the oldest message that it may see.
  func earlier(
    than question: Int64, in session: Int64, from first: Int64 = 0, historyMessages: Int
  ) throws -> OpenedTurn {
    let state = try statement("SELECT state FROM session_states WHERE session = ?")
    state.bind(1, session)
    defer { state.reset() }
    let first = max(MessageKeys(session: session).first, first)
    return OpenedTurn(
      history: question > first
        ? try pastMessages(first...question - 1, count: historyMessages).messages : [],
      state: try state.step() ? RawJSON(trusted: state.bytes(0)) : .emptyObject)
  }

  /// Begins the run of a turn that is done again.
  ///
  /// - Throws: ``Failure`` `conflict` when somebody else did so since one last looked.
  func restartRun(_ turn: TurnOpening) throws {
    guard try hasFailed(turn.runID, seed: turn.earlierSeed) else { throw Failure.begunAgain }
    try freezeEnding(of: turn.runID)
    try forgetJournal(of: turn.runID)
    // What was thought of it was thought of another answer.
    let feedback = try statement("DELETE FROM feedback WHERE run_id = ?")
    feedback.bind(1, turn.runID)
    try feedback.run()
    let run = try statement(
      """
      UPDATE runs SET seq = (SELECT max(seq) + 1 FROM runs), status = 'running', failure = NULL,
      failure_message = NULL, finished_at = NULL, agent = ?, version = ?, started_at = ?, seed = ?, beginning = ?,
      resumptions = 0 WHERE id = ?
      """)
    run.bind(1, turn.agent)
    run.bind(2, turn.version)
    run.bind(3, turn.at.milliseconds)
    run.bind(4, Int64(bitPattern: turn.seed))
    if let beginning = turn.beginning { run.bindBlob(5, beginning.json.bytes) } else { run.bindNull(5) }
    run.bind(6, turn.runID)
    try run.run()
  }

  /// - Parameter seed: Of the attempt that is meant; `nil` = the last one.
  private func hasFailed(_ runID: String, seed: UInt64?) throws -> Bool {
    let find = try statement(
      """
      SELECT 1 FROM runs WHERE id = ? AND status IN ('failed', 'cancelled', 'interrupted')
      AND coalesce(seed, 0) = coalesce(?, seed, 0)
      """)
    find.bind(1, runID)
    find.bind(2, seed.map(Int64.init(bitPattern:)))
    defer { find.reset() }
    return try find.step()
  }

  func forgetCalls(of runID: String) throws {
    let calls = try statement("DELETE FROM tool_calls WHERE run_id = ?", keepsHistories: true)
    calls.bind(1, runID)
    try calls.run()
  }

  /// Takes away the answer and the calls of a turn that is done again.
  ///
  /// - Returns: Where the answer stood; `nil` when there was none.
  func forgetAnswer(of runID: String) throws -> Int64? {
    try forgetCalls(of: runID)
    guard let answer = try turnMessages(of: runID).answer else { return nil }
    let delete = try statement("DELETE FROM messages WHERE key = ?", keepsHistories: true)
    delete.bind(1, answer.key)
    try delete.run()
    return answer.key
  }

  struct StoredMessage {
    let key: Int64
    let id: String
    let text: String
    /// Of a user's message: whether its agent has let it in.
    let isChecked: Bool
  }

  /// What the turn of a run got and said.
  func turnMessages(of runID: String) throws -> (question: StoredMessage?, answer: StoredMessage?) {
    let select = try statement(
      """
      SELECT key, messages.id, text, is_answer, messages.failure IS NOT 'unchecked' FROM runs JOIN messages ON key IN (runs.question, runs.answer)
      WHERE runs.id = ?
      """)
    select.bind(1, runID)
    defer { select.reset() }
    var (question, answer): (StoredMessage?, StoredMessage?)
    while try select.step() {
      let message = StoredMessage(
        key: select.integer(0), id: select.text(1), text: select.text(2), isChecked: select.integer(4) != 0)
      if select.integer(3) == 0 { question = message } else { answer = message }
    }
    return (question, answer)
  }
}

extension Failure {
  fileprivate static let keyInUse = Failure(
    .conflict, "the first request with this Idempotency-Key is being answered", retryable: true,
    retryAfterSeconds: 1)

  fileprivate static let begunAgain = Failure(
    .conflict, "this run is being done again, or has been", retryable: true, retryAfterSeconds: 1)
}
