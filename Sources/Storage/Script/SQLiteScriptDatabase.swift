// SPDX-License-Identifier: Apache-2.0
public import Core
import Dispatch
import Synchronization
import Threads

/// The workspace's own SQLite file, opened for statements that are not trusted.
///
/// One connection writes, taken in turn; a few read. Statements run on threads of their own, with a limit on
/// time, rows and bytes, and a cancelled task stops its statement.
public final class SQLiteScriptDatabase: ScriptDatabase {
  /// Name of the file in the data directory.
  public static let fileName = "workspace.sqlite"

  private static let readerCount = 3

  let writers: LeasePool<ScriptConnection>
  private let readers: LeasePool<ScriptConnection>
  private let catalog: Mutex<ScriptCatalog>
  /// Why nothing is written any more.
  private let damage = Mutex<Failure?>(nil)

  private init(path: String, limits: ScriptDatabaseLimits) throws {
    let writer = try ScriptConnection(path: path, isReadOnly: false, limits: limits)
    catalog = Mutex(try writer.loadCatalog())
    writers = LeasePool([writer])
    readers = LeasePool(
      try (0..<Self.readerCount).map { _ in
        try ScriptConnection(path: path, isReadOnly: true, limits: limits)
      })
  }

  /// Opens the file in `directory`, and makes both (0700, 0600) where they are missing.
  ///
  /// - Throws: ``Failure`` `internal`: the file cannot be opened, is no database, or was written by a newer
  ///   version.
  public static func open(
    directory: String, limits: ScriptDatabaseLimits = ScriptDatabaseLimits()
  ) async throws -> SQLiteScriptDatabase {
    try await withCheckedThrowingContinuation { continuation in
      DispatchQueue.global().async {
        continuation.resume(
          with: Result {
            let path = try DataDirectory.prepare(directory, file: fileName)
            return try SQLiteScriptDatabase(path: path, limits: limits)
          }.mapError { Failure.opening(fileName, $0) })
      }
    }
  }

  /// Refuses further calls, waits for those that run, and closes the file.
  public func close() async {
    for connection in await readers.close() + writers.close() {
      await withCheckedContinuation { continuation in
        connection.thread.async {
          connection.close()
          continuation.resume()
        }
      }
    }
  }

  /// Looks through the whole file for damage; where there is any, nothing is written from then on.
  ///
  /// - Throws: ``Failure`` that says what is wrong.
  public func examine() async throws {
    let complaints: [String]
    do {
      complaints = try await lease(readers) { connection in
        try await connection.perform { connection, _ in
          try connection.rows("PRAGMA quick_check(1)") { $0.text(0) }
        }
      }
    } catch let error as SQLError {
      complaints = ["\(error)"]
    }
    if complaints == ["ok"] { return }
    let failure = Failure.damaged(complaints.joined(separator: "\n"))
    damage.withLock { $0 = failure }
    throw failure
  }

  private func checkDamage() throws { if let failure = damage.withLock({ $0 }) { throw failure } }

  public func migrate(owner: String, schema: String) async throws {
    try checkDamage()
    if catalog.withLock({ $0.schemas[owner] == schema }) { return }
    try await lease(writers) { connection in
      // Another call may have run it meanwhile; the writer is ours, so that nothing changes from here.
      let before = self.catalog.withLock { $0 }
      if before.schemas[owner] == schema { return }
      let after = try await connection.perform { connection, cancellation in
        try connection.migrate(before, owner: owner, schema: schema, cancellation: cancellation)
      }
      self.catalog.withLock { $0 = after }
    }
  }

  public func query(
    owner: String, _ sql: String, _ parameters: [DatabaseValue]
  ) async throws -> DatabaseRows {
    try await lease(readers) { connection in
      let ownership = self.ownership
      return try await connection.perform { connection, cancellation in
        try connection.run(
          ScriptConnection.Request(
            access: .read, owner: owner, ownership: ownership, sql: sql, parameters: parameters,
            cancellation: cancellation)
        ).1
      }
    }
  }

  public func execute(
    owner: String, _ sql: String, _ parameters: [DatabaseValue]
  ) async throws -> (DatabaseChange, DatabaseRows) {
    try checkDamage()
    return try await lease(writers) { connection in
      let ownership = self.ownership
      return try await connection.perform { connection, cancellation in
        try connection.inTransaction {
          try connection.run(
            ScriptConnection.Request(
              access: .write, owner: owner, ownership: ownership, sql: sql, parameters: parameters,
              cancellation: cancellation))
        }
      }
    }
  }

  public func begin() async throws -> any ScriptTransaction {
    try checkDamage()
    let connection = try await writers.take()
    do {
      try await connection.perform { connection, _ in
        try connection.withFailures { try connection.runOwn("BEGIN IMMEDIATE") }
      }
    } catch {
      writers.put(connection)
      throw error
    }
    return SQLiteScriptTransaction(connection: connection, writers: writers, ownership: ownership)
  }

  private var ownership: ScriptPolicy.Ownership { catalog.withLock { $0.ownership } }

  private func lease<Value: Sendable>(
    _ pool: LeasePool<ScriptConnection>, _ body: (ScriptConnection) async throws -> Value
  ) async throws -> Value {
    let connection = try await pool.take()
    defer { pool.put(connection) }
    return try await body(connection)
  }
}

extension ScriptConnection {
  /// Runs `body` in a transaction of its own: a statement that is stopped while it returns rows leaves
  /// nothing.
  fileprivate func inTransaction<Value>(_ body: () throws -> Value) throws -> Value {
    try withFailures {
      try runOwn("BEGIN IMMEDIATE")
      do {
        let value = try body()
        try runOwn("COMMIT")
        return value
      } catch {
        if isInTransaction { try? runOwn("ROLLBACK") }
        throw error
      }
    }
  }
}
