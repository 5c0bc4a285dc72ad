// SPDX-License-Identifier: Apache-2.0
public import Core

extension SQLiteStore {
  public func runs(visibleTo: Visibility, page: PageRequest) async throws -> Page<RunRecord> {
    let before = try page.after.map { try Cursor.parse($0, .runs) }?[0] ?? .max
    return try await read { connection in
      let select = try connection.statement(
        """
        SELECT \(RunRow.columns) FROM runs LEFT JOIN sessions ON sessions.id = runs.session
        WHERE seq IN (
          SELECT seq FROM runs \(visibleTo.index("runs_by_user"))
          WHERE \(visibleTo.condition("user_id")) AND seq < ?3 ORDER BY seq DESC LIMIT ?4)
        ORDER BY seq DESC
        """)
      defer { select.reset() }
      select.bind(visibleTo)
      select.bind(3, before)
      select.bind(4, page.rows)
      var rows: [RunRow] = []
      while try select.step() { rows.append(RunRow(select)) }
      return page.page(of: rows) { Cursor.make(.runs, $0.seq) }.map(\.record)
    }
  }

  public func run(id: String, visibleTo: Visibility) async throws -> RunRecord {
    try await read { connection in
      let select = try connection.statement(
        """
        SELECT \(RunRow.columns) FROM runs LEFT JOIN sessions ON sessions.id = runs.session
        WHERE runs.id = ?
        """)
      defer { select.reset() }
      select.bind(1, id)
      guard try select.step(), case let run = RunRow(select).record, visibleTo.admits(run.userID) else {
        throw Failure.noRun(id)
      }
      return run
    }
  }

  public func usage(userID: String, since: Timestamp) async throws -> Usage {
    try await read { connection in
      let select = try connection.statement(
        "SELECT \(UsageRow.sums) FROM runs WHERE user_id = ? AND started_at >= ?")
      select.bind(1, userID)
      select.bind(2, since.milliseconds)
      return try UsageRow.read(select)
    }
  }

  public func usage(sessionID: String, userID: String) async throws -> Usage {
    try await read { connection in
      guard let (session, _) = try connection.session(id: sessionID, userID: userID) else { return Usage() }
      let keys = MessageKeys(session: session)
      let select = try connection.statement(
        """
        SELECT \(UsageRow.sums) FROM runs
        WHERE id IN (SELECT run_id FROM messages WHERE key BETWEEN ? AND ?)
        """)
      select.bind(1, keys.first)
      select.bind(2, keys.last)
      return try UsageRow.read(select)
    }
  }
}

extension SQLiteStore {
  public func totals(ofSession id: String, userID: String) async throws -> SessionTotals {
    try await read { connection in
      guard let (session, _) = try connection.session(id: id, userID: userID) else {
        throw Failure.noSession(id)
      }
      let keys = MessageKeys(session: session)
      let select = try connection.statement(
        """
        WITH ids AS (SELECT DISTINCT run_id FROM messages WHERE key BETWEEN ?1 AND ?2)
        SELECT \(UsageRow.sums), count(*), min(started_at), max(coalesce(finished_at, started_at)),
        (SELECT count(*) FROM feedback WHERE run_id IN ids AND user_id = ?3),
        (SELECT avg(score) FROM feedback WHERE run_id IN ids AND user_id = ?3)
        FROM runs WHERE id IN ids
        """)
      defer { select.reset() }
      select.bind(1, keys.first)
      select.bind(2, keys.last)
      // What operators think of a run is not their user's to see.
      select.bind(3, userID)
      // One row, whatever there is.
      guard try select.step() else { throw Failure.noSession(id) }
      return SessionTotals(
        runs: Int(select.integer(3)), usage: UsageRow.usage(select),
        firstRunAt: select.optionalInteger(4).map(Timestamp.init(milliseconds:)),
        lastRunAt: select.optionalInteger(5).map(Timestamp.init(milliseconds:)),
        judged: Int(select.integer(6)), meanScore: select.optionalDouble(7))
    }
  }
}

/// What several runs took; a cost that is unknown counts as none.
private enum UsageRow {
  static let sums = "coalesce(sum(input_tokens), 0), coalesce(sum(output_tokens), 0), total(cost_usd)"

  static func read(_ select: SQLStatement) throws -> Usage {
    defer { select.reset() }
    return try select.step() ? usage(select) : Usage()
  }

  static func usage(_ row: SQLStatement) -> Usage {
    Usage(inputTokens: Int(row.integer(0)), outputTokens: Int(row.integer(1)), costUSD: row.double(2))
  }
}

/// One row of `runs`, with the name of its session.
private struct RunRow {
  static let columns = """
    seq, runs.id, runs.user_id, sessions.name, runs.agent, version, status, failure, input_tokens,
    output_tokens, cost_usd, started_at, finished_at
    """

  let seq: Int64
  let record: RunRecord

  init(_ row: SQLStatement) {
    seq = row.integer(0)
    record = RunRecord(
      id: row.text(1), userID: row.text(2), sessionID: row.optionalText(3), agent: row.text(4),
      version: row.text(5), status: RunRecord.Status(rawValue: row.text(6)) ?? .interrupted,
      failure: row.optionalText(7).map(Failure.Code.init(rawValue:)),
      usage: Usage(
        inputTokens: Int(row.integer(8)), outputTokens: Int(row.integer(9)), costUSD: row.optionalDouble(10)),
      startedAt: Timestamp(milliseconds: row.integer(11)),
      finishedAt: row.optionalInteger(12).map(Timestamp.init(milliseconds:)))
  }
}
