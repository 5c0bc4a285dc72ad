// SPDX-License-Identifier: Apache-2.0
import GRDBSQLite

/// What SQL of a script may do: everything that is not named here is denied.
///
/// SQLite asks while it compiles a statement, and again inside views and triggers, so that neither is a way
/// around. Source: https://www.sqlite.org/c3ref/c_alter_table.html (action codes and their arguments).
struct ScriptPolicy {
  enum Access: Hashable {
    /// Perigee's own statements.
    case host
    case read, write
    /// The schema of a tools file.
    case migrate
  }

  /// Owners of tables and views by name in lower case; an empty owner stands for nobody.
  typealias Ownership = [String: String]

  /// Prefix of the tables that scripts do not see.
  static let reservedPrefix = "_perigee_"

  var access = Access.host
  var owner = ""
  var ownership: Ownership = [:]
  /// Set when the statement drops or alters a table of the owner: SQLite then edits its own tables in our
  /// name.
  var isChangingSchema = false

  /// Why the action is denied; `nil` when it is allowed.
  mutating func denial(
    action: Int32, _ first: String?, _ second: String?, database: String?
  ) -> String? {
    if access == .host { return nil }
    switch action {
    case SQLITE_SELECT, SQLITE_RECURSIVE: return nil
    case SQLITE_READ: return readDenial(first ?? "", column: second ?? "", database: database)
    case SQLITE_FUNCTION: return functionDenial(second ?? "")
    case SQLITE_INSERT, SQLITE_DELETE: return writeDenial(first ?? "", database: database)
    case SQLITE_UPDATE:
      // Virtual tables, json_each among them, ask for this when they are opened. A statement that says so
      // is refused by SQLite itself, whatever we say.
      if Self.isSchemaTable(first ?? "") { return nil }
      return writeDenial(first ?? "", database: database)
    case SQLITE_CREATE_TABLE, SQLITE_CREATE_VIEW: return schemaDenial(of: first)
    case SQLITE_CREATE_INDEX, SQLITE_CREATE_TRIGGER, SQLITE_DROP_INDEX, SQLITE_DROP_TRIGGER:
      return schemaDenial(of: second)
    case SQLITE_DROP_TABLE, SQLITE_DROP_VIEW, SQLITE_DROP_VTABLE:
      isChangingSchema = true
      return schemaDenial(of: first)
    case SQLITE_ALTER_TABLE:
      isChangingSchema = true
      return schemaDenial(of: second)
    case SQLITE_CREATE_VTABLE:
      guard second?.asciiLowercased == "fts5" else {
        return "virtual tables other than fts5 are not available"
      }
      return schemaDenial(of: first)
    case SQLITE_REINDEX:
      // CREATE INDEX asks for it too.
      return access == .migrate ? nil : "REINDEX is not available"
    case SQLITE_PRAGMA:
      // FTS5 asks for the version of the data; it tells nothing else.
      return first?.asciiLowercased == "data_version" && second == nil ? nil : "PRAGMA is not available"
    case SQLITE_TRANSACTION, SQLITE_SAVEPOINT:
      return "BEGIN, COMMIT, ROLLBACK and SAVEPOINT are not available; use db.transaction"
    case SQLITE_ATTACH, SQLITE_DETACH: return "other database files are not available"
    case SQLITE_CREATE_TEMP_TABLE, SQLITE_CREATE_TEMP_INDEX, SQLITE_CREATE_TEMP_TRIGGER,
      SQLITE_CREATE_TEMP_VIEW, SQLITE_DROP_TEMP_TABLE, SQLITE_DROP_TEMP_INDEX, SQLITE_DROP_TEMP_TRIGGER,
      SQLITE_DROP_TEMP_VIEW:
      return "temporary tables are not available"
    case SQLITE_ANALYZE: return "ANALYZE is not available"
    default: return "the statement is not available"
    }
  }

  private func readDenial(_ name: String, column: String, database: String?) -> String? {
    let table = name.asciiLowercased
    if ["sqlite_master", "sqlite_schema", "sqlite_sequence", "json_each", "json_tree"].contains(table) {
      return nil
    }
    if access == .migrate, isChangingSchema, Self.isTemporarySchema(table) { return nil }
    if table.hasPrefix(Self.reservedPrefix) || table.hasPrefix("sqlite_") || table.hasPrefix("pragma_")
      || ["dbstat", "bytecode", "tables_used", "fts3tokenize"].contains(table)
    {
      return "table '\(name)' is not readable"
    }
    if ownership[table] != nil || access == .migrate { return nil }
    // A common table expression of which no column is used is asked for without a database.
    if column.isEmpty, database == nil { return nil }
    return "table '\(name)' is not readable"
  }

  private func writeDenial(_ name: String, database: String?) -> String? {
    if access == .read { return "a query only reads; use db.exec to write" }
    let table = name.asciiLowercased
    if Self.isSchemaTable(table) { return schemaChangeDenial }
    if table == "sqlite_sequence" || Self.isTemporarySchema(table) {
      return access == .migrate && isChangingSchema ? nil : "table '\(name)' may not be written"
    }
    if database.map({ $0 != "main" }) ?? false { return "temporary tables are not available" }
    return ownerDenial(name)
  }

  private func schemaDenial(of table: String?) -> String? {
    schemaChangeDenial ?? ownerDenial(table ?? "")
  }

  private var schemaChangeDenial: String? {
    access == .migrate ? nil : "tables are made and changed by the schema of a tools file"
  }

  private func ownerDenial(_ name: String) -> String? {
    let table = name.asciiLowercased
    if table.hasPrefix(Self.reservedPrefix) { return "table '\(name)' is reserved" }
    switch ownership[table] {
    case owner: return nil
    case nil: return access == .migrate ? nil : "table '\(name)' is not one of \(owner)"
    case "": return "table '\(name)' belongs to no tools file"
    case .some(let other): return "table '\(name)' belongs to \(other)"
    }
  }

  private func functionDenial(_ name: String) -> String? {
    let function = name.asciiLowercased
    if Self.functions.contains(function) { return nil }
    // Functions of ALTER TABLE, which SQLite itself lets nobody else call.
    if isChangingSchema, function.hasPrefix("sqlite_") { return nil }
    return "the function '\(name)' is not available"
  }

  private static func isSchemaTable(_ name: String) -> Bool {
    ["sqlite_master", "sqlite_schema"].contains(name.asciiLowercased)
  }

  private static func isTemporarySchema(_ table: String) -> Bool {
    table == "sqlite_temp_master" || table == "sqlite_temp_schema"
  }
}

extension String {
  /// SQLite compares names without regard to the case of ASCII letters, and of no others.
  var asciiLowercased: String {
    guard utf8.contains(where: { (0x41...0x5A).contains($0) }) else { return self }
    return String(decoding: utf8.map { (0x41...0x5A).contains($0) ? $0 | 0x20 : $0 }, as: UTF8.self)
  }
}
