// SPDX-License-Identifier: Apache-2.0
public import Core

extension SQLiteStore {
  public func keepFeedback(
    ofRun id: String, score: Double, comment: String?, by user: Principal, at time: Timestamp
  ) async throws -> Feedback {
    try Task.checkCancellation()
    let feedback = try await commits.write { connection in
      let find = try connection.statement(
        """
        SELECT runs.user_id, runs.agent, version, finished_at, sessions.name
        FROM runs LEFT JOIN sessions ON sessions.id = runs.session WHERE runs.id = ?
        """)
      find.bind(1, id)
      let (feedback, sessionID): (Feedback, String?)
      do {
        defer { find.reset() }
        guard try find.step(), user.visibility.admits(find.text(0)) else { throw Failure.noRun(id) }
        guard !find.isNull(3) else {
          throw Failure(.conflict, "this run has not ended yet", retryable: true, retryAfterSeconds: 1)
        }
        feedback = Feedback(
          runID: id, userID: user.id, agent: find.text(1), version: find.text(2), score: score,
          comment: comment, at: time)
        sessionID = find.optionalText(4)
      }
      try connection.insert(feedback)
      try connection.record(AuditEntry(feedback, by: user.actor))
      try connection.insert(Event(feedback, sessionID: sessionID))
      return feedback
    }
    eventBell.ring()
    return feedback
  }

  public func feedback(ofRun id: String, visibleTo: Visibility) async throws -> [Feedback] {
    try await read { connection in
      let select = try connection.statement(
        """
        SELECT \(FeedbackRow.columns) FROM feedback
        WHERE \(visibleTo.condition("user_id")) AND run_id = ?3 ORDER BY seq DESC LIMIT ?4
        """)
      defer { select.reset() }
      select.bind(visibleTo)
      select.bind(3, id)
      select.bind(4, Int64(PageRequest().limit))
      var rows: [Feedback] = []
      while try select.step() { rows.append(FeedbackRow(select).feedback) }
      return rows
    }
  }

  public func feedback(_ filter: FeedbackFilter, page: PageRequest) async throws -> Page<Feedback> {
    let before = try page.after.map { try Cursor.parse($0, .feedback) }?[0] ?? .max
    return try await read { connection in
      let select = try connection.statement(
        """
        SELECT \(FeedbackRow.columns) FROM feedback \(filter.visibleTo.index("feedback_by_user"))
        WHERE \(filter.condition) AND seq < ?6 ORDER BY seq DESC LIMIT ?7
        """)
      defer { select.reset() }
      select.bind(filter)
      select.bind(6, before)
      select.bind(7, page.rows)
      var rows: [FeedbackRow] = []
      while try select.step() { rows.append(FeedbackRow(select)) }
      return page.page(of: rows) { Cursor.make(.feedback, $0.seq) }.map(\.feedback)
    }
  }

  public func feedbackSummary(_ filter: FeedbackFilter) async throws -> [FeedbackSummary] {
    try await read { connection in
      let select = try connection.statement(
        """
        SELECT agent, version, count(*), avg(score), sum(score > 0), sum(score < 0), min(at), max(at)
        FROM feedback \(filter.visibleTo.index("feedback_by_user"))
        WHERE \(filter.condition) GROUP BY agent, version ORDER BY max(at) DESC, agent, version LIMIT ?6
        """)
      defer { select.reset() }
      select.bind(filter)
      select.bind(6, Int64(FeedbackSummary.listedMax))
      var sums: [FeedbackSummary] = []
      while try select.step() {
        sums.append(
          FeedbackSummary(
            agent: select.text(0), version: select.text(1), count: Int(select.integer(2)),
            mean: select.double(3), positive: Int(select.integer(4)), negative: Int(select.integer(5)),
            firstAt: Timestamp(milliseconds: select.integer(6)),
            lastAt: Timestamp(milliseconds: select.integer(7))))
      }
      return sums
    }
  }
}

extension WriterConnection {
  /// In the place of what the same user thought of the same run before.
  fileprivate func insert(_ feedback: Feedback) throws {
    let insert = try statement(
      """
      INSERT OR REPLACE INTO feedback (run_id, user_id, agent, version, score, comment, at)
      VALUES (?, ?, ?, ?, ?, ?, ?)
      """)
    insert.bind(1, feedback.runID)
    insert.bind(2, feedback.userID)
    insert.bind(3, feedback.agent)
    insert.bind(4, feedback.version)
    insert.bind(5, Optional(feedback.score))
    insert.bind(6, feedback.comment)
    insert.bind(7, feedback.at.milliseconds)
    try insert.run()
  }
}

extension FeedbackFilter {
  /// By the parameters ?1 to ?5.
  fileprivate var condition: String {
    // What follows a hexadecimal digit in ASCII ends the range of everything that begins with a version.
    """
    \(visibleTo.condition("user_id")) AND (?3 IS NULL OR agent = ?3)
    AND (?4 IS NULL OR version >= ?4 AND version < ?4 || 'g') AND (?5 IS NULL OR at >= ?5)
    """
  }
}

extension SQLStatement {
  fileprivate func bind(_ filter: FeedbackFilter) {
    bind(filter.visibleTo)
    bind(3, filter.agent)
    bind(4, filter.version)
    bind(5, filter.since?.milliseconds)
  }
}

/// One row of `feedback`.
private struct FeedbackRow {
  static let columns = "seq, run_id, user_id, agent, version, score, comment, at"

  let seq: Int64
  let feedback: Feedback

  init(_ row: SQLStatement) {
    seq = row.integer(0)
    feedback = Feedback(
      runID: row.text(1), userID: row.text(2), agent: row.text(3), version: row.text(4),
      score: row.double(5), comment: row.optionalText(6), at: Timestamp(milliseconds: row.integer(7)))
  }
}
