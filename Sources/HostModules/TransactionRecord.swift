// SPDX-License-Identifier: Apache-2.0
import Core
import JSONCodec
import LuaHost
import Synchronization

/// A `db.transaction` of a script: it is kept in the journal as one thing, with what each of its statements brought.
///
/// Tools and agents that are called in it work in it, and are run again with it after a crash: what they wrote is not
/// there without it. The writer is taken by its first statement: whoever asks models before holds up nobody.
///
/// The scope that it was begun in holds it, and rolls it back by letting go of it: it does not hold the scope.
final class TransactionRecord: OpenTransaction {
  private enum Mode {
    case live(any ScriptDatabase)
    /// It ended in an earlier life of the run.
    ///
    /// - Parameters:
    ///   - results: By the keys of the statements.
    ///   - calls: With what calls in it failed, by their keys.
    ///   - isCommitted: Else it was rolled back, or its commit failed.
    ///   - failure: With which its commit failed.
    ///   - begun: Its entry, when a person had to say so: it is written with what was published in it.
    case replayed(
      results: [String: JSON], calls: [String: JSON], isCommitted: Bool, failure: Failure?,
      begun: JournalEntry?)
    /// Of something that was called in another one: that one ends it.
    case nested(TransactionRecord)
  }

  fileprivate struct Statement {
    let key: String
    let arguments: Arguments
    let result: Result<LuaValue, Failure>
  }

  private struct State {
    /// Begins with the first statement.
    var opening: Task<any ScriptTransaction, any Error>?
    var statements: [Statement] = []
    /// Calls that failed.
    var calls: [(key: String, failure: Failure)] = []
    /// Of both, about.
    var bytes = 0
    /// Published in it so far.
    var jobs: [Job] = []
    /// Transactions within it that have neither been committed nor rolled back.
    var nested = 0
    /// Why it can only be rolled back.
    var failure: Failure?
  }

  private let mode: Mode
  private let call: JournalCall
  private let state = Mutex(State())

  private init(_ mode: Mode, _ call: JournalCall) {
    self.mode = mode
    self.call = call
  }

  var key: String { if case .nested(let outer) = mode { outer.key } else { call.key } }

  var isReplayed: Bool {
    switch mode {
    case .live: false
    case .replayed: true
    case .nested(let outer): outer.isReplayed
    }
  }

  /// A transaction that begins, or one that has ended once more.
  convenience init(_ arguments: Arguments, in scope: ScriptScope) async throws {
    let call = JournalCall(key: scope.key(arguments), name: "db.transaction")
    if let outer = scope.transaction {
      self.init(.nested(outer), call)
      outer.count(nested: 1)
      return
    }
    if let journal = scope.journal, !scope.isInside || journal.isReplaying {
      switch try journal.recall(call) {
      case .ended(.result(let result)):
        try self.init(replaying: result, begun: nil, call)
        return
      case .ended(.failed(let failure)): throw failure
      case .begun(let begun):
        if try await scope.services.askWhetherDone(begun, arguments: nil) != nil {
          try self.init(replaying: begun.arguments ?? Ending().json, begun: begun, call)
          return
        }
      case nil: break
      }
    }
    self.init(.live(scope.resources.database), call)
  }

  private convenience init(replaying ended: RawJSON, begun: JournalEntry?, _ call: JournalCall) throws {
    let ended = try ended.value()
    let results = (ended["results"]?.array ?? []).map { ($0["key"]?.string ?? "", $0) }
    self.init(
      .replayed(
        results: Dictionary(results) { $1 },
        calls: Dictionary(ended["calls"]?.object?.members.map { ($0.key, $0.value) } ?? []) { $1 },
        isCommitted: ended["committed"] == true, failure: ended["failed"].map(Failure.init(json:)),
        begun: begun),
      call)
  }

  func failure(ofCall key: String) -> Failure? {
    switch mode {
    case .live: nil
    case .replayed(_, let calls, _, _, _): calls[key].map(Failure.init(json:))
    case .nested(let outer): outer.failure(ofCall: key)
    }
  }

  func keep(_ failure: Failure, ofCall key: String) {
    if case .nested(let outer) = mode { return outer.keep(failure, ofCall: key) }
    state.withLock { state in
      state.calls.append((key, failure))
      state.bytes += key.utf8.count + failure.message.utf8.count + 200
    }
  }

  private func count(nested: Int) {
    if case .nested(let outer) = mode { return outer.count(nested: nested) }
    state.withLock { $0.nested += nested }
  }

  /// Runs a statement, or hands back what it brought.
  func run(
    _ arguments: Arguments, in scope: ScriptScope,
    _ statement: (any ScriptTransaction) async throws -> LuaValue
  ) async throws -> LuaValue {
    let key = scope.key(arguments)
    switch mode {
    case .nested(let outer): return try await outer.run(arguments, in: scope, statement)
    case .live(let database):
      do {
        let value = try await statement(opened(database))
        try keep(Statement(key: key, arguments: arguments, result: .success(value)), in: scope)
        return value
      } catch let failure as Failure {
        try keep(Statement(key: key, arguments: arguments, result: .failure(failure)), in: scope)
        throw failure
      }
    case .replayed(let results, _, _, _, _):
      guard let recorded = results[key], recorded["digest"] == .string(arguments.digestText) else {
        let call = arguments.journalCall(in: scope)
        throw refuse(.divergence(in: self.call, now: call.name, call.arguments), scope)
      }
      if let failure = recorded["failed"] { throw Failure(json: failure) }
      return try LuaValue(recorded: RawJSON(recorded["result"] ?? .null))
    }
  }

  /// Takes the writer, once for all branches.
  private func opened(_ database: any ScriptDatabase) async throws -> any ScriptTransaction {
    while true {
      let task = state.withLock { state in
        if let opening = state.opening { return opening }
        let opening = Task { try await database.begin() }
        state.opening = opening
        return opening
      }
      do {
        return try await withTaskCancellationHandler {
          try await task.value
        } onCancel: {
          task.cancel()
        }
      } catch is CancellationError {
        // A branch was cancelled that waited for it, and perhaps another one than this.
        state.withLock { if $0.opening == task { $0.opening = nil } }
        try Task.checkCancellation()
      }
    }
  }

  private func keep(_ statement: Statement, in scope: ScriptScope) throws(Failure) {
    guard scope.journal != nil else { return }
    var room = Self.bytesMax
    if case .success(let value) = statement.result { _ = value.fits(in: &room) }
    for value in statement.arguments.values { _ = value.fits(in: &room) }
    let bytes = state.withLock { state in
      state.bytes += Self.bytesMax - room + statement.key.utf8.count
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
  func publish(_ job: Job) {
    if case .nested(let outer) = mode { return outer.publish(job) }
    state.withLock { state in
      state.jobs.append(job)
      state.bytes += job.payload.bytes.count + 200
    }
  }

  func commit(in scope: ScriptScope) async throws {
    switch mode {
    case .nested(let outer): outer.count(nested: -1)
    case .replayed(_, _, let isCommitted, let failure, let begun):
      defer { scope.journal?.settle(transaction: call.key) }
      scope.journal?.acted(call.key)
      if let failure { throw failure }
      guard isCommitted else { throw refuse(.divergence(in: call, now: "commit"), scope) }
      if let begun, let result = begun.arguments {
        scope.journal?.end(
          begun, .result(result), jobs: try Ending.jobs(result, of: scope.run), milliseconds: 0)
      }
    case .live:
      let (opening, failure) = state.withLock { state in
        (state.opening, state.failure ?? (state.nested > 0 ? .halfDone : nil))
      }
      if let failure {
        await rollback(in: scope, because: failure)
        throw failure
      }
      let transaction: (any ScriptTransaction)?
      do {
        transaction = try await opening?.value
      } catch {
        await rollback(in: scope, because: Failure(error))
        throw error
      }
      defer { scope.journal?.settle(transaction: call.key) }
      if let journal = scope.journal, !scope.isInside {
        try await commit(transaction, in: journal)
      } else {
        try await commitInside(transaction, in: scope)
      }
    }
  }

  private func commit(_ transaction: (any ScriptTransaction)?, in journal: Journal) async throws {
    let ending = ending(committed: true)
    // With what it brought: should nobody see the commit end, it is known all the same.
    let entry = try await journal.begin(JournalCall(key: call.key, name: call.name, arguments: ending.json))
    do {
      // A run that is cancelled now may go on later: it has to know how this ended.
      try await Task { try await transaction?.commit() }.value
    } catch {
      // What its statements brought was seen: it is handed back before the same failure.
      journal.end(
        entry, .result(self.ending(committed: false, failure: Failure(error)).json), milliseconds: 0)
      throw error
    }
    journal.end(entry, .result(ending.json), jobs: ending.jobs, milliseconds: 0)
  }

  private func commitInside(_ transaction: (any ScriptTransaction)?, in scope: ScriptScope) async throws {
    var isCommitted = false
    do {
      try await transaction?.commit()
      isCommitted = true
      // By names that are the same should the tool be called again.
      try await scope.resources.jobs.publish(state.withLock { $0.jobs })
    } catch {
      keepInside(committed: isCommitted, failure: Failure(error), in: scope.journal)
      throw error
    }
    keepInside(committed: true, in: scope.journal)
  }

  func rollback(in scope: ScriptScope, because failure: Failure? = nil) async {
    switch mode {
    case .replayed(_, _, let isCommitted, _, _):
      scope.journal?.settle(transaction: call.key)
      // A run that is stopped while it comes back does nothing else than before.
      if isCommitted, !Task.isCancelled { _ = refuse(.divergence(in: call, now: "rollback"), scope) }
    case .nested(let outer):
      outer.count(nested: -1)
      outer.refuse()
    case .live:
      if let opening = state.withLock({ $0.opening }) {
        opening.cancel()
        if let transaction = try? await opening.value { await transaction.rollback() }
      }
      scope.journal?.settle(transaction: call.key)
      guard let journal = scope.journal, !scope.isInside else {
        return keepInside(committed: false, failure: failure, in: scope.journal)
      }
      journal.keep(
        call, .result(ending(committed: false, failure: failure).json), startedAt: journal.now,
        milliseconds: 0)
    }
  }

  /// Lets the run do nothing more, because it did something else than before.
  private func refuse(_ failure: Failure, _ scope: ScriptScope) -> Failure {
    scope.journal?.refuse(failure)
    return failure
  }

  /// What was called in it did only half of what it was to do.
  private func refuse() {
    if case .nested(let outer) = mode { return outer.refuse() }
    state.withLock { $0.failure = $0.failure ?? .halfDone }
  }

  private func keepInside(committed: Bool, failure: Failure? = nil, in journal: Journal?) {
    guard let journal else { return }
    let now = journal.now
    let bytes = state.withLock { $0.bytes }
    let ending = ending(committed: committed, failure: failure)
    journal.keepInside(call.key, bytes: bytes) { [call] in
      JournalEntry(
        number: 0, key: call.key, name: call.name, digest: call.digest, outcome: .result(ending.json),
        startedAt: now)
    }
  }

  private func ending(committed: Bool, failure: Failure? = nil) -> Ending {
    state.withLock { state in
      Ending(
        isCommitted: committed, failure: failure, statements: state.statements, calls: state.calls,
        jobs: state.jobs)
    }
  }

  /// What the journal keeps of it.
  private struct Ending {
    var isCommitted = true
    var failure: Failure?
    var statements: [Statement] = []
    var calls: [(key: String, failure: Failure)] = []
    var jobs: [Job] = []

    var json: RawJSON {
      var writer = JSONWriter()
      writer.object {
        $0.member("committed", isCommitted)
        if let failure { $0.member("failed", failure.json) }
        if !calls.isEmpty {
          $0.key("calls")
          $0.object { for (key, failure) in calls { $0.member(named: key, failure.json) } }
        }
        if isCommitted, !jobs.isEmpty {
          $0.key("jobs")
          $0.array { list in for job in jobs { list.write(job.json) } }
        }
        $0.key("results")
        $0.array { list in for statement in statements { list.write(statement) } }
      }
      return writer.raw
    }

    /// Those that were published in it: a call that failed in it publishes its own no second time.
    static func jobs(_ ended: RawJSON, of run: RunContext) throws -> [Job] {
      (try ended.value()["jobs"]?.array ?? []).compactMap { Job($0, publishedBy: run) }
    }
  }
}

extension JSONWriter {
  fileprivate mutating func write(_ statement: TransactionRecord.Statement) {
    object {
      $0.member("key", statement.key)
      $0.member("digest", statement.arguments.digestText)
      switch statement.result {
      case .success(let value): $0.member("result", RawJSON(recording: value))
      case .failure(let failure): $0.member("failed", failure.json)
      }
    }
  }
}

extension Job {
  /// Without what its run knows: the user, who publishes it, and in which trace.
  fileprivate var json: RawJSON {
    var writer = JSONWriter()
    writer.object {
      $0.member("id", id)
      $0.member("action", action)
      $0.member("payload", payload)
      if let key { $0.member("key", key) }
      $0.member("priority", Int64(priority))
      $0.member("published_at", publishedAt.milliseconds)
      $0.member("due_at", dueAt.milliseconds)
    }
    return writer.raw
  }

  fileprivate init?(_ json: JSON, publishedBy run: RunContext) {
    guard let id = json["id"]?.string, let action = json["action"]?.string, let payload = json["payload"],
      let publishedAt = json["published_at"]?.integer, let dueAt = json["due_at"]?.integer
    else { return nil }
    self.init(
      id: id, action: action, payload: RawJSON(payload), user: run.user, key: json["key"]?.string,
      priority: Int(json["priority"]?.integer ?? 0), publisher: run.runID,
      trace: run.trace?.context,
      publishedAt: Timestamp(milliseconds: publishedAt), dueAt: Timestamp(milliseconds: dueAt))
  }
}

extension Failure {
  fileprivate static let halfDone = Failure(
    .conflict, "a db.transaction of what was called in this one was rolled back, so this one is too")

  /// A transaction that does something else than it did before.
  fileprivate static func divergence(
    in transaction: JournalCall, now name: String, _ arguments: RawJSON? = nil
  ) -> Failure {
    Failure(
      .conflict,
      "the run cannot go on, because a db.transaction of its script did something else than the first time",
      detail: [
        "reason": "divergence", "at": .string(transaction.key), "before": .string(transaction.name),
        "now": .string(name),
      ], diagnostic: "at \(transaction.key): \(name) \(arguments?.text.prefix(500) ?? "")")
  }
}
