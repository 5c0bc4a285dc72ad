// SPDX-License-Identifier: Apache-2.0
public import JSONCodec

/// A value in a row of the workspace's database, as SQLite types it.
public enum DatabaseValue: Sendable, Hashable {
  case null
  case integer(Int64)
  case real(Double)
  case text(String)
  case blob([UInt8])
}

public struct DatabaseRows: Sendable {
  public var columns: [String]
  public var rows: [[DatabaseValue]]

  public init(columns: [String], rows: [[DatabaseValue]]) {
    self.columns = columns
    self.rows = rows
  }
}

public struct DatabaseChange: Sendable, Hashable {
  public var changes: Int
  public var lastInsertID: Int64

  public init(changes: Int, lastInsertID: Int64) {
    self.changes = changes
    self.lastInsertID = lastInsertID
  }
}

/// The database that scripts use: another file than the host's.
///
/// `owner` is the tools file that asks (`tools/todos.lua`): it may write only to tables that its `schema` made.
/// Methods throw ``Failure``: `invalid_arguments` (SQL, parameters), `denied`, `conflict` (a constraint), `limit`
/// (rows, time), `internal`; and `CancellationError`.
public protocol ScriptDatabase: Sendable {
  /// Runs the `schema` of a tools file once per new text, in a transaction.
  func migrate(owner: String, schema: String) async throws
  /// Reads; a statement that writes is `denied`.
  func query(owner: String, _ sql: String, _ parameters: [DatabaseValue]) async throws -> DatabaseRows
  /// Writes, or anything else that is one statement; `rows` is filled by `returning`.
  func execute(owner: String, _ sql: String, _ parameters: [DatabaseValue]) async throws -> (
    DatabaseChange, DatabaseRows
  )
  /// Opens a transaction that holds the writer until it is ended.
  func begin() async throws -> any ScriptTransaction
}

/// One open transaction; it ends once, by commit or rollback, and by rollback when it is dropped or times out.
public protocol ScriptTransaction: Sendable {
  func query(owner: String, _ sql: String, _ parameters: [DatabaseValue]) async throws -> DatabaseRows
  func execute(owner: String, _ sql: String, _ parameters: [DatabaseValue]) async throws -> (
    DatabaseChange, DatabaseRows
  )
  func commit() async throws
  func rollback() async
}

/// A `db.transaction` of a script that is open: the tools and agents that it calls meanwhile work in it.
public protocol OpenTransaction: Sendable {
  /// Of the transaction in the journal.
  var key: String { get }
  /// It ended in an earlier life of the run: what its statements brought is handed back.
  var isReplayed: Bool { get }

  /// With what the call of that key failed when the transaction was live.
  func failure(ofCall key: String) -> Failure?
  /// Keeps that a call failed: why it did, a time-out say, need not come again.
  func keep(_ failure: Failure, ofCall key: String)
}

extension OpenTransaction {
  /// Makes a call that is run again with the transaction, unless it failed when that was live.
  func calling<Value>(_ key: String, _ body: () async throws -> Value) async throws -> Value {
    if isReplayed, let failure = failure(ofCall: key) { throw failure }
    do {
      return try await body()
    } catch {
      // One that was cancelled may come to its end in another life.
      if !isReplayed, !(error is CancellationError), !Task.isCancelled { keep(Failure(error), ofCall: key) }
      throw error
    }
  }
}

/// Small values by key, each in a scope that the host chooses.
///
/// Methods throw ``Failure`` (`limit` for a key over 512 bytes or a value over 256 KiB) and `CancellationError`.
public protocol KeyValueStore: Sendable {
  func get(scope: KeyValueScope, key: String) async throws -> RawJSON?
  func set(scope: KeyValueScope, key: String, value: RawJSON, ttl: Duration?) async throws
  func delete(scope: KeyValueScope, key: String) async throws -> Bool
  /// Adds to a whole number that is 0 when absent; the sum.
  ///
  /// - Throws: `conflict` when the value is no whole number.
  func increment(scope: KeyValueScope, key: String, by amount: Int64, ttl: Duration?) async throws -> Int64
}
