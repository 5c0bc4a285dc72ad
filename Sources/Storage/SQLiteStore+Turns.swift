// SPDX-License-Identifier: Apache-2.0
public import Core
import JSONCodec

extension SQLiteStore {
  public func openTurn(_ turn: TurnOpening) async throws -> OpenedTurn {
    try Task.checkCancellation()
    return try await commits.write { try turn.hasSession ? $0.openTurn(turn) : $0.openLoneRun(turn) }
  }

  /// Writes the end of a turn, for a cancelled task too; nothing when its session was deleted or it has
  /// ended before.
  public func closeTurn(_ turn: TurnClosing) async throws {
    try await commits.write { try turn.hasSession ? $0.closeTurn(turn) : $0.closeLoneRun(turn) }
    eventBell.ring()
  }
}

/// Where a session's messages stand in their table: `session << 24 | position`, so that they lie side by
/// side.
struct MessageKeys {
  private static let positionBits: Int64 = 24

  static let positionMax = (Int64(1) << positionBits) - 1

  let session: Int64

  var first: Int64 { session << Self.positionBits }
  var last: Int64 { first | Self.positionMax }

  func key(at position: Int64) throws -> Int64 {
    guard position <= Self.positionMax else {
      throw Failure(.limit, "the session is full; start another one")
    }
    return first | position
  }
}

/// The two writes of every turn, on the raw API.
extension WriterConnection {
  func openTurn(_ turn: TurnOpening) throws -> OpenedTurn {
    if turn.isAgain { return try reopenTurn(turn) }
    if let key = turn.idempotencyKey { try remember(key, of: turn) }
    let session = try sessionForTurn(turn)
    let keys = MessageKeys(session: session.key)
    let key = try keys.key(at: session.messageCount)
    let summary = turn.wantsSummary ? try summary(of: session.key) : nil
    let window = HistoryCache.Window(
      first: max(keys.first, summary?.firstKept ?? 0), count: turn.historyMessages)
    let history = try history(of: session, in: window, keys)

    try insertMessage(
      key: key, id: turn.messageID, runID: turn.runID, isAnswer: false, text: turn.message,
      failure: turn.isUnchecked ? MessageRows.unchecked : nil,
      hasCalls: false, at: turn.at)
    let run = try statement(
      """
      INSERT INTO runs (id, user_id, session, agent, version, status, started_at, seed, beginning, question)
      VALUES (?, ?, ?, ?, ?, 'running', ?, ?, ?, ?)
      """)
    run.bind(1, turn.runID)
    run.bind(2, turn.userID)
    run.bind(3, session.key)
    run.bind(4, turn.agent)
    run.bind(5, turn.version)
    run.bind(6, turn.at.milliseconds)
    run.bind(7, Int64(bitPattern: turn.seed))
    if let beginning = turn.beginning { run.bindBlob(8, beginning.json.bytes) } else { run.bindNull(8) }
    run.bind(9, key)
    try run.run()
    try count(messageIn: session, at: turn.at)
    let question = Message(
      id: turn.messageID, runID: turn.runID, role: .user, text: turn.message, createdAt: turn.at)
    // One that nobody may read yet is not history as it stands.
    if !turn.isUnchecked {
      histories.begin(
        question, after: history, in: window, of: session.key, messageCount: session.messageCount)
    }
    return OpenedTurn(history: history.messages, state: session.state, summary: summary?.text)
  }

  private struct TurnSession {
    let key: Int64
    /// Without the turn's own.
    let messageCount: Int64
    let state: RawJSON
    /// `nil` = the turn is its first use.
    let usedAt: Timestamp?
  }

  private func history(
    of session: TurnSession, in window: HistoryCache.Window, _ keys: MessageKeys
  ) throws -> TurnHistory {
    if session.messageCount == 0 || window.count < 1 || window.first > keys.last { return .empty }
    if let known = histories.history(of: session.key, in: window, messageCount: session.messageCount) {
      return known
    }
    return try pastMessages(window.first...keys.last, count: window.count)
  }

  private func sessionForTurn(_ turn: TurnOpening) throws -> TurnSession {
    let find = try statement(
      """
      SELECT id, message_count, (SELECT state FROM session_states WHERE session = sessions.id), updated_at
      FROM sessions WHERE user_id = ? AND name = ?
      """)
    find.bind(1, turn.userID)
    find.bind(2, turn.sessionID)
    do {
      defer { find.reset() }
      if try find.step() {
        let state = find.isNull(2) ? RawJSON.emptyObject : RawJSON(trusted: find.bytes(2))
        return TurnSession(
          key: find.integer(0), messageCount: find.integer(1), state: state,
          usedAt: Timestamp(milliseconds: find.integer(3)))
      }
    }
    let key = try insertSession(
      id: turn.sessionID, title: turn.title, userID: turn.userID, messageCount: 1, at: turn.at)
    return TurnSession(key: key, messageCount: 0, state: .emptyObject, usedAt: nil)
  }

  /// Counts the message of a turn. When the session was used is written at the turn's end again, and moves its place in
  /// an index: to the minute is enough until then.
  private func count(messageIn session: TurnSession, at time: Timestamp) throws {
    guard let usedAt = session.usedAt else { return }
    if time.milliseconds - usedAt.milliseconds < 60_000 {
      let update = try statement("UPDATE sessions SET message_count = message_count + 1 WHERE id = ?")
      update.bind(1, session.key)
      return try update.run()
    }
    let update = try statement(
      "UPDATE sessions SET message_count = message_count + 1, updated_at = ? WHERE id = ?")
    update.bind(1, time.milliseconds)
    update.bind(2, session.key)
    try update.run()
  }

  /// The messages that a turn may read, oldest first, in whole turns.
  ///
  /// A turn that goes on reads what it read when it was opened: of a message that was let in meanwhile the answer came
  /// after the turn's own message.
  func pastMessages(_ keys: ClosedRange<Int64>, count: Int) throws -> TurnHistory {
    var limit = count
    while true {
      var rows = try messageRows(keys, limit: limit)
      let isWhole = rows.count < limit || limit >= Self.rowsLookedAtMax
      rows.dropUnread()
      // What nobody may read does not use up what is wanted.
      if rows.count < count, !isWhole {
        limit = min(limit * 4, Self.rowsLookedAtMax)
        continue
      }
      try rows.readCalls { try statement(ToolCallRow.selection) }
      var history = TurnHistory(newestFirst: rows.messages, isCut: limit >= Self.rowsLookedAtMax)
      history.trim(to: count)
      return history
    }
  }

  private static let rowsLookedAtMax = 5000

  private func messageRows(_ keys: ClosedRange<Int64>, limit: Int) throws -> MessageRows {
    let select = try statement(
      """
      SELECT key, id, run_id, is_answer, text, failure, has_calls, created_at, tokens FROM messages
      WHERE key BETWEEN ? AND ? ORDER BY key DESC LIMIT ?
      """)
    select.bind(1, keys.lowerBound)
    select.bind(2, keys.upperBound)
    select.bind(3, Int64(limit))
    defer { select.reset() }
    var rows = MessageRows(reservingCapacity: min(limit, 200))
    while try select.step() { rows.append(select) }
    return rows
  }

  func closeTurn(_ turn: TurnClosing) throws {
    let find = try statement(
      """
      SELECT runs.seq, runs.session, runs.agent, sessions.message_count, runs.version
      FROM runs JOIN sessions ON sessions.id = runs.session
      WHERE runs.id = ? AND runs.user_id = ? AND runs.finished_at IS NULL
      """)
    find.bind(1, turn.runID)
    find.bind(2, turn.userID)
    let run: Int64
    let session: Int64
    let agent: String
    let version: String
    let messageCount: Int64
    do {
      defer { find.reset() }
      guard try find.step() else {
        return try recordOrphan(turn)
      }
      (run, session, agent, messageCount) = (find.integer(0), find.integer(1), find.text(2), find.integer(3))
      version = find.text(4)
    }
    let place = turn.isAgain || turn.isResumed ? try forgetAnswer(of: turn.runID) : nil
    let key = try place ?? MessageKeys(session: session).key(at: messageCount)
    try endRun(run, turn, answer: key)
    try record(turn, agent: agent, version: version)
    try write(turn.journal, runID: turn.runID)
    if turn.hasAsked || turn.isResumed { try eraseDeciders(ofRun: turn.runID) }
    let hasCalls = turn.steps.contains { !$0.calls.isEmpty }
    try insertMessage(
      key: key, id: turn.messageID, runID: turn.runID, isAnswer: true, text: turn.text,
      failure: turn.failureCode, hasCalls: hasCalls, tokens: turn.answerTokens, at: turn.at)
    if hasCalls { try insertCalls(turn) }
    if turn.message != nil || turn.isChecked { try change(turn, ofRun: run, in: session) }
    if turn.leavesHistory {
      histories.end(with: turn.answer, of: session, messageCount: messageCount)
    } else {
      histories.forget(session)
    }
    let update = try statement(
      "UPDATE sessions SET message_count = message_count + ?, updated_at = ?, agent = ? WHERE id = ?")
    update.bind(1, place == nil ? 1 : 0)
    update.bind(2, turn.at.milliseconds)
    update.bind(3, agent)
    update.bind(4, session)
    try update.run()
    // A turn that was done again may be older than what the summary holds already.
    if let summary = turn.summary, !turn.isAgain { try write(summary, of: session, runID: turn.runID) }
    if let state = turn.state {
      let write = try statement(
        """
        INSERT INTO session_states (session, state) VALUES (?, ?)
        ON CONFLICT (session) DO UPDATE SET state = excluded.state
        """)
      write.bind(1, session)
      write.bindBlob(2, state.bytes)
      try write.run()
    }
  }

  /// Puts the message that the agent made in place of the one that came; what it has let in, others may read.
  private func change(_ turn: TurnClosing, ofRun run: Int64, in session: Int64) throws {
    let update = try statement(
      """
      UPDATE messages SET text = coalesce(?, text), failure = iif(?, 'checked', failure)
      WHERE key = (SELECT question FROM runs WHERE seq = ?) RETURNING key, text
      """, keepsHistories: true)
    update.bind(1, turn.message)
    update.bind(2, turn.isChecked ? 1 : 0)
    update.bind(3, run)
    let (key, text): (Int64, String)
    do {
      defer { update.reset() }
      guard try update.step() else { return }
      (key, text) = (update.integer(0), update.text(1))
    }
    guard turn.isChecked, key == MessageKeys(session: session).first else { return }
    let title = try statement("UPDATE sessions SET title = ? WHERE id = ? AND title = ?")
    title.bind(1, TurnOpening.title(text))
    title.bind(2, session)
    title.bind(3, TurnOpening.untitled)
    try title.run()
  }

  /// - Parameter answer: Key of the message that says how it ended.
  func endRun(_ run: Int64, _ turn: TurnClosing, answer: Int64? = nil) throws {
    for event in turn.events { try insert(event) }
    if turn.mayHaveTold { try endWorkflows(of: turn) }
    try insert(Event(endOf: turn))
    let event = lastInsertedKey
    let update = try statement(
      """
      UPDATE runs SET status = ?1, failure = ?2, failure_message = ?3,
      input_tokens = iif(?12, 0, input_tokens) + ?4, output_tokens = iif(?12, 0, output_tokens) + ?5,
      cost_usd = iif(?12, 0, cost_usd) + ?6, finished_at = ?7, finish_reason = ?8, using_stub = ?9, data = ?10,
      wake_at = NULL, answer = ?13, end_event = ?14 WHERE seq = ?11
      """)
    update.bind(1, turn.status.rawValue)
    update.bind(2, turn.failure?.code.rawValue)
    update.bind(3, turn.failure?.message)
    update.bind(4, Int64(turn.usage.inputTokens))
    update.bind(5, Int64(turn.usage.outputTokens))
    update.bind(6, turn.usage.costUSD)
    update.bind(7, turn.at.milliseconds)
    update.bind(8, turn.finishReason?.rawValue)
    update.bind(9, turn.usingStub ? 1 : 0)
    if let data = turn.data { update.bindBlob(10, data.bytes) } else { update.bindNull(10) }
    update.bind(11, run)
    // A run that goes on has counted again what was counted when it left.
    update.bind(12, turn.isResumed ? 1 : 0)
    update.bind(13, answer)
    update.bind(14, event)
    try update.run()
    if turn.hasAsked { try cancelApprovals(of: turn.runID) }
  }

  /// Adds what a run did whose session was deleted meanwhile; of one that has ended already it is there.
  func recordOrphan(_ turn: TurnClosing) throws {
    let find = try statement("SELECT 1 FROM runs WHERE id = ?")
    find.bind(1, turn.runID)
    do {
      defer { find.reset() }
      if try find.step() { return }
    }
    for entry in turn.audit { try record(entry) }
  }

  /// Adds what a run did, and that it has ended, to the audit trail.
  func record(_ turn: TurnClosing, agent: String, version: String) throws {
    for entry in turn.audit { try record(entry) }
    try record(AuditEntry(endOf: turn, agent: agent, version: version))
  }

  private func insertMessage(
    key: Int64, id: String, runID: String, isAnswer: Bool, text: String, failure: String?, hasCalls: Bool,
    tokens: Int? = nil, at time: Timestamp
  ) throws {
    let insert = try statement(
      "INSERT INTO messages VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", keepsHistories: true)
    insert.bind(1, key)
    insert.bind(2, id)
    insert.bind(3, runID)
    insert.bind(4, isAnswer ? 1 : 0)
    insert.bind(5, text)
    insert.bind(6, failure)
    insert.bind(7, hasCalls ? 1 : 0)
    insert.bind(8, time.milliseconds)
    insert.bind(9, tokens.map { Int64($0) })
    try insert.run()
  }

  func insertCalls(_ turn: TurnClosing) throws {
    // OR REPLACE: a call whose intent is on record gets its outcome.
    let insert = try statement(
      "INSERT OR REPLACE INTO tool_calls VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", keepsHistories: true)
    for (number, step) in turn.steps.enumerated() {
      for (position, call) in step.calls.enumerated() {
        insert.bind(1, turn.runID)
        insert.bind(2, Int64(number))
        insert.bind(3, Int64(position))
        insert.bind(4, position == 0 ? step.text : nil)
        insert.bind(5, call.id)
        insert.bind(6, call.name)
        insert.bindBlob(7, call.arguments.bytes)
        switch call.outcome {
        case .result(let json):
          insert.bindBlob(8, json.bytes)
          insert.bindNull(9)
        case .failed(let failure):
          insert.bindNull(8)
          insert.bindBlob(9, failure.json.bytes)
        }
        insert.bind(10, call.startedAt.milliseconds)
        insert.bind(11, call.durationMilliseconds)
        try insert.run()
      }
    }
  }

  /// Makes a session, and its user if need be; its key.
  func insertSession(
    id: String, title: String, userID: String, messageCount: Int64 = 0, at time: Timestamp
  ) throws -> Int64 {
    let user = try statement("INSERT OR IGNORE INTO users (id, created_at) VALUES (?, ?)")
    user.bind(1, userID)
    user.bind(2, time.milliseconds)
    try user.run()
    let insert = try statement(
      """
      INSERT INTO sessions (user_id, name, title, created_at, updated_at, message_count)
      VALUES (?1, ?2, ?3, ?4, ?4, ?5)
      """)
    insert.bind(1, userID)
    insert.bind(2, id)
    insert.bind(3, title)
    insert.bind(4, time.milliseconds)
    insert.bind(5, messageCount)
    try insert.run()
    return lastInsertedKey
  }
}

extension TurnClosing {
  /// Whether the next turn reads what was told here: a question as it came, and calls of which nothing is left out.
  fileprivate var leavesHistory: Bool {
    message == nil && !isChecked && !isAgain && !isResumed
      && steps.allSatisfy { $0.calls.allSatisfy { if case .result = $0.outcome { true } else { false } } }
  }

  /// As its rows say it.
  fileprivate var answer: Message {
    Message(
      id: messageID, runID: runID, role: .assistant, text: text, steps: steps.filter { !$0.calls.isEmpty },
      failure: failureCode.map(Failure.Code.init(rawValue:)), countedTokens: answerTokens, createdAt: at)
  }

  /// What the answer's row says of a run that did not complete.
  fileprivate var failureCode: String? {
    failure?.code.rawValue ?? (status == .completed ? nil : status.rawValue)
  }
}
