// SPDX-License-Identifier: Apache-2.0
import Core
import GRDB
import GRDBSQLite
import Synchronization
import Threads

/// Commits concurrent writes in groups: while one transaction commits, the next writes collect.
///
/// A write that is alone is not kept waiting: there is no timer. A write that fails fails alone: the group
/// is rolled back and its writes are tried again one by one.
final class CommitQueue: Sendable {
  /// Writes in one transaction; more wait for the next, so that no transaction grows without bound.
  private static let groupMax = 256

  private struct State {
    var waiting: [any PendingWrite] = []
    var isDraining = false
    /// Why nothing is written any more.
    var refusal: Failure?
  }

  private let pool: DatabasePool
  private let thread = SerialThread(name: "perigee-store")
  private let connection: WriterConnection
  private let state = Mutex(State())

  init(pool: DatabasePool) {
    self.pool = pool
    connection = WriterConnection()
  }

  /// Runs `body` in a transaction and returns when it is committed; it may run twice, the first time in vain.
  ///
  /// A cancelled task is not a reason to give up: once queued, what `body` does is done.
  func write<Value: Sendable>(
    _ body: @escaping @Sendable (WriterConnection) throws -> Value
  ) async throws -> Value {
    try await withCheckedThrowingContinuation { continuation in
      enqueue(body) { continuation.resume(with: $0) }
    }
  }

  /// As ``write(_:)`` for who does not wait: writes are done in the order in which they are handed over.
  ///
  /// - Parameter done: Told how it ended, on the queue's thread, or at once when the queue is closed.
  func enqueue<Value: Sendable>(
    _ body: @escaping @Sendable (WriterConnection) throws -> Value,
    done: @escaping @Sendable (Result<Value, any Error>) -> Void
  ) {
    submit(Write(body: body, done: done))
  }

  private func submit(_ write: any PendingWrite) {
    let (refusal, isFirst) = state.withLock { state -> (Failure?, Bool) in
      if let refusal = state.refusal { return (refusal, false) }
      state.waiting.append(write)
      defer { state.isDraining = true }
      return (nil, !state.isDraining)
    }
    if let refusal { write.fail(refusal) }
    // Outside the lock: it wakes a thread.
    if isFirst { thread.async { self.drain() } }
  }

  /// Refuses further writes, for the first reason that is given.
  func refuse(_ failure: Failure) { state.withLock { $0.refusal = $0.refusal ?? failure } }

  /// Refuses further writes and returns when the ones before are done and the statements released.
  func close() async {
    refuse(.storeClosed)
    await withCheckedContinuation { continuation in
      thread.async {
        // A write that was taken a moment ago may not have asked for its turn yet.
        self.pool.writeWithoutTransaction { database in
          self.drain(database)
          self.connection.close()
        }
        continuation.resume()
      }
    }
  }

  private func drain() { pool.writeWithoutTransaction { drain($0) } }

  private func drain(_ database: Database) {
    while let group = nextGroup() {
      do {
        try connection.open(database)
        commit(group)
      } catch {
        for write in group { write.fail(Failure.storage(error)) }
      }
    }
  }

  private func nextGroup() -> [any PendingWrite]? {
    state.withLock { state in
      guard !state.waiting.isEmpty else {
        state.isDraining = false
        return nil
      }
      if state.waiting.count <= Self.groupMax {
        defer { state.waiting = [] }
        return state.waiting
      }
      defer { state.waiting.removeFirst(Self.groupMax) }
      return Array(state.waiting.prefix(Self.groupMax))
    }
  }

  private func commit(_ group: [any PendingWrite]) {
    do {
      var done: [any PendingWrite] = []
      done.reserveCapacity(group.count)
      var refused: [(write: any PendingWrite, error: any Error)] = []
      try connection.transaction {
        for write in group {
          let changes = connection.totalChanges
          do {
            try write.attempt(connection)
            done.append(write)
          } catch {
            // A write that changed nothing leaves the others as they are; any other undoes the group.
            guard connection.totalChanges == changes, connection.isInTransaction else { throw error }
            refused.append((write, error))
          }
        }
      }
      for write in done { write.succeed() }
      for (write, error) in refused { write.fail(Failure.storage(error)) }
    } catch {
      guard group.count > 1 else {
        if (error as? SQLError)?.isDamage ?? false { refuse(.damaged("\(error)")) }
        for write in group { write.fail(Failure.storage(error)) }
        return
      }
      for write in group { commit([write]) }
    }
  }
}

/// One write of a group, whatever it returns.
private protocol PendingWrite: Sendable {
  func attempt(_ connection: WriterConnection) throws
  func succeed()
  func fail(_ error: any Error)
}

// SAFETY: `value` is touched on the thread of the `CommitQueue` only; everything else is immutable.
private final class Write<Value: Sendable>: PendingWrite, @unchecked Sendable {
  private let body: @Sendable (WriterConnection) throws -> Value
  private let done: @Sendable (Result<Value, any Error>) -> Void
  private var value: Value?

  init(
    body: @escaping @Sendable (WriterConnection) throws -> Value,
    done: @escaping @Sendable (Result<Value, any Error>) -> Void
  ) {
    self.body = body
    self.done = done
  }

  func attempt(_ connection: WriterConnection) throws { value = try body(connection) }

  func succeed() {
    if let value { done(.success(value)) } else { fail(Failure.storeClosed) }
  }

  func fail(_ error: any Error) { done(.failure(error)) }
}
