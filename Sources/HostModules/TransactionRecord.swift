// SPDX-License-Identifier: Apache-2.0
import Core
import JSONCodec
import LuaHost
import Synchronization

/// A `db.transaction` of a script: it is kept in the journal as one thing, with what each of its statements brought.
final class TransactionRecord: Sendable {
  private enum Mode {
    /// Nobody asks twice.
    case unrecorded(any ScriptTransaction)
    /// - Parameter isInside: In a tool's call, which is kept as a whole.
    case live(any ScriptTransaction, Journal, JournalCall, isInside: Bool)
    /// It ended in an earlier life of the run.
    case replayed(committed: Bool, results: [JSON])
  }

  private let mode: Mode
  /// Of the statements so far.
  private let results = Mutex<[RawJSON]>([])
  private let kept = Atomic<Int>(0)
  /// Published in it so far.
  private let jobs = Mutex<[Job]>([])

  private let store: any JobStore

  private init(_ mode: Mode, _ scope: ScriptScope) {
    self.mode = mode
    store = scope.resources.jobs
  }

  /// Begins a transaction, or one that has ended once more.
  static func begin(_ arguments: Arguments, in scope: ScriptScope) async throws -> TransactionRecord {
    guard let journal = scope.journal else {
      return TransactionRecord(.unrecorded(try await open(scope)), scope)
    }
    let call = JournalCall(key: scope.key(arguments), name: "db.transaction")
    switch try journal.recall(call) {
    case .ended(.result(let result)):
      let ended = try result.value()
      return TransactionRecord(
        .replayed(committed: ended["committed"]?.bool ?? true, results: ended["results"]?.array ?? []),
        scope)
    case .ended(.failed(let failure)): throw failure
    case .begun: throw Failure.unknownOutcome(of: call.name)
    case nil:
      return TransactionRecord(.live(try await open(scope), journal, call, isInside: scope.isInside), scope)
    }
  }

  private static func open(_ scope: ScriptScope) async throws -> any ScriptTransaction {
    let transaction = try await scope.resources.database.begin(owner: scope.file)
    if Task.isCancelled {
      // The script will never learn its number.
      await transaction.rollback()
      throw CancellationError()
    }
    return transaction
  }

  /// Runs a statement, or hands back what it brought.
  func run(_ statement: (any ScriptTransaction) async throws -> LuaValue) async throws -> LuaValue {
    switch mode {
    case .unrecorded(let transaction): return try await statement(transaction)
    case .live(let transaction, _, _, _):
      do {
        let value = try await statement(transaction)
        try keep(RawJSON(recording: value))
        return value
      } catch let failure as Failure {
        var writer = JSONWriter()
        writer.object { $0.member("$failed", failure.json) }
        try keep(writer.raw)
        throw failure
      }
    case .replayed(_, let recorded):
      let position = results.withLock { results in
        results.append(.null)
        return results.count - 1
      }
      guard position < recorded.count else {
        throw Failure(.conflict, "the transaction did something else than the first time")
      }
      if let failure = recorded[position]["$failed"] { throw Failure(json: failure) }
      return try LuaValue(recorded: RawJSON(recorded[position]))
    }
  }

  /// Publishes a job when the transaction is committed.
  func publish(_ job: Job) { jobs.withLock { $0.append(job) } }

  private func keep(_ result: RawJSON) throws(Failure) {
    let bytes = results.withLock { results in
      results.append(result)
      kept.add(result.bytes.count, ordering: .relaxed)
      return kept.load(ordering: .relaxed)
    }
    if bytes > Self.bytesMax {
      throw Failure(.limit, "the statements of this transaction bring more than \(Self.bytesMax >> 20) MiB")
    }
  }

  /// Of what the statements of one transaction bring.
  private static let bytesMax = 16 << 20

  func commit() async throws {
    let jobs = jobs.withLock { $0 }
    switch mode {
    case .unrecorded(let transaction): try await transaction.commit()
    case .live(let transaction, let journal, let call, isInside: true):
      try await transaction.commit()
      // By names that are the same should the tool be called again.
      try await store.publish(jobs)
      journal.keepInside(
        call, .result(ended(committed: true)), startedAt: journal.now, milliseconds: 0)
    case .live(let transaction, let journal, let call, isInside: false):
      let entry = try await journal.begin(call)
      do {
        try await transaction.commit()
      } catch {
        journal.end(entry, .failed(Failure(error)), milliseconds: 0)
        throw error
      }
      journal.end(entry, .result(ended(committed: true)), jobs: jobs, milliseconds: 0)
    case .replayed: break
    }
  }

  func rollback() async {
    switch mode {
    case .unrecorded(let transaction): await transaction.rollback()
    case .live(let transaction, let journal, let call, let isInside):
      await transaction.rollback()
      if isInside { break }
      journal.keep(call, .result(ended(committed: false)), startedAt: journal.now, milliseconds: 0)
    case .replayed: break
    }
  }

  private func ended(committed: Bool) -> RawJSON {
    var writer = JSONWriter()
    writer.object {
      $0.member("committed", committed)
      $0.key("results")
      $0.array { list in for result in results.withLock({ $0 }) { list.write(result) } }
    }
    return writer.raw
  }
}
