// SPDX-License-Identifier: Apache-2.0
import Core
import Crypto
import GRDB
import GRDBSQLite

/// The one connection that writes, with the statements that it keeps prepared.
// SAFETY: every member but `init` is called by `CommitQueue` only, on its thread, while that has the pool's writer.
final class WriterConnection: @unchecked Sendable {
  private var database: Database?
  private var handle: SQLiteConnection?
  private var statements: [StatementName: Prepared] = [:]
  /// What turns read, as long as nothing but turns writes messages.
  var histories = HistoryCache()
  /// What the audit trail's next entry follows, and who stands in it, as long as no other process writes.
  var lastAuditEntry: (number: Int64, hash: [UInt8])?
  var auditActors: [AuditEntry.Actor: (id: Int64, digest: [UInt8])] = [:]
  /// Never changes.
  var knownAuditCode: HMAC<SHA256>?

  /// A statement's SQL, known by the address of its literal: no hashing of text on the way of a turn.
  struct StatementName: Hashable {
    let sql: StaticString

    static func == (left: Self, right: Self) -> Bool { left.sql.utf8Start == right.sql.utf8Start }
    func hash(into hasher: inout Hasher) { hasher.combine(UInt(bitPattern: sql.utf8Start)) }
  }

  private struct Prepared {
    let statement: Statement
    let writesMessages: Bool

    init(_ statement: Statement) {
      self.statement = statement
      // One that only reads them beside what it writes passes for one that writes them.
      let names = statement.sql.split { !$0.isLetter && $0 != "_" }
      writesMessages =
        !statement.isReadonly && names.contains { $0 == "messages" || $0 == "tool_calls" }
    }
  }

  var totalChanges: Int64 { sqlite3_total_changes64(handle) }
  var isInTransaction: Bool { sqlite3_get_autocommit(handle) == 0 }
  var lastInsertedKey: Int64 { sqlite3_last_insert_rowid(handle) }
  /// Rows that the last INSERT, UPDATE or DELETE changed.
  var changes: Int64 { sqlite3_changes64(handle) }

  /// Of the database as the last transaction left it; `nil` = nothing is known of it.
  private var version: UInt32?

  private static let auditActorsMax = 1000

  func open(_ database: Database) throws {
    guard self.database == nil else { return }
    guard let handle = database.sqliteConnection else { throw Failure.storeClosed }
    self.database = database
    self.handle = handle
  }

  func close() {
    statements = [:]
    handle = nil
    database = nil
  }

  /// The statement for `sql`, prepared on first use, ready to be bound.
  ///
  /// One that writes messages makes ``histories`` forget all.
  ///
  /// - Parameter keepsHistories: Whoever asks sees to them.
  func statement(_ sql: StaticString, keepsHistories: Bool = false) throws -> SQLStatement {
    let prepared = try prepared(sql)
    if prepared.writesMessages, !keepsHistories { histories.removeAll() }
    return SQLStatement(pointer: prepared.statement.sqliteStatement)
  }

  private func prepared(_ sql: StaticString) throws -> Prepared {
    if let prepared = statements[StatementName(sql: sql)] { return prepared }
    guard let database else { throw Failure.storeClosed }
    let prepared = Prepared(try database.makeStatement(sql: sql.description))
    statements[StatementName(sql: sql)] = prepared
    return prepared
  }

  /// Another one when anything has been written, by whatever process, that this connection has seen.
  private var dataVersion: UInt32? {
    var version: UInt32 = 0
    let code = sqlite3_file_control(handle, "main", SQLITE_FCNTL_DATA_VERSION, &version)
    return code == SQLITE_OK ? version : nil
  }

  func transaction(_ body: () throws -> Void) throws {
    try statement("BEGIN IMMEDIATE").run()
    if version == nil || version != dataVersion {
      lastAuditEntry = nil
      histories.removeAll()
    }
    if lastAuditEntry == nil || auditActors.count > Self.auditActorsMax { auditActors = [:] }
    do {
      try body()
      try statement("COMMIT").run()
      version = dataVersion
    } catch {
      version = nil
      if isInTransaction { try? statement("ROLLBACK").run() }
      throw error
    }
  }
}
