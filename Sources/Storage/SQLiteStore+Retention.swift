// SPDX-License-Identifier: Apache-2.0
public import Core
import JSONCodec

/// Forgetting what is older than it may become.
extension SQLiteStore {
  public func forgetSessions(
    before time: Timestamp, loneRunsBefore loneTime: Timestamp?, at now: Timestamp
  ) async throws -> Int {
    // Looked for beside the writer: it takes a look at all of them.
    let old = try await read { connection in
      let select = try connection.statement(
        """
        SELECT id, name, user_id FROM sessions WHERE updated_at < ? AND NOT EXISTS (
          SELECT 1 FROM messages JOIN runs ON runs.id = messages.run_id
          WHERE messages.key BETWEEN sessions.id << 24 AND (sessions.id << 24) + (1 << 24) - 1
          AND runs.finished_at IS NULL)
        LIMIT 20
        """)
      defer { select.reset() }
      select.bind(1, time.milliseconds)
      var old: [(key: Int64, name: String, userID: String)] = []
      while try select.step() { old.append((select.integer(0), select.text(1), select.text(2))) }
      return old
    }
    var lone: [String] = []
    if old.isEmpty, let loneTime {
      lone = try await read { connection in
        let select = try connection.statement(
          "SELECT id FROM runs WHERE session IS NULL AND finished_at < ? LIMIT 100")
        defer { select.reset() }
        select.bind(1, loneTime.milliseconds)
        var lone: [String] = []
        while try select.step() { lone.append(select.text(0)) }
        return lone
      }
    }
    guard !old.isEmpty || !lone.isEmpty else { return 0 }
    return try await commits.write { [lone] connection in
      var count = lone.count
      for session in old where try connection.isUnused(session.key, since: time) {
        try connection.deleteSession(session.key, name: session.name, userID: session.userID)
        count += 1
      }
      try connection.forget(lone)
      guard count > 0 else { return 0 }
      try connection.record(
        AuditEntry(.dataForgotten, at: now, by: nil, detail: RawJSON(["count": .integer(Int64(count))])))
      return count
    }
  }
}

extension WriterConnection {
  /// Whether it is still as old as it was a moment ago.
  fileprivate func isUnused(_ session: Int64, since time: Timestamp) throws -> Bool {
    let find = try statement("SELECT 1 FROM sessions WHERE id = ? AND updated_at < ?")
    find.bind(1, session)
    find.bind(2, time.milliseconds)
    defer { find.reset() }
    return try find.step()
  }

  /// Deletes runs without a session.
  func forget(_ ids: [String]) throws {
    for id in ids {
      for sql: StaticString in [
        "DELETE FROM tool_calls WHERE run_id = ?", "DELETE FROM approvals WHERE run_id = ?",
        "DELETE FROM feedback WHERE run_id = ?",
        "UPDATE events SET data = NULL WHERE key IS NOT NULL AND run_id = ?",
        "DELETE FROM journal WHERE run_id = ?", "DELETE FROM lone_answers WHERE run_id = ?",
        "DELETE FROM runs WHERE id = ?",
      ] {
        let delete = try statement(sql)
        delete.bind(1, id)
        try delete.run()
      }
    }
    if !ids.isEmpty { try lowerSettledMark() }
  }

  /// The key of a deleted last run is given out again: it is a new run then.
  private func lowerSettledMark() throws {
    try statement(
      "UPDATE marks SET runs_settled = min(runs_settled, (SELECT coalesce(max(seq), 0) FROM runs))"
    ).run()
  }

  /// Deletes a session with its messages, tool calls, runs, state and the small values of its scope.
  func deleteSession(_ key: Int64, name: String, userID: String) throws {
    let keys = MessageKeys(session: key)
    for sql: StaticString in [
      "DELETE FROM tool_calls WHERE run_id IN (SELECT run_id FROM messages WHERE key BETWEEN ? AND ?)",
      "DELETE FROM approvals WHERE run_id IN (SELECT run_id FROM messages WHERE key BETWEEN ? AND ?)",
      "DELETE FROM feedback WHERE run_id IN (SELECT run_id FROM messages WHERE key BETWEEN ? AND ?)",
      """
      UPDATE events SET data = NULL
      WHERE key IS NOT NULL AND run_id IN (SELECT run_id FROM messages WHERE key BETWEEN ? AND ?)
      """,
      "DELETE FROM journal WHERE run_id IN (SELECT run_id FROM messages WHERE key BETWEEN ? AND ?)",
      "DELETE FROM runs WHERE id IN (SELECT run_id FROM messages WHERE key BETWEEN ? AND ?)",
      "DELETE FROM messages WHERE key BETWEEN ? AND ?",
    ] {
      let delete = try statement(sql)
      delete.bind(1, keys.first)
      delete.bind(2, keys.last)
      try delete.run()
    }
    try lowerSettledMark()
    let values = try statement("DELETE FROM kv WHERE scope = ?")
    values.bind(1, KeyValueScope.session(userID: userID, sessionID: name).text)
    try values.run()
    let session = try statement("DELETE FROM sessions WHERE id = ?")
    session.bind(1, key)
    try session.run()
  }
}
