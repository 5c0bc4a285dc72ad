// SPDX-License-Identifier: Apache-2.0
import Core
import GRDBSQLite

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

extension ScriptConnection {
  /// Makes the connection fit for statements that nobody has read.
  ///
  /// Source: https://www.sqlite.org/security.html ("Untrusted SQL Inputs") and
  /// https://www.sqlite.org/limits.html
  func configure(_ handle: OpaquePointer, isReadOnly: Bool) throws {
    sqlite3_busy_timeout(handle, 5000)
    if !isReadOnly { try runOwn("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;") }
    try runOwn("PRAGMA trusted_schema = OFF; PRAGMA foreign_keys = ON; PRAGMA cell_size_check = ON;")
    if isReadOnly { try runOwn("PRAGMA query_only = ON;") }
    _disableDoubleQuotedStringLiterals(handle)
    try enableDefensiveMode(handle)
    for (limit, value) in Self.languageLimits { sqlite3_limit(handle, limit, value) }
  }

  private static let languageLimits: [(Int32, Int32)] = [
    // Functions on long texts cannot be stopped half way (instr takes the product of both lengths).
    (SQLITE_LIMIT_LENGTH, 1_000_000),
    (SQLITE_LIMIT_SQL_LENGTH, 200_000),
    (SQLITE_LIMIT_COLUMN, 200),
    (SQLITE_LIMIT_EXPR_DEPTH, 100),
    (SQLITE_LIMIT_COMPOUND_SELECT, 50),
    // Views of views grow exponentially while they are compiled, where no time limit holds.
    (SQLITE_LIMIT_VDBE_OP, 25_000),
    (SQLITE_LIMIT_FUNCTION_ARG, 100),
    (SQLITE_LIMIT_ATTACHED, 0),
    (SQLITE_LIMIT_LIKE_PATTERN_LENGTH, 100),
    (SQLITE_LIMIT_VARIABLE_NUMBER, 1000),
    (SQLITE_LIMIT_TRIGGER_DEPTH, 10),
    (SQLITE_LIMIT_WORKER_THREADS, 0),
  ]

  /// Keeps SQL from writing to the insides of the file, FTS5's tables included.
  private func enableDefensiveMode(_ handle: OpaquePointer) throws {
    #if os(Linux)
      // Swift cannot call a variadic C function by its declaration. SAFETY: on Linux (System V x86-64,
      // AAPCS64) integer and pointer arguments of one are passed just as those of the fixed type below.
      typealias Configure =
        @convention(c) (OpaquePointer, Int32, Int32, UnsafeMutablePointer<Int32>?) -> Int32
      guard let symbol = dlsym(nil, "sqlite3_db_config") else {
        throw Failure(.internal, "SQLite has no defensive mode")
      }
      let configure = unsafeBitCast(symbol, to: Configure.self)
      var isOn: Int32 = 0
      guard configure(handle, SQLITE_DBCONFIG_DEFENSIVE, 1, &isOn) == SQLITE_OK, isOn == 1 else {
        throw Failure(.internal, "SQLite has no defensive mode")
      }
    #endif
  }
}
