// SPDX-License-Identifier: Apache-2.0
import Core
import JSONCodec
import LuaHost
import Synchronization

/// A `db.transaction` of a script: it is kept in the journal as one thing, with what each of its statements brought.
///
/// The scope that it was begun in holds it, and rolls it back by letting go of it: it does not hold the scope.
final class TransactionRecord: Sendable {
  private enum Mode {
    /// - Parameter begun: Its entry, when an earlier life did not see how its commit ended.
    case live(any ScriptTransaction, begun: JournalEntry?)
    /// It ended in an earlier life of the run.
    ///
    /// - Parameter begun: Its entry, when a person had to say so: it is written with what is published in it.
    /// - Parameter failure: With which its commit failed.
    case replayed(results: [JSON], failure: Failure?, begun: JournalEntry?)
  }

  private struct Statement {
    let arguments: Arguments
    let result: Result<LuaValue, Failure>
  }

  private struct State {
    var statements: [Statement] = []
    /// Of them, about.
    var bytes = 0
    /// How many were handed back.
    var position = 0
    /// Published in it so far.
    var jobs: [Job] = []
  }

  private let mode: Mode
  private let call: JournalCall
  private let state = Mutex(State())

  private init(_ mode: Mode, _ call: JournalCall) {
    self.mode = mode
    self.call = call
  }

  /// Begins a transaction, or one that has ended once more.
  static func begin(_ arguments: Arguments, in scope: ScriptScope) async throws -> TransactionRecord {
    let call = JournalCall(key: scope.key(arguments), name: "db.transaction")
    var entry: JournalEntry?
    if let journal = scope.journal, !scope.isInside || journal.isReplaying {
      switch try journal.recall(call) {
      case .ended(.result(let result)):
        return try TransactionRecord(replaying: result, begun: nil, call)
      case .ended(.failed(let failure)): throw failure
      case .begun(let begun):
        entry = begun
        let intent = begun.arguments ?? ended(committed: true, [])
        if try await scope.services.askWhetherDone(call) != nil {
          return try TransactionRecord(replaying: intent, begun: begun, call)
        }
      case nil: break
      }
    }
    let transaction = try await scope.resources.database.begin(owner: scope.file)
    if Task.isCancelled {
      // The script will never learn its number.
      await transaction.rollback()
      throw CancellationError()
    }
    return TransactionRecord(.live(transaction, begun: entry), call)
  }

  private convenience init(replaying ended: RawJSON, begun: JournalEntry?, _ call: JournalCall) throws {
    let ended = try ended.value()
    self.init(
      .replayed(
        results: ended["results"]?.array ?? [], failure: ended["failed"].map(Failure.init(json:)), begun: begun),
      call)
  }

  /// Runs a statement, or hands back what it brought.
  func run(
    _ arguments: Arguments, in scope: ScriptScope,
    _ statement: (any ScriptTransaction) async throws -> LuaValue
  ) async throws -> LuaValue {
    switch mode {
    case .live(let transaction, _):
      do {
        let value = try await statement(transaction)
        try keep(Statement(arguments: arguments, result: .success(value)), in: scope)
        return value
      } catch let failure as Failure {
        try keep(Statement(arguments: arguments, result: .failure(failure)), in: scope)
        throw failure
      }
    case .replayed(let results, _, _):
      let position = state.withLock { state in
        state.position += 1
        return state.position - 1
      }
      guard position < results.count, results[position]["digest"] == .string(arguments.digestText) else {
        let failure = Failure.divergence(arguments.journalCall(in: scope), in: call)
        scope.journal?.refuse(failure)
        throw failure
      }
      if let failure = results[position]["failed"] { throw Failure(json: failure) }
      return try LuaValue(recorded: RawJSON(results[position]["result"] ?? .null))
    }
  }

  private func keep(_ statement: Statement, in scope: ScriptScope) throws(Failure) {
    guard scope.journal != nil else { return }
    var room = Self.bytesMax
    if case .success(let value) = statement.result { _ = value.fits(in: &room) }
    for value in statement.arguments.values { _ = value.fits(in: &room) }
    let bytes = state.withLock { state in
      state.bytes += Self.bytesMax - room
      state.statements.append(statement)
      return state.bytes
    }
    if bytes > Self.bytesMax {
      throw Failure(.limit, "the statements of this transaction bring more than \(Self.bytesMax >> 20) MiB")
    }
  }

  /// Of what the statements of one transaction get and bring.
  private static let bytesMax = 16 << 20

  /// Publishes a job when the transaction is committed.
  func publish(_ job: Job) { state.withLock { $0.jobs.append(job) } }

  func commit(in scope: ScriptScope) async throws {
    let jobs = state.withLock { $0.jobs }
    guard case .live(let transaction, let begun) = mode else {
      if case .replayed(_, let failure?, _) = mode { throw failure }
      if case .replayed(_, _, let begun?) = mode {
        scope.journal?.end(begun, .result(begun.arguments ?? .null), jobs: jobs, milliseconds: 0)
      }
      return
    }
    guard let journal = scope.journal, !scope.isInside else {
      var isCommitted = false
      do {
        try await transaction.commit()
        isCommitted = true
        // By names that are the same should the tool be called again.
        try await scope.resources.jobs.publish(jobs)
      } catch {
        keepInside(committed: isCommitted, failure: Failure(error), in: scope.journal)
        throw error
      }
      keepInside(committed: true, in: scope.journal)
      return
    }
    let result = ended(committed: true)
    let entry: JournalEntry
    if let begun {
      entry = begun
    } else {
      // With what it brought: should nobody see the commit end, it is known all the same.
      entry = try await journal.begin(JournalCall(key: call.key, name: call.name, arguments: result))
    }
    do {
      // A run that is cancelled now may go on later: it has to know how this ended.
      try await Task { try await transaction.commit() }.value
    } catch {
      // What its statements brought was seen: it is handed back before the same failure.
      journal.end(entry, .result(ended(committed: false, failure: Failure(error))), milliseconds: 0)
      throw error
    }
    journal.end(entry, .result(result), jobs: jobs, milliseconds: 0)
  }

  func rollback(in scope: ScriptScope) async {
    guard case .live(let transaction, _) = mode else { return }
    await transaction.rollback()
    guard let journal = scope.journal, !scope.isInside else {
      return keepInside(committed: false, in: scope.journal)
    }
    journal.keep(call, .result(ended(committed: false)), startedAt: journal.now, milliseconds: 0)
  }

  private func keepInside(committed: Bool, failure: Failure? = nil, in journal: Journal?) {
    guard let journal else { return }
    let now = journal.now
    let (statements, bytes) = state.withLock { ($0.statements, $0.bytes) }
    journal.keepInside(call.key, bytes: bytes) { [call] in
      JournalEntry(
        number: 0, key: call.key, name: call.name, digest: call.digest,
        outcome: .result(Self.ended(committed: committed, statements, failure: failure)), startedAt: now)
    }
  }

  private func ended(committed: Bool, failure: Failure? = nil) -> RawJSON {
    Self.ended(committed: committed, state.withLock { $0.statements }, failure: failure)
  }

  private static func ended(committed: Bool, _ statements: [Statement], failure: Failure? = nil) -> RawJSON {
    var writer = JSONWriter()
    writer.object {
      $0.member("committed", committed)
      if let failure { $0.member("failed", failure.json) }
      $0.key("results")
      $0.array { list in
        for statement in statements {
          list.object {
            $0.member("digest", statement.arguments.digestText)
            switch statement.result {
            case .success(let value): $0.member("result", RawJSON(recording: value))
            case .failure(let failure): $0.member("failed", failure.json)
            }
          }
        }
      }
    }
    return writer.raw
  }
}

extension Failure {
  /// A transaction that does something else than it did before.
  fileprivate static func divergence(_ statement: JournalCall, in transaction: JournalCall) -> Failure {
    Failure(
      .conflict,
      "the run cannot go on, because a db.transaction of its script did something else than the first time",
      detail: [
        "reason": "divergence", "at": .string(transaction.key), "before": .string(transaction.name),
        "now": .string(statement.name),
      ], diagnostic: "at \(transaction.key): \(statement.name) \(statement.arguments?.text.prefix(500) ?? "")"
    )
  }
}
