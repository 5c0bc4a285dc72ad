// SPDX-License-Identifier: Apache-2.0
public import Core
import JSONCodec

/// Forgetting what is older than it may become.
extension SQLiteStore {
  public func forgetSessions(before time: Timestamp, at now: Timestamp) async throws -> Int {
    try await commits.write { connection in
      var count = 0
      for session in try connection.sessions(unusedSince: time) {
        try connection.deleteSession(session.key, name: session.name, userID: session.userID)
        count += 1
      }
      count += try connection.forgetLoneRuns(endedBefore: time)
      guard count > 0 else { return 0 }
      try connection.record(
        AuditEntry(.dataForgotten, at: now, by: nil, detail: RawJSON(["count": .integer(Int64(count))])))
      return count
    }
  }
}

extension WriterConnection {
  /// Some at a time, so that no other write waits for long.
  fileprivate func sessions(
    unusedSince time: Timestamp
  ) throws -> [(key: Int64, name: String, userID: String)] {
    let select = try statement(
      """
      SELECT id, name, user_id FROM sessions WHERE updated_at < ? AND NOT EXISTS (
        SELECT 1 FROM messages JOIN runs ON runs.id = messages.run_id
        WHERE messages.key BETWEEN sessions.id << 24 AND (sessions.id << 24) + (1 << 24) - 1
        AND runs.finished_at IS NULL)
      LIMIT 20
      """)
    select.bind(1, time.milliseconds)
    defer { select.reset() }
    var sessions: [(key: Int64, name: String, userID: String)] = []
    while try select.step() { sessions.append((select.integer(0), select.text(1), select.text(2))) }
    return sessions
  }

  fileprivate func forgetLoneRuns(endedBefore time: Timestamp) throws -> Int {
    let select = try statement(
      "SELECT id FROM runs WHERE session IS NULL AND finished_at < ? ORDER BY seq LIMIT 100")
    select.bind(1, time.milliseconds)
    var ids: [String] = []
    do {
      defer { select.reset() }
      while try select.step() { ids.append(select.text(0)) }
    }
    for id in ids {
      for sql: StaticString in [
        "DELETE FROM tool_calls WHERE run_id = ?", "DELETE FROM approvals WHERE run_id = ?",
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
    return ids.count
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
