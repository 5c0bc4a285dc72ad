// SPDX-License-Identifier: Apache-2.0
public import Core
import JSONCodec

/// Runs that have left memory until something happens.
extension SQLiteStore {
  public func suspendTurn(_ suspension: TurnSuspension) async throws {
    try await commits.write { try $0.suspend(suspension) }
  }

  public func dueRuns(at time: Timestamp, limit: Int) async throws -> [UnfinishedRun] {
    // Most looks find nothing, and keep the writer out of it.
    let isAny = try await read { connection in
      let select = try connection.statement("SELECT 1 FROM runs WHERE wake_at <= ? LIMIT 1")
      defer { select.reset() }
      select.bind(1, time.milliseconds)
      return try select.step()
    }
    guard isAny else { return [] }
    return try await commits.write { connection in
      let select = try connection.statement(
        """
        SELECT runs.id, sessions.name, runs.agent, version, beginning, runs.session, status, min(wake_at)
        FROM runs JOIN sessions ON sessions.id = runs.session
        WHERE wake_at <= ? AND status = 'waiting' GROUP BY runs.session ORDER BY 8 LIMIT ?
        """)
      select.bind(1, time.milliseconds)
      select.bind(2, Int64(limit))
      return try connection.unfinishedRuns(select)
    }
  }

  public func waitingRun(id: String, visibleTo: Visibility) async throws -> UnfinishedRun? {
    try await commits.write { connection in
      let select = try connection.statement(
        """
        SELECT runs.id, sessions.name, runs.agent, version, beginning, runs.session, status
        FROM runs JOIN sessions ON sessions.id = runs.session
        WHERE runs.id = ? AND status = 'waiting'
        """)
      select.bind(1, id)
      return try connection.unfinishedRuns(select).first { visibleTo.admits($0.beginning.user.id) }
    }
  }
}

extension SQLiteStore {
  public func endWaitingTurn(_ turn: TurnClosing) async throws -> Bool {
    try await commits.write { connection in
      let find = try connection.statement("SELECT 1 FROM runs WHERE id = ? AND status = 'waiting'")
      find.bind(1, turn.runID)
      do {
        defer { find.reset() }
        guard try find.step() else { return false }
      }
      try connection.closeTurn(turn)
      return true
    }
  }
}

extension SQLiteStore {
  public func queueTurn(_ turn: TurnOpening) async throws {
    try await commits.write { try $0.queue(turn) }
  }

  public func askToCancel(run id: String) async throws {
    try await commits.write { connection in
      let insert = try connection.statement("INSERT OR IGNORE INTO cancellations VALUES (?)")
      insert.bind(1, id)
      try insert.run()
    }
  }

  public func cancellationsAsked() async throws -> [String] {
    // Most looks find nothing, and keep the writer out of it.
    let isAny = try await read { connection in
      let select = try connection.statement("SELECT 1 FROM cancellations LIMIT 1")
      defer { select.reset() }
      return try select.step()
    }
    guard isAny else { return [] }
    return try await commits.write { connection in
      // Whoever has the run looks, too: it stays until the run has ended.
      try connection.statement(
        """
        DELETE FROM cancellations
        WHERE run_id NOT IN (SELECT id FROM runs WHERE id IN (SELECT run_id FROM cancellations) AND finished_at IS NULL)
        """
      ).run()
      let select = try connection.statement("SELECT run_id FROM cancellations")
      defer { select.reset() }
      var ids: [String] = []
      while try select.step() { ids.append(select.text(0)) }
      return ids
    }
  }
}

extension WriterConnection {
  /// Opens a turn whose run waits, and whose time has come.
  func queue(_ turn: TurnOpening) throws {
    _ = try openTurn(turn)
    let wait = try statement("UPDATE runs SET status = 'waiting', wake_at = ? WHERE id = ?")
    wait.bind(1, turn.at.milliseconds)
    wait.bind(2, turn.runID)
    try wait.run()
  }

  fileprivate func suspend(_ suspension: TurnSuspension) throws {
    try write(suspension.journal, runID: suspension.runID)
    for event in suspension.events { try insert(event) }
    for entry in suspension.audit { try record(entry) }
    let update = try statement(
      """
      UPDATE runs SET status = 'waiting', wake_at = ?, resumptions = 0, input_tokens = ?, output_tokens = ?,
      cost_usd = ?, beginning = coalesce(?, beginning) WHERE id = ? AND status = 'running'
      """)
    update.bind(1, try wakeTime(of: suspension))
    update.bind(2, Int64(suspension.usage.inputTokens))
    update.bind(3, Int64(suspension.usage.outputTokens))
    update.bind(4, suspension.usage.costUSD)
    if let beginning = suspension.beginning {
      update.bindBlob(5, beginning.json.bytes)
    } else {
      update.bindNull(5)
    }
    update.bind(6, suspension.runID)
    try update.run()
  }

  /// 0 where something has come already, `nil` where only people can wake the run.
  private func wakeTime(of suspension: TurnSuspension) throws -> Int64? {
    let keys = Set(suspension.keys)
    let entries = try JournalRow.entries(runID: suspension.runID, statement(JournalRow.selection)).filter {
      keys.contains($0.key)
    }
    if entries.contains(where: { $0.outcome != nil }) { return 0 }
    return entries.compactMap(\.sleepsUntil).min()?.milliseconds
  }

  /// Has a waiting run woken at once.
  func wake(_ runID: String) throws {
    let update = try statement("UPDATE runs SET wake_at = 0 WHERE id = ? AND status = 'waiting'")
    update.bind(1, runID)
    try update.run()
  }
}
