// SPDX-License-Identifier: Apache-2.0
import GRDB
import GRDBSQLite

/// A connection of its own to a database that others may be working on; it brings nothing up to date.
///
/// Used by one thread at a time.
final class SQLiteFile {
  enum Access {
    /// Others are at work, or were a moment ago; the file is there.
    case shared
    /// Nobody else knows the file; nothing is made beside it.
    case frozen
    /// A file that is not there yet.
    case new
  }

  let path: String
  /// Closed when this goes.
  private let handle: OpaquePointer

  init(_ path: String, _ access: Access) throws {
    let (name, flags): (String, Int32) =
      switch access {
      case .shared: (path, SQLITE_OPEN_READWRITE)
      case .frozen: (Self.frozenName(path), SQLITE_OPEN_READONLY | SQLITE_OPEN_URI)
      case .new: (path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE)
      }
    var handle: OpaquePointer?
    let code = sqlite3_open_v2(name, &handle, flags | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, nil)
    guard code == SQLITE_OK, let handle else {
      defer { sqlite3_close_v2(handle) }
      throw SQLError(connection: handle)
    }
    self.path = path
    self.handle = handle
    sqlite3_busy_timeout(handle, 5000)
    try run("PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON")
  }

  deinit { sqlite3_close_v2(handle) }

  /// Source: https://www.sqlite.org/uri.html, "immutable".
  private static func frozenName(_ path: String) -> String {
    let kept = Set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789/-._~".utf8)
    let name = path.utf8.map { byte in
      kept.contains(byte)
        ? String(UnicodeScalar(byte)) : "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16)
    }.joined()
    return "file:\(name)?immutable=1"
  }

  func run(_ sql: String) throws(SQLError) {
    guard sqlite3_exec(handle, sql, nil, nil, nil) == SQLITE_OK else { throw SQLError(connection: handle) }
  }

  func rows<Row>(_ sql: String, _ read: (SQLStatement) -> Row) throws -> [Row] {
    var text = ScriptText(sql)
    guard let statement = try text.prepareNext(on: handle, isPersistent: false) else { return [] }
    defer { sqlite3_finalize(statement.pointer) }
    var rows: [Row] = []
    while try statement.step() { rows.append(read(statement)) }
    return rows
  }

  /// Stays at one moment of the database until it is closed.
  func begin() throws { try run("BEGIN; SELECT count(*) FROM sqlite_schema") }

  /// Keeps others from writing until ``release()``.
  ///
  /// - Throws: ``BackupError`` when they leave no gap for a minute.
  func hold(unless cancellation: CancellationFlag) throws {
    sqlite3_busy_timeout(handle, 200)
    let end = ContinuousClock.now + .seconds(60)
    while sqlite3_exec(handle, "BEGIN IMMEDIATE", nil, nil, nil) != SQLITE_OK {
      let error = SQLError(connection: handle)
      guard error.primaryCode == SQLITE_BUSY else { throw error }
      if cancellation.isSet { throw CancellationError() }
      guard ContinuousClock.now < end else {
        throw BackupError(.usage, "\(path) is being written without a pause", hint: "try again later")
      }
    }
  }

  func release() throws { try run("ROLLBACK") }

  /// Copies the moment that ``begin()`` began to a new file; whoever writes is not held up.
  ///
  /// - Parameter progress: Told the share that is copied.
  func copy(
    to path: String, unless cancellation: CancellationFlag, progress: (Double) -> Void
  ) throws {
    let target = try SQLiteFile(path, .new)
    // The copy counts only when all of it has been read again.
    try target.run("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF")
    guard let backup = sqlite3_backup_init(target.handle, "main", handle, "main") else {
      throw SQLError(connection: target.handle)
    }
    var code = SQLITE_OK
    while code == SQLITE_OK, !cancellation.isSet {
      code = sqlite3_backup_step(backup, 1024)
      let (all, left) = (sqlite3_backup_pagecount(backup), sqlite3_backup_remaining(backup))
      progress(all > 0 ? Double(all - left) / Double(all) : 1)
    }
    sqlite3_backup_finish(backup)
    if cancellation.isSet { throw CancellationError() }
    guard code == SQLITE_DONE else {
      throw SQLError(code: code, message: String(cString: sqlite3_errstr(code)))
    }
  }

  /// What SQLite complains of; nothing for a file that is whole.
  ///
  /// - Parameter isQuick: Indexes are not held against their tables.
  func complaints(isQuick: Bool, unless cancellation: CancellationFlag) throws -> [String] {
    let context = Unmanaged.passUnretained(cancellation).toOpaque()
    sqlite3_progress_handler(
      handle, 100_000,
      { context in
        guard let context else { return 0 }
        // SAFETY: the flag is alive for as long as the statement below runs, and this is called by nothing else.
        return Unmanaged<CancellationFlag>.fromOpaque(context).takeUnretainedValue().isSet ? 1 : 0
      }, context)
    defer { sqlite3_progress_handler(handle, 0, nil, nil) }
    do {
      let lines = try rows("PRAGMA \(isQuick ? "quick_check" : "integrity_check")(1)") { $0.text(0) }
      return lines == ["ok"] ? [] : lines
    } catch let error as SQLError {
      if error.primaryCode == SQLITE_INTERRUPT { throw CancellationError() }
      guard [SQLITE_CORRUPT, SQLITE_NOTADB].contains(error.primaryCode) else { throw error }
      return [error.message]
    }
  }
}

// MARK: What the file says of itself

extension SQLiteFile {
  /// The step that the tables of one of our databases are at.
  ///
  /// - Parameter name: Which of them it is, by the name that it has in a data directory.
  /// - Throws: ``BackupError`` when it is none of ours.
  func schema(of name: String) throws -> Int64 {
    do {
      if name == SQLiteScriptDatabase.fileName {
        return try rows("PRAGMA user_version") { $0.integer(0) }.first ?? 0
      }
      let steps = try rows("SELECT identifier FROM grdb_migrations") { Migrations.number(of: $0.text(0)) }
      guard let last = steps.compactMap({ $0 }).max() else { throw SQLError(code: SQLITE_ERROR, message: "") }
      return last
    } catch let error as SQLError where error.primaryCode == SQLITE_ERROR {
      throw BackupError(.damaged, "\(name) is no database of Perigee")
    }
  }
}

extension Migrations {
  /// Number of the last step that this Perigee knows.
  static var last: Int64 { migrator.migrations.compactMap(number).max() ?? 0 }

  static func number(of name: String) -> Int64? { Int64(name.prefix { $0 != " " }) }
}
