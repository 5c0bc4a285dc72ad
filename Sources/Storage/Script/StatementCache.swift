// SPDX-License-Identifier: Apache-2.0
import GRDBSQLite

/// Prepared statements that are not running, the least recently used given up first.
struct StatementCache {
  struct Key: Hashable {
    let access: ScriptPolicy.Access
    let owner: String
    let sql: String
  }

  /// Statements kept by one connection.
  private static let countMax = 64
  /// Bytes of SQL; longer texts are made for the occasion and not kept.
  private static let sqlBytesMax = 8192

  private var entries: [Key: (statement: SQLStatement, used: UInt64)] = [:]
  private var uses: UInt64 = 0

  /// Takes the statement out: it belongs to the caller until it is put back or finalized.
  mutating func take(_ key: Key) -> SQLStatement? { entries.removeValue(forKey: key)?.statement }

  mutating func put(_ statement: SQLStatement, _ key: Key) {
    guard key.sql.utf8.count <= Self.sqlBytesMax else {
      sqlite3_finalize(statement.pointer)
      return
    }
    if entries.count >= Self.countMax, let oldest = entries.min(by: { $0.value.used < $1.value.used }) {
      sqlite3_finalize(oldest.value.statement.pointer)
      entries[oldest.key] = nil
    }
    uses += 1
    entries[key] = (statement, uses)
  }

  mutating func removeAll() {
    for entry in entries.values { sqlite3_finalize(entry.statement.pointer) }
    entries = [:]
  }
}
