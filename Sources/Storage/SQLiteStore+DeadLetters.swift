// SPDX-License-Identifier: Apache-2.0
public import Core
import JSONCodec

extension SQLiteStore {
  public func deadLetters(visibleTo: Visibility, page: PageRequest) async throws -> Page<DeadLetter> {
    let before = try page.after.map { try Cursor.parse($0, .deadLetters) } ?? [.max, .max]
    return try await read { connection in
      let select = try connection.statement(
        """
        SELECT \(DeadLetterRow.columns) FROM jobs
        WHERE place = 5 AND \(visibleTo.condition("user_id")) AND \(visibleTo.tenantCondition)
        AND (due_at, seq) < (?3, ?4)
        ORDER BY due_at DESC, seq DESC LIMIT ?5
        """)
      defer { select.reset() }
      select.bind(visibleTo)
      select.bind(3, before[0])
      select.bind(4, before[1])
      select.bind(5, page.rows)
      var rows: [DeadLetterRow] = []
      while try select.step() { rows.append(DeadLetterRow(select)) }
      return page.page(of: rows) { Cursor.make(.deadLetters, $0.letter.diedAt.milliseconds, $0.seq) }
        .map(\.letter)
    }
  }

  public func deadLetter(id: String, visibleTo: Visibility) async throws -> DeadLetter {
    try await read { connection in
      let select = try connection.statement(
        "SELECT \(DeadLetterRow.columns) FROM jobs WHERE id = ? AND place = 5")
      defer { select.reset() }
      select.bind(1, id)
      guard try select.step(), case let letter = DeadLetterRow(select).letter,
        visibleTo.admits(letter.job.user.id)
      else { throw Failure.noDeadLetter(id) }
      return letter
    }
  }

  public func retryDeadLetter(id: String, by actor: AuditEntry.Actor, at time: Timestamp) async throws {
    try await commits.write { connection in
      let update = try connection.statement(
        """
        UPDATE jobs SET due_at = ?2, failures = 0, place = iif(
          EXISTS (
            SELECT 1 FROM jobs AS others
            WHERE others.user_id = jobs.user_id AND others.key = jobs.key AND others.place < 4), 2, 0)
        WHERE id = ?1 AND place = 5
        """)
      update.bind(1, id)
      update.bind(2, time.milliseconds)
      try update.run()
      guard connection.changes > 0 else { throw Failure.noDeadLetter(id) }
      try connection.record(AuditEntry(.jobRetried, at: time, by: actor, target: "job:\(id)"))
    }
    jobBell.ring()
  }

  public func discardDeadLetter(
    id: String, by actor: AuditEntry.Actor, at time: Timestamp
  ) async throws {
    try await commits.write { connection in
      let delete = try connection.statement("DELETE FROM jobs WHERE id = ? AND place = 5")
      delete.bind(1, id)
      try delete.run()
      guard connection.changes > 0 else { throw Failure.noDeadLetter(id) }
      try connection.record(AuditEntry(.jobDiscarded, at: time, by: actor, target: "job:\(id)"))
    }
  }
}

extension Failure {
  fileprivate static func noDeadLetter(_ id: String) -> Failure {
    Failure(.notFound, "there is no dead letter '\(id)'")
  }
}

private struct DeadLetterRow {
  static let columns = """
    seq, id, action, payload, user, key, priority, publisher, published_at, due_at, trace, attempt, failure,
    run_id
    """

  let seq: Int64
  let letter: DeadLetter

  init(_ row: SQLStatement) {
    seq = row.integer(0)
    let job = JobRow.job(row)
    letter = DeadLetter(
      job: job, attempts: Int(row.integer(11)),
      failure: Failure(json: (try? JSON(parsing: row.bytes(12))) ?? .null), runID: row.text(13),
      diedAt: job.dueAt)
  }
}
