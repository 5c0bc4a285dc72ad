// SPDX-License-Identifier: Apache-2.0
public import Core

extension SQLiteStore {
  /// What is asked of each user is found by indexes on users: no turn writes more for it.
  public func users(visibleTo: Visibility, page: PageRequest) async throws -> Page<UserRecord> {
    let after = try page.after.map { try Cursor.parseText($0, .users) } ?? ""
    return try await read { connection in
      let select = try connection.statement(
        """
        SELECT id, created_at,
        max(created_at, coalesce((SELECT max(updated_at) FROM sessions WHERE user_id = users.id), 0),
          coalesce((SELECT started_at FROM runs WHERE user_id = users.id ORDER BY seq DESC LIMIT 1), 0)),
        (SELECT count(*) FROM sessions WHERE user_id = users.id),
        (SELECT coalesce(sum(message_count), 0) FROM sessions WHERE user_id = users.id)
        FROM users WHERE \(visibleTo.condition("id")) AND id > ?3 ORDER BY id LIMIT ?4
        """)
      defer { select.reset() }
      select.bind(visibleTo)
      select.bind(3, after)
      select.bind(4, page.rows)
      var rows: [UserRecord] = []
      while try select.step() {
        rows.append(
          UserRecord(
            id: select.text(0), createdAt: Timestamp(milliseconds: select.integer(1)),
            lastActiveAt: Timestamp(milliseconds: select.integer(2)), sessions: Int(select.integer(3)),
            messages: Int(select.integer(4))))
      }
      return page.page(of: rows) { Cursor.make(.users, text: $0.id) }
    }
  }
}
