// SPDX-License-Identifier: Apache-2.0
public import Core
import JSONCodec

/// Handing out what is kept of one user.
extension SQLiteStore {
  public func beginExport(of userID: String, by actor: AuditEntry.Actor, at time: Timestamp) async throws {
    try await commits.write { connection in
      let find = try connection.statement(PersonSQL.isKnown)
      find.bind(1, userID)
      find.bind(2, KeyValueScope.user(userID).text)
      do {
        defer { find.reset() }
        guard try find.step() else { throw Failure.noUser(userID) }
      }
      try connection.record(
        AuditEntry(
          .userExported, at: time, by: actor, target: try connection.person(userID),
          detail: RawJSON(["self": .bool(actor.userID == userID)])))
    }
  }

  public func exportPiece(of userID: String, from place: ExportPlace) async throws -> ExportPiece {
    let list = ExportedList.all[place.list]
    let isLeftOut = place.leavesInsideOut && ExportedList.inside.contains(list.name)
    let (rows, last) = isLeftOut ? ([], nil) : try await page(list, userID: userID, after: place.after)
    var bytes: [UInt8] = []
    if place == ExportPlace(leavesInsideOut: place.leavesInsideOut) {
      var head = JSONWriter()
      head.object { $0.member("user_id", userID) }
      // Left open: the lists follow.
      bytes += head.bytes.dropLast()
    }
    if place.after.isEmpty { bytes += Array(",\n\"\(list.name)\":[".utf8) }
    for (index, row) in rows.enumerated() {
      if index > 0 || !place.after.isEmpty { bytes += [UInt8(ascii: ","), UInt8(ascii: "\n")] }
      bytes += row
    }
    var next = place
    if let last {
      next.after = last
      return ExportPiece(bytes: bytes, next: next)
    }
    bytes.append(UInt8(ascii: "]"))
    next = ExportPlace(leavesInsideOut: place.leavesInsideOut)
    next.list = place.list + 1
    if next.list < ExportedList.all.count { return ExportPiece(bytes: bytes, next: next) }
    return ExportPiece(bytes: bytes + [UInt8(ascii: "}"), UInt8(ascii: "\n")], next: nil)
  }

  /// Some rows of a list, each as JSON; `last` = where the next page begins, `nil` = there is none.
  private func page(
    _ list: ExportedList, userID: String, after: [ExportPlace.Key]
  ) async throws -> (rows: [[UInt8]], last: [ExportPlace.Key]?) {
    try await read { connection in
      let select = try connection.statement(list.sql)
      defer { select.reset() }
      select.bind(1, userID)
      let (prefix, end) = PersonSQL.sessionScopes(of: userID)
      for (index, key) in (after.isEmpty ? list.start(before: prefix) : after).enumerated() {
        switch key {
        case .integer(let number): select.bind(Int32(index + 2), number)
        case .text(let text): select.bind(Int32(index + 2), text)
        }
      }
      if list.isOfScopes {
        select.bind(4, KeyValueScope.user(userID).text)
        select.bind(5, end)
        select.bind(6, prefix)
      }
      var (rows, bytes, last): ([[UInt8]], Int, [ExportPlace.Key]?) = ([], 0, nil)
      while rows.count < Self.exportedRowsMax, bytes < Self.exportedBytesMax, try select.step() {
        let row = list.row(select)
        rows.append(row)
        bytes += row.count
        last = list.key(select)
      }
      return (rows, last)
    }
  }

  /// Of one page: what is held in memory.
  private static let exportedRowsMax = 200
  private static let exportedBytesMax = 1 << 20
}

/// A list of an export: rows of the user ?1 by a key that grows, ?2 and on being that of the last one seen.
///
/// Each page goes on there by an index: however much there is, a page costs its rows.
struct ExportedList: Sendable {
  enum Kind: Sendable {
    case text, integer, number, time, json, flag
  }

  /// What tells of the inside of runs.
  static let inside: Set = ["journal", "events"]

  let name: String
  let sql: String
  /// Before all keys, which are the first columns.
  var start: [ExportPlace.Key] = [.integer(.min)]
  /// Those that follow.
  let columns: [(name: String, kind: Kind)]
  /// Its statement takes the scopes of the user's small values.
  var isOfScopes = false

  func start(before prefix: String) -> [ExportPlace.Key] {
    isOfScopes ? [.text(String(prefix.dropLast())), .text("")] : start
  }

  func key(_ row: SQLStatement) -> [ExportPlace.Key] {
    start.indices.map { index in
      if case .text = start[index] { return .text(row.text(Int32(index))) }
      return .integer(row.integer(Int32(index)))
    }
  }

  func row(_ row: SQLStatement) -> [UInt8] {
    var writer = JSONWriter(reservingCapacity: 256)
    writer.object { object in
      for (index, column) in columns.enumerated() {
        let position = Int32(start.count + index)
        object.key(named: column.name)
        if row.isNull(position) {
          object.writeNull()
          continue
        }
        switch column.kind {
        case .text: object.write(row.text(position))
        case .integer: object.write(row.integer(position))
        case .number: object.write(row.double(position))
        case .flag: object.write(row.integer(position) != 0)
        case .time: object.write(Timestamp(milliseconds: row.integer(position)).description)
        case .json: object.write((try? JSON(parsing: row.bytes(position))) ?? .string(row.text(position)))
        }
      }
    }
    return writer.bytes
  }

  /// Rows of a table that belong to runs, in the order of the runs.
  private static func ofRuns(_ table: String, by order: [String], _ columns: [String]) -> String {
    let seen = order.indices.map { "iif(runs.seq = ?2, ?\($0 + 3), -1)" }
    return """
      SELECT runs.seq, \((order + columns).map { "\(table).\($0)" }.joined(separator: ", "))
      FROM runs CROSS JOIN \(table) ON \(table).run_id = runs.id
      AND (\(order.joined(separator: ", "))) > (\(seen.joined(separator: ", ")))
      WHERE runs.user_id = ?1 AND runs.seq >= ?2 ORDER BY runs.seq, \(order.joined(separator: ", "))
      """
  }

  static let all = conversations + work + belongings

  private static let conversations = [
    ExportedList(
      name: "sessions",
      sql: """
        SELECT sessions.id, name, title, agent, created_at, updated_at, state, text
        FROM sessions LEFT JOIN session_states ON session_states.session = sessions.id
        LEFT JOIN session_summaries ON session_summaries.session = sessions.id
        WHERE user_id = ?1 AND sessions.id > ?2 ORDER BY sessions.id
        """,
      columns: [
        ("id", .text), ("title", .text), ("agent", .text), ("created_at", .time), ("updated_at", .time),
        ("state", .json), ("summary", .text),
      ]),
    ExportedList(
      name: "messages",
      sql: """
        SELECT key, name, messages.id, run_id, iif(is_answer, 'assistant', 'user'), text,
        iif(is_answer, failure, NULL),
        messages.created_at
        FROM sessions CROSS JOIN messages
        ON key BETWEEN max(sessions.id << 24, ?2 + 1) AND (sessions.id << 24) + (1 << 24) - 1
        WHERE user_id = ?1 AND sessions.id >= ?2 >> 24 ORDER BY sessions.id, key
        """,
      columns: [
        ("session_id", .text), ("id", .text), ("run_id", .text), ("role", .text), ("content", .text),
        ("error", .text), ("created_at", .time),
      ]),
    ExportedList(
      name: "runs",
      sql: """
        SELECT seq, runs.id, sessions.name, runs.agent, version, status, failure, failure_message, input_tokens,
        output_tokens, cost_usd, started_at, finished_at, beginning, data, lone_answers.text
        FROM runs LEFT JOIN sessions ON sessions.id = runs.session
        LEFT JOIN lone_answers ON lone_answers.run_id = runs.id
        WHERE runs.user_id = ?1 AND seq > ?2 ORDER BY seq
        """,
      columns: [
        ("id", .text), ("session_id", .text), ("agent", .text), ("version", .text), ("status", .text),
        ("error", .text), ("error_message", .text), ("input_tokens", .integer), ("output_tokens", .integer),
        ("cost_usd", .number), ("started_at", .time), ("finished_at", .time), ("beginning", .json),
        ("data", .json), ("answer", .text),
      ]),
  ]

  private static let work = [
    ExportedList(
      name: "tool_calls",
      sql: ofRuns(
        "tool_calls", by: ["step", "position"],
        [
          "run_id", "call_id", "name", "step_text", "arguments", "result", "error", "started_at",
          "duration_ms",
        ]),
      start: [.integer(0), .integer(-1), .integer(-1)],
      columns: [
        ("run_id", .text), ("id", .text), ("name", .text), ("text", .text), ("arguments", .json),
        ("result", .json), ("error", .json), ("started_at", .time), ("duration_ms", .number),
      ]),
    ExportedList(
      name: "journal",
      sql: ofRuns(
        "journal", by: ["number"],
        ["run_id", "key", "name", "arguments", "result", "failure", "started_at", "duration_ms"]),
      start: [.integer(0), .integer(-1)],
      columns: [
        ("run_id", .text), ("key", .text), ("name", .text), ("arguments", .json), ("result", .json),
        ("error", .json), ("started_at", .time), ("duration_ms", .number),
      ]),
    ExportedList(
      name: "approvals",
      sql: """
        SELECT seq, id, run_id, agent, title, detail, status, choice, comment, filled, created_at, decided_at
        FROM approvals WHERE user_id = ?1 AND seq > ?2 ORDER BY seq
        """,
      columns: [
        ("id", .text), ("run_id", .text), ("agent", .text), ("title", .text), ("detail", .json),
        ("status", .text), ("decision", .text), ("comment", .text), ("values", .json),
        ("created_at", .time), ("decided_at", .time),
      ]),
    ExportedList(
      name: "decisions",
      sql: """
        SELECT seq, id, run_id, title, choice, comment, decided_at
        FROM approvals WHERE decided_by = ?1 AND seq > ?2 ORDER BY seq
        """,
      columns: [
        ("id", .text), ("run_id", .text), ("title", .text), ("decision", .text), ("comment", .text),
        ("decided_at", .time),
      ]),
    ExportedList(
      name: "feedback",
      sql: """
        SELECT seq, run_id, agent, version, score, comment, at
        FROM feedback WHERE user_id = ?1 AND seq > ?2 ORDER BY seq
        """,
      columns: [
        ("run_id", .text), ("agent", .text), ("version", .text), ("score", .number), ("comment", .text),
        ("at", .time),
      ]),
    ExportedList(
      name: "jobs",
      sql: """
        SELECT seq, id, action, iif(place = 5, 'dead', iif(place = 4, 'done', 'queued')), key, payload, failure,
        published_at FROM jobs WHERE user_id = ?1 AND seq > ?2 ORDER BY seq
        """,
      columns: [
        ("id", .text), ("action", .text), ("status", .text), ("key", .text), ("payload", .json),
        ("error", .json), ("published_at", .time),
      ]),
    ExportedList(
      name: "events",
      sql: """
        SELECT number, type, at, run_id, data FROM events WHERE user_id = ?1 AND number > ?2 ORDER BY number
        """,
      columns: [("type", .text), ("at", .time), ("run_id", .text), ("data", .json)]),
  ]

  private static let value =
    "scope, key, iif(scope = ?4, NULL, substr(scope, length(?6) + 1)) AS session, key AS name, value, expires_at"

  private static let belongings = [
    ExportedList(
      name: "values",
      sql: """
        SELECT \(value) FROM kv WHERE scope = ?2 AND key > ?3
        UNION ALL SELECT \(value) FROM kv WHERE scope > ?2 AND scope < ?5
        UNION ALL SELECT \(value) FROM kv WHERE scope = ?4 AND ?2 < ?4 ORDER BY scope, key
        """,
      start: [.text(""), .text("")],
      columns: [("session_id", .text), ("key", .text), ("value", .json), ("expires_at", .time)],
      isOfScopes: true),
    ExportedList(
      name: "idempotency_keys",
      sql: """
        SELECT name, name, run_id, created_at FROM idempotency_keys
        WHERE user_id = ?1 AND name > ?2 ORDER BY name
        """,
      start: [.text("")],
      columns: [("key", .text), ("run_id", .text), ("created_at", .time)]),
    ExportedList(
      name: "channel_messages",
      sql: """
        SELECT rowid, channel, id, received_at, state, message, texts FROM channel_messages
        WHERE user_id = ?1 AND rowid > ?2 ORDER BY rowid
        """,
      columns: [
        ("channel", .text), ("id", .text), ("received_at", .time), ("status", .text), ("message", .json),
        ("answer", .json),
      ]),
    // Without hashes: whoever has the document cannot guess at keys.
    ExportedList(
      name: "api_keys",
      sql: """
        SELECT seq, id, name, roles, agents, created_at, expires_at, revoked_at, last_used_at
        FROM api_keys WHERE user_id = ?1 AND seq > ?2 ORDER BY seq
        """,
      columns: [
        ("id", .text), ("name", .text), ("roles", .json), ("agents", .json), ("created_at", .time),
        ("expires_at", .time), ("revoked_at", .time), ("last_used_at", .time),
      ]),
    ExportedList(
      name: "audit",
      sql: """
        SELECT number, number, at, action, address, key_id, target, run_id, agent, version, detail
        FROM audit JOIN audit_actors ON audit_actors.id = audit.actor
        WHERE user_id = ?1 AND number > ?2 ORDER BY number
        """,
      columns: [
        ("number", .integer), ("at", .time), ("action", .text), ("address", .text), ("key_id", .text),
        ("target", .text), ("run_id", .text), ("agent", .text), ("version", .text), ("detail", .json),
      ]),
  ]
}
