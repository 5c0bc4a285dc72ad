// SPDX-License-Identifier: Apache-2.0
public import Core

extension SQLiteStore {
  /// Makes an empty session.
  ///
  /// - Throws: ``Failure`` `conflict` when the user has a session of that name.
  public func createSession(
    id: String, title: String, userID: String, at time: Timestamp
  ) async throws -> Session {
    try Task.checkCancellation()
    return try await commits.write { connection in
      guard try connection.session(id: id, userID: userID) == nil else {
        throw Failure(.conflict, "session '\(id)' already exists")
      }
      _ = try connection.insertSession(id: id, title: title, userID: userID, at: time)
      return Session(
        id: id, userID: userID, title: title, agent: nil, createdAt: time, updatedAt: time, messageCount: 0)
    }
  }

  public func session(id: String, userID: String) async throws -> Session {
    try await read { connection in
      guard let (_, session) = try connection.session(id: id, userID: userID) else {
        throw Failure.noSession(id)
      }
      return session
    }
  }

  public func sessions(userID: String, page: PageRequest) async throws -> Page<Session> {
    let before = try page.after.map { try Cursor.parse($0, .sessions) } ?? [.max, .max]
    return try await read { connection in
      let select = try connection.statement(
        """
        SELECT \(SessionRow.columns) FROM sessions
        WHERE user_id = ?1 AND (updated_at, id) < (?2, ?3)
        ORDER BY updated_at DESC, id DESC LIMIT ?4
        """)
      defer { select.reset() }
      select.bind(1, userID)
      select.bind(2, before[0])
      select.bind(3, before[1])
      select.bind(4, page.rows)
      var rows: [(key: Int64, session: Session)] = []
      while try select.step() { rows.append(SessionRow.read(select)) }
      return page.page(of: rows) { Cursor.make(.sessions, $0.session.updatedAt.milliseconds, $0.key) }
        .map(\.session)
    }
  }

  public func renameSession(
    id: String, title: String, userID: String, at time: Timestamp
  ) async throws -> Session {
    try Task.checkCancellation()
    return try await commits.write { connection in
      guard let (key, found) = try connection.session(id: id, userID: userID) else {
        throw Failure.noSession(id)
      }
      let update = try connection.statement("UPDATE sessions SET title = ?, updated_at = ? WHERE id = ?")
      update.bind(1, title)
      update.bind(2, time.milliseconds)
      update.bind(3, key)
      try update.run()
      var session = found
      session.title = title
      session.updatedAt = time
      return session
    }
  }

  /// Deletes the session with its messages, tool calls, runs, state and the small values of its scope.
  public func deleteSession(id: String, by actor: AuditEntry.Actor, at time: Timestamp) async throws {
    try Task.checkCancellation()
    try await commits.write { connection in
      guard let (key, _) = try connection.session(id: id, userID: actor.userID) else {
        throw Failure.noSession(id)
      }
      try connection.record(AuditEntry(.sessionDeleted, at: time, by: actor, target: "session:\(key)"))
      try connection.deleteSession(key, name: id, userID: actor.userID)
    }
  }

  public func messages(sessionID: String, userID: String, page: PageRequest) async throws -> Page<Message> {
    let after = try page.after.map { try Cursor.parse($0, .messages) }?[0] ?? -1
    guard after < MessageKeys.positionMax else { return Page(items: [], next: nil) }
    return try await read { connection in
      guard let (session, _) = try connection.session(id: sessionID, userID: userID) else {
        throw Failure.noSession(sessionID)
      }
      let keys = MessageKeys(session: session)
      let select = try connection.statement(
        "SELECT \(MessageRows.columns) FROM messages WHERE key BETWEEN ? AND ? ORDER BY key LIMIT ?")
      select.bind(1, try keys.key(at: after + 1))
      select.bind(2, keys.last)
      select.bind(3, page.rows)
      var rows = MessageRows()
      do {
        defer { select.reset() }
        while try select.step() { rows.append(select) }
      }
      try rows.readCalls { try connection.statement(ToolCallRow.selection.description) }
      return page.page(of: Array(zip(rows.marks, rows.messages))) { mark, _ in
        Cursor.make(.messages, mark.key - keys.first)
      }.map(\.1)
    }
  }
}

/// One row of `sessions`.
enum SessionRow {
  static let columns = "id, user_id, name, title, agent, created_at, updated_at, message_count"
  static let selection: StaticString = """
    SELECT id, user_id, name, title, agent, created_at, updated_at, message_count
    FROM sessions WHERE user_id = ? AND name = ?
    """

  static func read(_ row: SQLStatement) -> (key: Int64, session: Session) {
    let session = Session(
      id: row.text(2), userID: row.text(1), title: row.text(3), agent: row.optionalText(4),
      createdAt: Timestamp(milliseconds: row.integer(5)), updatedAt: Timestamp(milliseconds: row.integer(6)),
      messageCount: Int(row.integer(7)))
    return (row.integer(0), session)
  }

  static func find(_ select: SQLStatement, id: String, userID: String) throws -> (
    key: Int64, session: Session
  )? {
    defer { select.reset() }
    select.bind(1, userID)
    select.bind(2, id)
    return try select.step() ? read(select) : nil
  }
}

extension WriterConnection {
  func session(id: String, userID: String) throws -> (key: Int64, session: Session)? {
    try SessionRow.find(statement(SessionRow.selection), id: id, userID: userID)
  }
}

extension ReaderConnection {
  func session(id: String, userID: String) throws -> (key: Int64, session: Session)? {
    try SessionRow.find(statement(SessionRow.selection.description), id: id, userID: userID)
  }
}
