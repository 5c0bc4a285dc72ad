// SPDX-License-Identifier: Apache-2.0
public import Core
import JSONCodec

extension SQLiteStore {
  public func writeJournal(
    _ batch: JournalBatch, runID: String, done: @escaping @Sendable (Failure?) -> Void
  ) {
    let publishes = batch.entries.contains { !$0.jobs.isEmpty }
    let write: @Sendable (WriterConnection) throws -> Void = { connection in
      try connection.write(batch.entries, runID: runID)
      for approval in batch.approvals { try connection.insert(approval) }
      for event in batch.events { try connection.insert(event) }
      for entry in batch.audit { try connection.record(entry) }
    }
    commits.enqueue(write) { [jobBell, eventBell] result in
      if publishes { jobBell.ring() }
      if !batch.events.isEmpty { eventBell.ring() }
      if case .failure(let error) = result { done(Failure(error)) } else { done(nil) }
    }
  }

  public func journal(ofRun id: String) async throws -> [JournalEntry] {
    try await read { try JournalRow.entries(runID: id, $0.statement(JournalRow.selection.description)) }
  }

  public func interruptLoneRuns(at time: Timestamp) async throws -> Int {
    try await commits.write { connection in
      let update = try connection.statement(
        """
        UPDATE runs SET status = 'interrupted', failure = 'interrupted', finished_at = ?
        WHERE seq > (SELECT runs_settled FROM marks) AND status = 'running'
        AND (session IS NULL OR beginning IS NULL) AND agent NOT LIKE 'action:%'
        RETURNING id, user_id, agent, version
        """)
      update.bind(1, time.milliseconds)
      let count = try connection.recordInterruptions(update, at: time)
      try connection.statement(
        """
        UPDATE marks SET runs_settled = coalesce(
          (SELECT min(seq) - 1 FROM runs WHERE seq > runs_settled AND status = 'running'),
          (SELECT coalesce(max(seq), 0) FROM runs))
        """
      ).run()
      return count
    }
  }

  public func unfinishedRuns(begunBefore time: Timestamp) async throws -> [UnfinishedRun] {
    try await commits.write { connection in
      let select = try connection.statement(
        """
        SELECT runs.id, sessions.name, runs.agent, version, beginning, runs.session, status
        FROM runs JOIN sessions ON sessions.id = runs.session
        WHERE seq > (SELECT runs_settled FROM marks) AND status = 'running' AND beginning IS NOT NULL
        AND started_at < ? ORDER BY seq
        """)
      select.bind(1, time.milliseconds)
      return try connection.unfinishedRuns(select)
    }
  }

  public func resumeTurn(
    runID: String, from status: RunRecord.Status, historyMessages: Int, wantsSummary: Bool
  ) async throws -> ResumedTurn? {
    try await commits.write {
      try $0.resumeTurn(
        runID: runID, from: status, historyMessages: historyMessages, wantsSummary: wantsSummary)
    }
  }
}

extension SQLiteStore {
  public func keptRun(
    id: String, visibleTo: Visibility, historyMessages: Int, wantsSummary: Bool
  ) async throws -> KeptRun {
    try await commits.write {
      try $0.keptRun(
        id: id, visibleTo: visibleTo, historyMessages: historyMessages, wantsSummary: wantsSummary)
    }
  }
}

extension WriterConnection {
  fileprivate func keptRun(
    id: String, visibleTo: Visibility, historyMessages: Int, wantsSummary: Bool
  ) throws -> KeptRun {
    let find = try statement(
      """
      SELECT runs.id, sessions.name, runs.agent, version, beginning, runs.session, status, seed, resumptions,
      runs.user_id
      FROM runs LEFT JOIN sessions ON sessions.id = runs.session WHERE runs.id = ?
      """)
    find.bind(1, id)
    defer { find.reset() }
    guard try find.step(), visibleTo.admits(find.text(9)) else { throw Failure.noRun(id) }
    guard !find.isNull(1), !find.isNull(4) else {
      throw Failure(.conflict, "the message of this run is not kept")
    }
    let session = find.integer(5)
    let messages = try turnMessages(of: id)
    guard let question = messages.question, let run = UnfinishedRun(find, message: question.text) else {
      throw Failure(.conflict, "the message of this run is not kept")
    }
    let summary = wantsSummary ? try self.summary(of: session) : nil
    let opened = try earlier(
      than: question.key, in: session, from: summary?.firstKept ?? 0, historyMessages: historyMessages)
    return KeptRun(
      run: run,
      turn: ResumedTurn(
        seed: UInt64(bitPattern: find.integer(7)), wasWaiting: false, resumptions: Int(find.integer(8)),
        opened: OpenedTurn(history: opened.history, state: opened.state, summary: summary?.text),
        journal: try JournalRow.entries(runID: id, statement(JournalRow.selection))),
      messageID: question.id, isMessageChecked: question.isChecked,
      answer: run.status == .completed ? messages.answer?.text : nil,
      hasWaitingSuccessor: try hasWaitingRun(after: question.key, in: session))
  }

  func write(_ entries: [JournalEntry], runID: String) throws {
    guard !entries.isEmpty else { return }
    let insert = try statement("INSERT OR REPLACE INTO journal VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")
    for entry in entries {
      insert.bind(1, runID)
      insert.bind(2, Int64(entry.number))
      insert.bind(3, entry.key)
      insert.bind(4, entry.name)
      insert.bind(5, Int64(bitPattern: entry.digest))
      if let arguments = entry.arguments { insert.bindBlob(6, arguments.bytes) } else { insert.bindNull(6) }
      insert.bindNull(7)
      insert.bindNull(8)
      switch entry.outcome {
      case .result(let json): insert.bindBlob(7, json.bytes)
      case .failed(let failure): insert.bindBlob(8, failure.json.bytes)
      case nil: break
      }
      insert.bind(9, entry.startedAt.milliseconds)
      insert.bind(10, entry.durationMilliseconds)
      try insert.run()
      for job in entry.jobs { try publish(job) }
    }
  }

  func forgetJournal(of runID: String) throws {
    let delete = try statement("DELETE FROM journal WHERE run_id = ?")
    delete.bind(1, runID)
    try delete.run()
  }

  /// Reads the rows of a statement whose last two columns are the session and the status.
  func unfinishedRuns(_ select: SQLStatement) throws -> [UnfinishedRun] {
    defer { select.reset() }
    var runs: [UnfinishedRun] = []
    while try select.step() {
      guard let question = try turnMessages(of: select.text(0)).question,
        let run = UnfinishedRun(select, message: question.text)
      else { continue }
      runs.append(run)
    }
    return runs
  }

  fileprivate func resumeTurn(
    runID: String, from status: RunRecord.Status, historyMessages: Int, wantsSummary: Bool
  ) throws -> ResumedTurn? {
    let find = try statement(
      """
      SELECT session, seed, resumptions, seq, beginning FROM runs
      WHERE id = ? AND status = ? AND session IN (SELECT id FROM sessions)
      """)
    find.bind(1, runID)
    find.bind(2, status.rawValue)
    let session: Int64
    let seed: UInt64
    let resumptions: Int
    let row: Int64
    let wasWaiting = status == .waiting
    let read: RunBeginning.EarlierReading?
    do {
      defer { find.reset() }
      guard try find.step() else { return nil }
      (session, seed) = (find.integer(0), UInt64(bitPattern: find.integer(1)))
      row = find.integer(3)
      resumptions = wasWaiting ? 0 : Int(find.integer(2)) + 1
      let beginning =
        wantsSummary && !find.isNull(4) ? (try? JSON(parsing: find.bytes(4))).flatMap(RunBeginning.init) : nil
      read = beginning?.read
    }
    guard let question = try turnMessages(of: runID).question else { return nil }
    let count = try statement(
      "UPDATE runs SET status = 'running', wake_at = NULL, resumptions = ? WHERE id = ?")
    count.bind(1, Int64(resumptions))
    count.bind(2, runID)
    try count.run()
    // A start may have passed over it while it waited: should this process stop, the next one looks again.
    let mark = try statement("UPDATE marks SET runs_settled = min(runs_settled, ? - 1)")
    mark.bind(1, row)
    try mark.run()
    let summary = wantsSummary && read == nil ? try self.summary(of: session) : nil
    let first = try read.map { try key(of: $0.firstMessageID, before: question.key, in: session) }
    let opened = try earlier(
      than: question.key, in: session, from: first ?? summary?.firstKept ?? 0,
      historyMessages: historyMessages)
    return ResumedTurn(
      seed: seed, wasWaiting: wasWaiting, resumptions: resumptions,
      opened: OpenedTurn(
        history: opened.history, state: opened.state, summary: read.map(\.summary) ?? summary?.text),
      journal: try JournalRow.entries(runID: runID, statement(JournalRow.selection)))
  }
}

extension WriterConnection {
  /// Where the oldest message stands that a turn had read; behind all that came before it where it had read none.
  private func key(of messageID: String?, before question: Int64, in session: Int64) throws -> Int64 {
    guard let messageID else { return question }
    let select = try statement(
      "SELECT key FROM messages WHERE key BETWEEN ? AND ? AND id = ? ORDER BY key DESC LIMIT 1")
    defer { select.reset() }
    select.bind(1, MessageKeys(session: session).first)
    select.bind(2, question)
    select.bind(3, messageID)
    return try select.step() ? select.integer(0) : question
  }
}

extension UnfinishedRun {
  fileprivate init?(_ row: SQLStatement, message: String) {
    guard let beginning = (try? JSON(parsing: row.bytes(4))).flatMap(RunBeginning.init(json:)) else {
      return nil
    }
    self.init(
      runID: row.text(0), sessionID: row.text(1), agent: row.text(2), version: row.text(3), message: message,
      beginning: beginning, status: RunRecord.Status(rawValue: row.text(6)) ?? .interrupted)
  }
}

/// One row of `journal`.
enum JournalRow {
  static let selection: StaticString =
    """
    SELECT number, key, name, digest, arguments, result, failure, started_at, duration_ms
    FROM journal WHERE run_id = ? ORDER BY number
    """

  static func entries(runID: String, _ select: SQLStatement) throws -> [JournalEntry] {
    select.bind(1, runID)
    defer { select.reset() }
    var entries: [JournalEntry] = []
    while try select.step() {
      var entry = JournalEntry(
        number: Int(select.integer(0)), key: select.text(1), name: select.text(2),
        digest: UInt64(bitPattern: select.integer(3)),
        arguments: select.isNull(4) ? nil : RawJSON(trusted: select.bytes(4)),
        startedAt: Timestamp(milliseconds: select.integer(7)), durationMilliseconds: select.double(8))
      if !select.isNull(5) {
        entry.outcome = .result(RawJSON(trusted: select.bytes(5)))
      } else if !select.isNull(6) {
        entry.outcome = .failed(Failure(json: (try? JSON(parsing: select.bytes(6))) ?? .null))
      }
      entries.append(entry)
    }
    return entries
  }
}
