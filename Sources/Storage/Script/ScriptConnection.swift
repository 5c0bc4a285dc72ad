// SPDX-License-Identifier: Apache-2.0
import Core
import GRDBSQLite
import Threads

/// One connection to the workspace's database, with a thread of its own.
// SAFETY: `handle`, `watch` and `statements` are touched on `thread` only, or when nobody else has the object.
final class ScriptConnection: @unchecked Sendable {
  /// One statement of a script, and what it may do.
  struct Request: Sendable {
    var access: ScriptPolicy.Access
    var owner: String
    var ownership: ScriptPolicy.Ownership
    var sql: String
    var parameters: [DatabaseValue]
    var cancellation: CancellationFlag
    /// End of the transaction that the statement is part of.
    var transactionEnd: ContinuousClock.Instant?
  }

  let thread: SerialThread
  let limits: ScriptDatabaseLimits
  let watch: ScriptWatch
  private(set) var handle: OpaquePointer?
  private var statements = StatementCache()

  init(path: String, isReadOnly: Bool, limits: ScriptDatabaseLimits) throws {
    let thread = SerialThread(name: isReadOnly ? "perigee-reader" : "perigee-writer")
    self.thread = thread
    // A long statement does not keep the processor from short ones.
    watch = ScriptWatch { thread.lower() }
    self.limits = limits
    let access = isReadOnly ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE
    let code = sqlite3_open_v2(path, &handle, access | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, nil)
    guard code == SQLITE_OK, let handle else { throw SQLError(connection: handle) }
    try configure(handle, isReadOnly: isReadOnly)
    watch.install(on: handle)
  }

  deinit { close() }

  func close() {
    statements.removeAll()
    sqlite3_close_v2(handle)
    handle = nil
  }

  /// Runs `body` on the connection's thread; cancelling the task stops the statement that runs there.
  func perform<Value: Sendable>(
    _ body: @escaping @Sendable (ScriptConnection, CancellationFlag) throws -> Value
  ) async throws -> Value {
    let flag = CancellationFlag()
    return try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { continuation in
        thread.async {
          continuation.resume(
            with: Result {
              if flag.isSet { throw CancellationError() }
              return try body(self, flag)
            })
        }
      }
    } onCancel: {
      flag.set()
    }
  }

  var isInTransaction: Bool { sqlite3_get_autocommit(handle) == 0 }

  /// Runs one of our own statements.
  func runOwn(_ sql: String) throws {
    guard sqlite3_exec(handle, sql, nil, nil, nil) == SQLITE_OK else { throw SQLError(connection: handle) }
  }

  /// Runs `body`, its errors of SQLite thrown as what they mean to a script.
  func withFailures<Value>(_ body: () throws -> Value) throws -> Value {
    do {
      return try body()
    } catch let error as SQLError {
      throw watch.failure(error)
    }
  }

  /// Runs a statement of a script.
  func run(_ request: Request) throws -> (DatabaseChange, DatabaseRows) {
    watch.policy.access = request.access
    watch.policy.owner = request.owner
    watch.policy.ownership = request.ownership
    let now = ContinuousClock.now
    if let end = request.transactionEnd, end < now + limits.statementTime {
      watch.begin(
        deadline: end, overrun: .transactionTime(limits.transactionTime), cancellation: request.cancellation)
    } else {
      watch.begin(
        deadline: now + limits.statementTime, overrun: .time(limits.statementTime),
        cancellation: request.cancellation)
    }
    defer { watch.end() }
    return try withFailures {
      let key = StatementCache.Key(access: request.access, owner: request.owner, sql: request.sql)
      let statement = try statements.take(key) ?? prepareOne(request.sql)
      // Back in the cache only when it ended well: its next use then begins from a clean state.
      var isReusable = false
      defer {
        if isReusable { statements.put(statement, key) } else { sqlite3_finalize(statement.pointer) }
      }
      let result = try collect(statement, request)
      isReusable = true
      return result
    }
  }

  /// Forgets the prepared statements: what they were allowed to do may have changed.
  func forgetStatements() { statements.removeAll() }

  private func collect(
    _ statement: SQLStatement, _ request: Request
  ) throws -> (DatabaseChange, DatabaseRows) {
    try bind(request.parameters, to: statement)
    defer {
      statement.reset()
      sqlite3_clear_bindings(statement.pointer)
    }
    let count = sqlite3_column_count(statement.pointer)
    var result = DatabaseRows(
      columns: (0..<count).map { column in
        sqlite3_column_name(statement.pointer, column).map { String(cString: $0) } ?? ""
      }, rows: [])
    var bytes = 0
    while try statement.step() {
      guard result.rows.count < limits.rowsMax else {
        throw Failure(.limit, "the result has more than \(limits.rowsMax) rows; add a LIMIT")
      }
      let row = (0..<count).map(statement.value)
      bytes += row.reduce(0) { $0 + $1.size }
      guard bytes <= limits.resultBytesMax else {
        throw Failure(.limit, "the result has more than \(limits.resultBytesMax) bytes; select less")
      }
      result.rows.append(row)
    }
    let isWrite = sqlite3_stmt_readonly(statement.pointer) == 0
    let change = DatabaseChange(
      changes: isWrite ? Int(sqlite3_changes64(handle)) : 0, lastInsertID: sqlite3_last_insert_rowid(handle))
    return (change, result)
  }

  private func bind(_ parameters: [DatabaseValue], to statement: SQLStatement) throws {
    let expected = Int(sqlite3_bind_parameter_count(statement.pointer))
    guard parameters.count == expected else {
      throw Failure(
        .invalidArguments,
        "the statement has \(expected) placeholders, but got \(parameters.count) parameters")
    }
    for (index, value) in parameters.enumerated() { try statement.bind(Int32(index + 1), value) }
  }

  private func prepareOne(_ sql: String) throws -> SQLStatement {
    var text = ScriptText(sql)
    guard let statement = try text.prepareNext(on: handle, isPersistent: true) else {
      throw Failure(.invalidArguments, "there is no statement in the text")
    }
    do {
      // Comments and white space may follow; whatever else may, valid or not, is a second statement.
      guard let extra = try? text.prepareNext(on: handle, isPersistent: false) else {
        if text.isAtEnd { return statement }
        throw Failure(.invalidArguments, "only one statement at a time")
      }
      sqlite3_finalize(extra.pointer)
      throw Failure(.invalidArguments, "only one statement at a time")
    } catch {
      sqlite3_finalize(statement.pointer)
      throw error
    }
  }
}

/// Statements in a text, prepared one after the other.
struct ScriptText {
  private let bytes: [UInt8]
  private var offset = 0

  init(_ sql: String) { bytes = Array(sql.utf8) }

  var isAtEnd: Bool { offset >= bytes.count }

  /// The next statement; `nil` at the end of the text. Whoever asks finalizes it.
  mutating func prepareNext(on handle: OpaquePointer?, isPersistent: Bool) throws -> SQLStatement? {
    guard !bytes.contains(0) else { throw Failure(.invalidArguments, "SQL has no zero bytes") }
    while !isAtEnd {
      var pointer: OpaquePointer?
      let start = offset
      let (code, used) = bytes.withUnsafeBytes { buffer -> (Int32, Int) in
        let text = buffer.bindMemory(to: CChar.self)
        guard let base = text.baseAddress else { return (SQLITE_OK, 0) }
        var tail: UnsafePointer<CChar>?
        let code = sqlite3_prepare_v3(
          handle, base + start, Int32(clamping: text.count - start),
          isPersistent ? UInt32(SQLITE_PREPARE_PERSISTENT) : 0, &pointer, &tail)
        return (code, tail.map { base.distance(to: $0) } ?? text.count)
      }
      guard code == SQLITE_OK else { throw SQLError(connection: handle) }
      offset = max(used, start + 1)
      if let pointer { return SQLStatement(pointer: pointer) }
    }
    return nil
  }
}

extension SQLStatement {
  fileprivate func bind(_ position: Int32, _ value: DatabaseValue) throws {
    let code =
      switch value {
      case .null: sqlite3_bind_null(pointer, position)
      case .integer(let value): sqlite3_bind_int64(pointer, position, value)
      case .real(let value): sqlite3_bind_double(pointer, position, value)
      case .text(let value): bindChecked { bind(position, value) }
      case .blob(let value): bindChecked { bindBlob(position, value) }
      }
    if code != SQLITE_OK { throw SQLError(connection: sqlite3_db_handle(pointer)) }
  }

  private func bindChecked(_ bind: () -> Void) -> Int32 {
    bind()
    return sqlite3_errcode(sqlite3_db_handle(pointer))
  }

  fileprivate func value(_ column: Int32) -> DatabaseValue {
    switch sqlite3_column_type(pointer, column) {
    case SQLITE_INTEGER: .integer(integer(column))
    case SQLITE_FLOAT: .real(double(column))
    case SQLITE_TEXT: .text(text(column))
    case SQLITE_BLOB: .blob(bytes(column))
    default: .null
    }
  }
}

extension DatabaseValue {
  fileprivate var size: Int {
    switch self {
    case .text(let text): text.utf8.count
    case .blob(let bytes): bytes.count
    default: 8
    }
  }
}
