// SPDX-License-Identifier: Apache-2.0
import Core
import Dispatch
import Synchronization
import Threads

/// A transaction of a script, which holds the writer until it ends; dropping it ends it.
final class SQLiteScriptTransaction: ScriptTransaction {
  private let lease: TransactionLease

  /// Takes over a connection on which a transaction was begun.
  init(
    connection: ScriptConnection, writers: LeasePool<ScriptConnection>, ownership: ScriptPolicy.Ownership
  ) {
    lease = TransactionLease(connection: connection, writers: writers, ownership: ownership)
    lease.startTimer()
  }

  deinit { lease.abandon() }

  func query(
    owner: String, _ sql: String, _ parameters: [DatabaseValue]
  ) async throws -> DatabaseRows {
    try await lease.run(.read, owner, sql, parameters).1
  }

  func execute(
    owner: String, _ sql: String, _ parameters: [DatabaseValue]
  ) async throws -> (DatabaseChange, DatabaseRows) {
    try await lease.run(.write, owner, sql, parameters)
  }

  func commit() async throws { try await lease.commit() }

  func rollback() async { await lease.rollback() }
}

/// The hold on the writer, shared by the transaction and its timer; its end is decided on the connection's
/// thread.
private final class TransactionLease: Sendable {
  private let connection: ScriptConnection
  private let writers: LeasePool<ScriptConnection>
  private let ownership: ScriptPolicy.Ownership
  private let end: ContinuousClock.Instant
  /// Why no more statements are taken; `nil` while the transaction is open.
  private let ending = Mutex<Failure?>(nil)

  init(
    connection: ScriptConnection, writers: LeasePool<ScriptConnection>, ownership: ScriptPolicy.Ownership
  ) {
    self.connection = connection
    self.writers = writers
    self.ownership = ownership
    end = ContinuousClock.now + connection.limits.transactionTime
  }

  func startTimer() {
    let limit = connection.limits.transactionTime
    let milliseconds = Int((limit / .milliseconds(1)).rounded(.up))
    DispatchQueue.global().asyncAfter(deadline: .now() + .milliseconds(milliseconds)) { [weak self] in
      guard let lease = self else { return }
      lease.connection.thread.async { try? lease.finish("ROLLBACK", Failure.transactionTimeout(limit)) }
    }
  }

  func run(
    _ access: ScriptPolicy.Access, _ owner: String, _ sql: String, _ parameters: [DatabaseValue]
  ) async throws -> (DatabaseChange, DatabaseRows) {
    try await connection.perform { connection, cancellation in
      if let ending = self.ending.withLock({ $0 }) { throw ending }
      defer {
        // Some errors, and every stop of a write, make SQLite roll back the whole transaction.
        if !connection.isInTransaction { self.release(Failure.transactionLost) }
      }
      return try connection.inSavepoint {
        try connection.run(
          ScriptConnection.Request(
            access: access, owner: owner, ownership: self.ownership, sql: sql, parameters: parameters,
            cancellation: cancellation, transactionEnd: self.end))
      }
    }
  }

  func commit() async throws {
    try await connection.perform { _, _ in try self.finish("COMMIT", Failure.transactionEnded) }
  }

  func rollback() async {
    await withCheckedContinuation { continuation in
      connection.thread.async {
        try? self.finish("ROLLBACK", Failure.transactionEnded)
        continuation.resume()
      }
    }
  }

  func abandon() {
    connection.thread.async { try? self.finish("ROLLBACK", Failure.transactionEnded) }
  }

  /// Ends the transaction, unless it has ended; on the connection's thread.
  private func finish(_ sql: String, _ reason: Failure) throws {
    if let ending = ending.withLock({ $0 }) { throw ending }
    defer { release(reason) }
    defer {
      if connection.isInTransaction { try? connection.runOwn("ROLLBACK") }
    }
    try connection.withFailures { try connection.runOwn(sql) }
  }

  private func release(_ reason: Failure) {
    ending.withLock { $0 = reason }
    writers.put(connection)
  }
}

extension ScriptConnection {
  /// Runs `body` so that a failure undoes what it wrote and leaves the rest of the transaction.
  fileprivate func inSavepoint<Value>(_ body: () throws -> Value) throws -> Value {
    try withFailures {
      try runOwn("SAVEPOINT statement")
      do {
        let value = try body()
        try runOwn("RELEASE statement")
        return value
      } catch {
        if isInTransaction { try runOwn("ROLLBACK TO statement; RELEASE statement") }
        throw error
      }
    }
  }
}
