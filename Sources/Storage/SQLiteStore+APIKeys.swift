// SPDX-License-Identifier: Apache-2.0
public import Core
public import Identity
import JSONCodec

extension SQLiteStore: APIKeyStore {
  public func apiKey(id: String) async throws -> APIKeyRecord? {
    try await read { connection in
      let select = try connection.statement("SELECT \(APIKeyRow.columns) FROM api_keys WHERE id = ?")
      defer { select.reset() }
      select.bind(1, id)
      return try select.step() ? APIKeyRow(select).record : nil
    }
  }

  public func saveAPIKey(_ record: APIKeyRecord, by actor: AuditEntry.Actor) async throws {
    try await commits.write { connection in
      let insert = try connection.statement(
        """
        INSERT OR IGNORE INTO api_keys (id, hash, name, user_id, roles, agents, created_at, expires_at,
        tenant) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
        """)
      insert.bind(1, record.id)
      insert.bindBlob(2, record.hash)
      insert.bind(3, record.name)
      insert.bind(4, record.userID)
      insert.bindBlob(5, RawJSON(.array(record.roles.map { .string($0) })).bytes)
      insert.bindBlob(6, RawJSON(.array(record.agents.map { .string($0) })).bytes)
      insert.bind(7, record.createdAt.milliseconds)
      insert.bind(8, record.expiresAt?.milliseconds)
      insert.bind(9, record.tenant?.name)
      try insert.run()
      guard connection.changes > 0 else { throw Failure(.conflict, "there is a key '\(record.id)' already") }
      try connection.record(
        AuditEntry(
          .keyCreated, at: record.createdAt, by: actor, target: "key:\(record.id)",
          detail: RawJSON([
            "roles": .array(record.roles.map { .string($0) }),
            "agents": .array(record.agents.map { .string($0) }),
          ])))
    }
  }

  public func revokeAPIKey(id: String, by actor: AuditEntry.Actor, at time: Timestamp) async throws {
    try await commits.write { connection in
      let update = try connection.statement(
        "UPDATE api_keys SET revoked_at = ? WHERE id = ? AND revoked_at IS NULL")
      update.bind(1, time.milliseconds)
      update.bind(2, id)
      try update.run()
      if connection.changes > 0 {
        return try connection.record(AuditEntry(.keyRevoked, at: time, by: actor, target: "key:\(id)"))
      }
      let find = try connection.statement("SELECT 1 FROM api_keys WHERE id = ?")
      defer { find.reset() }
      find.bind(1, id)
      guard try find.step() else { throw Failure(.notFound, "there is no key '\(id)'") }
    }
  }

  public func apiKeys(userID: String?, page: PageRequest) async throws -> Page<APIKeyRecord> {
    let before = try page.after.map { try Cursor.parse($0, .apiKeys) }?[0] ?? .max
    return try await read { connection in
      let select = try connection.statement(
        """
        SELECT \(APIKeyRow.columns) FROM api_keys
        WHERE seq < ?1 AND (?2 IS NULL OR user_id = ?2) ORDER BY seq DESC LIMIT ?3
        """)
      defer { select.reset() }
      select.bind(1, before)
      select.bind(2, userID)
      select.bind(3, page.rows)
      var rows: [APIKeyRow] = []
      while try select.step() { rows.append(APIKeyRow(select)) }
      return page.page(of: rows) { Cursor.make(.apiKeys, $0.seq) }.map(\.record)
    }
  }

  public func touchAPIKey(id: String, at time: Timestamp) async throws {
    try await commits.write { connection in
      let update = try connection.statement(
        "UPDATE api_keys SET last_used_at = max(ifnull(last_used_at, 0), ?) WHERE id = ?")
      update.bind(1, time.milliseconds)
      update.bind(2, id)
      try update.run()
    }
  }
}

private struct APIKeyRow {
  static let columns =
    "seq, id, hash, name, user_id, roles, agents, created_at, expires_at, revoked_at, last_used_at, tenant"

  let seq: Int64
  let record: APIKeyRecord

  init(_ row: SQLStatement) {
    func time(_ column: Int32) -> Timestamp? {
      row.optionalInteger(column).map { Timestamp(milliseconds: $0) }
    }
    func words(_ column: Int32) -> [String] {
      ((try? JSON(parsing: row.bytes(column)))?.array ?? []).compactMap(\.string)
    }
    seq = row.integer(0)
    record = APIKeyRecord(
      id: row.text(1), hash: row.bytes(2), name: row.text(3), userID: row.text(4),
      tenant: row.optionalText(11).flatMap(Tenant.init), roles: words(5), agents: words(6),
      createdAt: Timestamp(milliseconds: row.integer(7)), expiresAt: time(8),
      revokedAt: time(9), lastUsedAt: time(10))
  }
}
