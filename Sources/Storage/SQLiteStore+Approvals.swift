// SPDX-License-Identifier: Apache-2.0
public import Core
import JSONCodec

extension SQLiteStore {
  public func approvals(
    visibleTo user: Principal, status: Approval.Status?, page: PageRequest
  ) async throws -> Page<Approval> {
    let before = try page.after.map { try Cursor.parse($0, .approvals) }?[0] ?? .max
    let roles = user.roles.map { " \($0) " }
    return try await read { connection in
      // Roles are names without spaces, each between two.
      let mine =
        user.isOperator
        ? "TRUE"
        : "(user_id = ?3"
          + roles.indices.map {
            " OR instr(roles, ?\($0 + 7)) > 0"
          }.joined() + ")"
      let select = try connection.statement(
        """
        SELECT \(ApprovalRow.columns) FROM approvals WHERE seq IN (
          SELECT seq FROM approvals \(user.reach.index("approvals_by_user"))
          WHERE \(user.reach.condition("user_id")) AND \(mine) AND seq < ?4 AND (?5 IS NULL OR status = ?5)
          ORDER BY seq DESC LIMIT ?6)
        ORDER BY seq DESC
        """)
      defer { select.reset() }
      select.bind(user.reach)
      select.bind(3, user.id)
      select.bind(4, before)
      select.bind(5, status?.rawValue)
      select.bind(6, page.rows)
      if !user.isOperator {
        for (index, role) in roles.enumerated() { select.bind(Int32(index + 7), role) }
      }
      var rows: [ApprovalRow] = []
      while try select.step() { rows.append(ApprovalRow(select)) }
      return page.page(of: rows) { Cursor.make(.approvals, $0.seq) }.map(\.approval)
    }
  }

  public func approval(id: String) async throws -> Approval {
    try await read { connection in
      let select = try connection.statement("SELECT \(ApprovalRow.columns) FROM approvals WHERE id = ?")
      defer { select.reset() }
      select.bind(1, id)
      guard try select.step() else { throw Failure(.notFound, "no approval '\(id)'") }
      return ApprovalRow(select).approval
    }
  }

  public func decideApproval(id: String, _ decision: Approval.Decision) async throws -> Approval {
    try await commits.write { connection in
      guard var approval = try connection.approval(id: id) else {
        throw Failure(.notFound, "no approval '\(id)'")
      }
      let isOver = approval.expiresAt.map { $0 <= decision.at } ?? false
      guard approval.status == .pending, !isOver else {
        let what = approval.status == .pending ? "expired" : approval.status.rawValue
        throw Failure(.conflict, "this approval is \(what) already")
      }
      approval.status = .decided
      approval.decision = decision
      try connection.settle(approval)
      return approval
    }
  }

  public func expireApprovals(at time: Timestamp) async throws -> [Approval] {
    let isAny = try await read { connection in
      let select = try connection.statement(
        "SELECT 1 FROM approvals WHERE status = 'pending' AND expires_at IS NOT NULL AND expires_at <= ? LIMIT 1"
      )
      defer { select.reset() }
      select.bind(1, time.milliseconds)
      return try select.step()
    }
    guard isAny else { return [] }
    return try await commits.write { connection in
      let select = try connection.statement(
        """
        SELECT id FROM approvals WHERE status = 'pending' AND expires_at IS NOT NULL AND expires_at <= ? LIMIT 256
        """)
      select.bind(1, time.milliseconds)
      var ids: [String] = []
      do {
        defer { select.reset() }
        while try select.step() { ids.append(select.text(0)) }
      }
      return try ids.compactMap { id in
        guard var approval = try connection.approval(id: id) else { return nil }
        approval.status = .expired
        try connection.settle(approval)
        return approval
      }
    }
  }
}

extension WriterConnection {
  /// Asks a question; one that was asked already stays as it is.
  func insert(_ approval: Approval) throws {
    let insert = try statement(
      """
      INSERT OR IGNORE INTO approvals (id, run_id, key, user_id, agent, title, detail, choices, form, roles, digest,
      status, created_at, expires_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
      """)
    insert.bind(1, approval.id)
    insert.bind(2, approval.runID)
    insert.bind(3, approval.key)
    insert.bind(4, approval.userID)
    insert.bind(5, approval.agent)
    insert.bind(6, approval.question.title)
    if let detail = approval.question.detail { insert.bindBlob(7, detail.bytes) } else { insert.bindNull(7) }
    insert.bind(8, approval.question.choices.joined(separator: " "))
    if let form = approval.question.form { insert.bindBlob(9, form.bytes) } else { insert.bindNull(9) }
    insert.bind(10, " " + approval.question.roles.map { $0 + " " }.joined())
    insert.bind(11, Int64(bitPattern: approval.digest))
    insert.bind(12, approval.status.rawValue)
    insert.bind(13, approval.createdAt.milliseconds)
    insert.bind(14, approval.expiresAt?.milliseconds)
    try insert.run()
  }

  fileprivate func approval(id: String) throws -> Approval? {
    let select = try statement(
      """
      SELECT seq, id, run_id, key, user_id, agent, title, detail, choices, form, roles, digest, status, created_at,
      expires_at, choice, comment, filled, decided_by, decided_at FROM approvals WHERE id = ?
      """)
    defer { select.reset() }
    select.bind(1, id)
    return try select.step() ? ApprovalRow(select).approval : nil
  }

  /// The latest question that a run waits for.
  func pendingApproval(of runID: String) throws -> Approval? {
    let select = try statement(
      "SELECT id FROM approvals WHERE run_id = ? AND status = 'pending' ORDER BY seq DESC LIMIT 1")
    select.bind(1, runID)
    let id: String
    do {
      defer { select.reset() }
      guard try select.step() else { return nil }
      id = select.text(0)
    }
    return try approval(id: id)
  }

  /// Writes what became of a question, gives it to the run's journal as its answer, and wakes the run.
  fileprivate func settle(_ approval: Approval) throws {
    let update = try statement(
      """
      UPDATE approvals SET status = ?, choice = ?, comment = ?, filled = ?, decided_by = ?, decided_at = ?
      WHERE id = ? AND status = 'pending'
      """)
    update.bind(1, approval.status.rawValue)
    update.bind(2, approval.decision?.choice)
    update.bind(3, approval.decision?.comment)
    if let values = approval.decision?.values { update.bindBlob(4, values.bytes) } else { update.bindNull(4) }
    update.bind(5, approval.decision?.userID)
    update.bind(6, approval.decision?.at.milliseconds)
    update.bind(7, approval.id)
    try update.run()
    let answer = try statement(
      "UPDATE journal SET result = ? WHERE run_id = ? AND key = ? AND result IS NULL")
    answer.bindBlob(1, Approval.answer(approval.decision).bytes)
    answer.bind(2, approval.runID)
    answer.bind(3, approval.key)
    try answer.run()
    if let decision = approval.decision { try record(AuditEntry(decision, of: approval)) }
    try wake(approval.runID)
  }

  /// Lets go of the questions of a run that has ended.
  func cancelApprovals(of runID: String) throws {
    let update = try statement(
      "UPDATE approvals SET status = 'cancelled' WHERE run_id = ? AND status = 'pending'")
    update.bind(1, runID)
    try update.run()
  }
}

/// One row of `approvals`.
private struct ApprovalRow {
  static let columns = """
    seq, id, run_id, key, user_id, agent, title, detail, choices, form, roles, digest, status, created_at,
    expires_at, choice, comment, filled, decided_by, decided_at
    """

  let seq: Int64
  let approval: Approval

  init(_ row: SQLStatement) {
    seq = row.integer(0)
    var approval = Approval(
      id: row.text(1), runID: row.text(2), key: row.text(3), userID: row.text(4), agent: row.text(5),
      question: Approval.Question(
        title: row.text(6), detail: row.isNull(7) ? nil : RawJSON(trusted: row.bytes(7)),
        choices: row.text(8).split(separator: " ").map(String.init),
        form: row.isNull(9) ? nil : RawJSON(trusted: row.bytes(9)),
        roles: row.text(10).split(separator: " ").map(String.init)),
      digest: UInt64(bitPattern: row.integer(11)),
      status: Approval.Status(rawValue: row.text(12)) ?? .cancelled,
      createdAt: Timestamp(milliseconds: row.integer(13)),
      expiresAt: row.optionalInteger(14).map(Timestamp.init(milliseconds:)))
    if let choice = row.optionalText(15) {
      approval.decision = Approval.Decision(
        choice: choice, comment: row.optionalText(16),
        values: row.isNull(17) ? nil : RawJSON(trusted: row.bytes(17)), userID: row.optionalText(18) ?? "",
        at: Timestamp(milliseconds: row.optionalInteger(19) ?? 0))
    }
    self.approval = approval
  }
}
