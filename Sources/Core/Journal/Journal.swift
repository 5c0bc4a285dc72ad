// SPDX-License-Identifier: Apache-2.0
public import JSONCodec
import Synchronization

/// What a run did and saw, so that it can go on after a crash: its script runs again, and what stands here is handed
/// back in place of being done.
///
/// What may be done again is written with the next thing that may not: before that its intent is written, and after
/// it its result. Agents that the run calls write into the same journal.
public final class Journal: Sendable {
  /// What the journal knows of a call that is to be made.
  public enum Memory {
    case ended(JournalEntry.Outcome)
    /// It was begun; what became of it nobody knows.
    case begun(JournalEntry)
  }

  fileprivate struct State {
    /// Of an earlier life of the run, not handed back yet, by key.
    var recorded: [String: JournalEntry]
    /// Of tools under way: to be kept only where the tool has to wait, by key.
    var interior: [JournalEntry] = []
    /// Not handed to the store yet.
    var unwritten: [JournalEntry] = []
    var count: Int
    /// Of ``unwritten``, of ``interior`` and of all that this life has kept, about.
    var unwrittenBytes = 0
    var interiorBytes = 0
    var bytes = 0
    /// Why the run may do nothing more.
    var refusal: Failure?
  }

  /// Entries of one run, and their bytes: what goes beyond is no workflow but a mistake, or an attack.
  static let entriesMax = 100_000
  static let bytesMax = 128 << 20
  /// What collects before it is handed to the store.
  static let unwrittenBytesMax = 256 << 10
  /// Of tools under way, kept in case they have to wait.
  static let interiorBytesMax = 16 << 20

  public let runID: String
  /// Of which the run's random numbers and names come, the same in each of its lives.
  public let seed: UInt64
  private let store: any JournalStore
  private let time: any TimeSource
  private let state: Mutex<State>
  public let waits: RunWaits
  /// The earlier life of the run ended when it had nothing to do but wait: calls without an end were not under way.
  private let isFromWaiting: Bool
  /// Nothing may be done that is not in the journal.
  private let isReplay: Bool
  /// Held while entries are handed over, so that they come in their order.
  private let handover = Mutex<Void>(())

  /// - Parameters:
  ///   - recorded: What an earlier life of the run left.
  ///   - isFromWaiting: That life ended because there was nothing to do but wait.
  init(
    runID: String, seed: UInt64, recorded: [JournalEntry] = [], isFromWaiting: Bool = false,
    isReplay: Bool = false, store: any JournalStore, time: any TimeSource, deadlines: DeadlineQueue
  ) {
    self.runID = runID
    self.seed = seed
    self.store = store
    self.time = time
    self.isFromWaiting = isFromWaiting
    self.isReplay = isReplay
    waits = RunWaits(deadlines: deadlines)
    state = Mutex(
      State(
        recorded: Dictionary(recorded.map { ($0.key, $0) }) { _, last in last },
        count: (recorded.last?.number ?? -1) + 1))
  }

  /// Counts what an earlier life spent: its process may have stopped before it was counted anywhere.
  func recount(_ usage: Usage, in budget: Budget) { if !isFromWaiting { budget.count(usage) } }

  public var now: Timestamp { time.now }

  /// A journal that is only read: a call that is not in it ends the run.
  convenience init(
    replaying recorded: [JournalEntry], runID: String, seed: UInt64, time: any TimeSource,
    deadlines: DeadlineQueue
  ) {
    self.init(
      runID: runID, seed: seed, recorded: recorded, isFromWaiting: true, isReplay: true, store: Nowhere(),
      time: time, deadlines: deadlines)
  }

  /// Where nothing is kept.
  private struct Nowhere: JournalStore {
    func writeJournal(
      _ entries: [JournalEntry], asking approvals: [Approval], runID: String,
      done: @escaping @Sendable (Failure?) -> Void
    ) { done(nil) }
    func journal(ofRun id: String) async throws -> [JournalEntry] { [] }
  }

  /// What the run did otherwise than before; `nil` = nothing so far.
  var divergence: Failure? {
    state.withLock { $0.refusal }.flatMap { $0.detail?["reason"] == "divergence" ? $0 : nil }
  }

  /// Calls that were not made again.
  var unread: [(key: String, name: String)] {
    state.withLock { $0.recorded.values.sorted { $0.number < $1.number }.map { ($0.key, $0.name) } }
  }

  /// A journal of a run that begins and never leaves memory.
  public convenience init(runID: String, seed: UInt64, store: any JournalStore, time: any TimeSource) {
    self.init(
      runID: runID, seed: seed, recorded: [], store: store, time: time, deadlines: DeadlineQueue(time: time))
  }

  /// Whether the run is still on its way to where it was.
  public var isReplaying: Bool { state.withLock { !$0.recorded.isEmpty } }

  /// Lets the run do nothing more.
  func refuse(_ failure: Failure) { state.withLock { $0.refusal = $0.refusal ?? failure } }

  /// Why the run may do nothing more; `nil` = it may.
  var refusal: Failure? { state.withLock { $0.refusal } }

  /// Throws when the run did something else than it did before, or the journal cannot be written.
  public func check() throws(Failure) {
    if let refusal { throw refusal }
  }

  /// What failed in an earlier life of the run, by the keys that begin with `prefix`, without it.
  func recordedFailures(under prefix: String) -> [(key: Substring, failure: Failure)] {
    state.withLock { state in
      state.recorded.values.compactMap { entry in
        guard entry.key.hasPrefix(prefix), case .failed(let failure) = entry.outcome else { return nil }
        return (entry.key.dropFirst(prefix.count), failure)
      }
    }
  }

  /// What stands under the call's key; it is handed out once.
  ///
  /// - Throws: ``Failure`` `conflict` when something else stands there.
  public func recall(_ call: JournalCall) throws(Failure) -> Memory? {
    try state.withLock { state throws(Failure) in
      if let refusal = state.refusal { throw refusal }
      guard let entry = state.recorded.removeValue(forKey: call.key) else {
        guard isReplay, !call.isMere else { return nil }
        let refusal = Failure.divergence(call)
        state.refusal = refusal
        throw refusal
      }
      guard entry.name == call.name, entry.digest == call.digest else {
        let refusal = Failure.divergence(call, from: entry)
        state.refusal = refusal
        throw refusal
      }
      return entry.outcome.map(Memory.ended) ?? .begun(entry)
    }
  }

  /// Keeps what came of a call that may be made again; it is written with the next thing that has to be.
  public func keep(
    _ call: JournalCall, _ outcome: JournalEntry.Outcome, startedAt: Timestamp, milliseconds: Double
  ) {
    let isMuch = state.withLock { state in
      state.add(
        JournalEntry(
          number: state.count, key: call.key, name: call.name, digest: call.digest, arguments: call.arguments,
          outcome: outcome, startedAt: startedAt, durationMilliseconds: milliseconds))
      state.count += 1
      return state.isMuchUnwritten
    }
    if isMuch { write { _ in } }
  }

  /// Writes that a call is about to be made, and all before it.
  ///
  /// - Throws: ``Failure``: nothing may be done, because it could not be written.
  public func begin(_ call: JournalCall) async throws -> JournalEntry {
    let entry = state.withLock { state in
      let entry = JournalEntry(
        number: state.count, key: call.key, name: call.name, digest: call.digest, arguments: call.arguments,
        startedAt: time.now)
      state.add(entry)
      state.count += 1
      return entry
    }
    try await flush()
    return entry
  }

  /// Writes what came of a call; nobody waits for it.
  ///
  /// - Parameter jobs: Published by the call; they are written with what came of it.
  public func end(
    _ entry: JournalEntry, _ outcome: JournalEntry.Outcome, jobs: [Job] = [], milliseconds: Double
  ) {
    var entry = entry
    entry.outcome = outcome
    entry.jobs = jobs
    entry.durationMilliseconds = milliseconds
    let ended = entry
    state.withLock { $0.add(ended) }
    write { _ in }
  }

  /// Writes a call that publishes jobs, and the jobs, and waits until they are durable.
  public func publish(_ call: JournalCall, _ result: RawJSON, _ jobs: [Job]) async throws {
    state.withLock { state in
      var entry = JournalEntry(
        number: state.count, key: call.key, name: call.name, digest: call.digest, arguments: call.arguments,
        outcome: .result(result), startedAt: time.now)
      entry.jobs = jobs
      state.add(entry)
      state.count += 1
    }
    try await flush()
  }

  /// Writes what there is to write and waits until it is durable.
  public func flush() async throws { try await flush(asking: []) }

  private func flush(asking approvals: [Approval]) async throws {
    try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
      write(asking: approvals) { failure in
        if let failure { continuation.resume(throwing: failure) } else { continuation.resume() }
      }
    }
  }

  /// Hands over what is not written yet, before something that takes long; nobody waits for it.
  public func spill() {
    if state.withLock({ !$0.unwritten.isEmpty }) { write { _ in } }
  }

  private func write(asking approvals: [Approval] = [], _ done: @escaping @Sendable (Failure?) -> Void) {
    handover.withLock { _ in
      let (entries, refusal) = state.withLock { state in
        defer {
          state.unwritten = []
          state.unwrittenBytes = 0
        }
        return (state.unwritten, state.refusal)
      }
      if let refusal { return done(refusal) }
      store.writeJournal(entries, asking: approvals, runID: runID) { failure in
        if let failure { self.state.withLock { $0.refusal = $0.refusal ?? failure } }
        done(failure)
      }
    }
  }

  /// Takes what is not written yet, for the transaction that ends the run.
  func takeUnwritten() -> [JournalEntry] {
    state.withLock { state in
      defer {
        state.unwritten = []
        state.unwrittenBytes = 0
      }
      return state.unwritten
    }
  }
}

extension Journal.State {
  fileprivate mutating func add(_ entry: JournalEntry) {
    unwritten.append(entry)
    unwrittenBytes += entry.bytes
    bytes += entry.bytes
    if entry.number >= Journal.entriesMax || bytes > Journal.bytesMax {
      refusal = refusal ?? Failure(.limit, "the run did more than its journal can hold")
    }
  }

  fileprivate var isMuchUnwritten: Bool { unwrittenBytes > Journal.unwrittenBytesMax }
}

extension JournalEntry {
  /// What it takes in memory, about.
  fileprivate var bytes: Int { key.utf8.count + (arguments?.bytes.count ?? 0) + (outcome?.bytes ?? 0) + 160 }
}

extension JournalEntry.Outcome {
  fileprivate var bytes: Int {
    switch self {
    case .result(let json): json.bytes.count
    case .failed(let failure): failure.message.utf8.count + 200
    }
  }
}

// MARK: Doing things once

extension Journal {
  /// Does what may be done again, or hands back what came of it before.
  ///
  /// - Throws: What `perform` throws or threw; ``Failure`` `conflict`, see ``recall(_:)``.
  public func observe(_ call: JournalCall, _ perform: () async throws -> RawJSON) async throws -> RawJSON {
    if case .ended(let outcome) = try recall(call) { return try outcome.get() }
    let (startedAt, start) = (time.now, time.elapsed)
    let outcome = try await JournalEntry.Outcome(perform)
    keep(call, outcome, startedAt: startedAt, milliseconds: (time.elapsed - start) / .milliseconds(1))
    // Whoever brings more than the disk takes waits for it.
    if outcome.bytes > Self.unwrittenBytesMax { try await flush() }
    return try outcome.get()
  }

  /// Does what must not be done twice, or hands back what came of it before.
  ///
  /// - Parameters:
  ///   - unknown: Asked when nobody knows whether it was done: the result it had, or `nil` = do it (again).
  /// - Throws: What `perform` throws or threw; ``Failure`` `conflict`, see ``recall(_:)``.
  public func perform(
    _ call: JournalCall, unknown: () async throws -> RawJSON?, _ perform: () async throws -> RawJSON
  ) async throws -> RawJSON {
    let entry: JournalEntry
    switch try recall(call) {
    case .ended(let outcome): return try outcome.get()
    case .begun(let begun):
      entry = begun
      if !waitedInside(call.key), let result = try await unknown() {
        end(entry, .result(result), milliseconds: 0)
        return result
      }
    case nil: entry = try await begin(call)
    }
    let start = time.elapsed
    let outcome = try await JournalEntry.Outcome(perform)
    end(entry, outcome, milliseconds: (time.elapsed - start) / .milliseconds(1))
    return try outcome.get()
  }

  /// Whether a call without an end was left because something within it had to wait: then it goes on.
  private func waitedInside(_ key: String) -> Bool {
    isFromWaiting && state.withLock { $0.recorded.keys.contains { $0.hasPrefix("\(key)#") } }
  }

  /// Does something within a tool's call, which is kept as a whole; kept for itself where the tool has to wait.
  public func performInside(
    _ call: JournalCall, _ perform: () async throws -> RawJSON
  ) async throws -> RawJSON {
    if case .ended(let outcome) = try recall(call) { return try outcome.get() }
    let (startedAt, start) = (time.now, time.elapsed)
    let outcome = try await JournalEntry.Outcome(perform)
    keepInside(call, outcome, startedAt: startedAt, milliseconds: (time.elapsed - start) / .milliseconds(1))
    return try outcome.get()
  }

  public func keepInside(
    _ call: JournalCall, _ outcome: JournalEntry.Outcome, startedAt: Timestamp, milliseconds: Double
  ) {
    let entry = JournalEntry(
      number: 0, key: call.key, name: call.name, digest: call.digest, arguments: call.arguments,
      outcome: outcome, startedAt: startedAt, durationMilliseconds: milliseconds)
    state.withLock { state in
      // Only a tool that has to wait needs it, and one that did so much may not.
      guard state.interiorBytes <= Self.interiorBytesMax else { return }
      state.interiorBytes += entry.bytes
      if state.interiorBytes > Self.interiorBytesMax {
        state.interior = []
      } else {
        state.interior.append(entry)
      }
    }
  }

  /// Lets go of what happened inside a tool's call that has ended.
  func forgetInside(_ key: String) {
    state.withLock { state in
      guard state.interiorBytes > 0 else { return }
      state.interior.removeAll { $0.key.hasPrefix("\(key)#") }
      state.interiorBytes = state.interior.reduce(0) { $0 + $1.bytes }
    }
  }

  /// Waits for something that may take days, or hands back what came of it.
  ///
  /// - Parameters:
  ///   - approval: The question that is asked; `nil` = none.
  ///   - wait: Waits for the outcome; it gets the entry.
  func await(
    _ call: JournalCall, asking approval: Approval? = nil, _ wait: (JournalEntry) async throws -> RawJSON
  ) async throws -> RawJSON {
    switch try recall(call) {
    case .ended(let outcome): return try outcome.get()
    case .begun(let entry):
      if let approval { waits.asked(approval) }
      return try await finish(entry, wait)
    case nil:
      let entry = try state.withLock { state throws(Failure) in
        guard state.interiorBytes <= Self.interiorBytesMax else {
          throw Failure(.limit, "the tool did too much before it had to wait; ask before that")
        }
        // What tools have done on the way here must not be done again when the run comes back.
        for var done in state.interior {
          done.number = state.count
          state.count += 1
          state.add(done)
        }
        state.interior = []
        state.interiorBytes = 0
        let entry = JournalEntry(
          number: state.count, key: call.key, name: call.name, digest: call.digest,
          arguments: call.arguments, startedAt: time.now)
        state.add(entry)
        state.count += 1
        return entry
      }
      try await flush(asking: approval.map { [$0] } ?? [])
      if let approval { waits.asked(approval) }
      return try await finish(entry, wait)
    }
  }

  /// Who brought the answer wrote it down as well, but for sleeps.
  private func finish(
    _ entry: JournalEntry, _ wait: (JournalEntry) async throws -> RawJSON
  ) async throws -> RawJSON {
    let result = try await wait(entry)
    end(
      entry, .result(result), milliseconds: Double(time.now.milliseconds - entry.startedAt.milliseconds))
    return result
  }

  /// A name that is the run's alone and the same in each of its lives, as a UUID (RFC 9562, version 8).
  public func identifier(for key: String) -> String {
    var hash = StableHash()
    hash.combine(seed)
    hash.combine(runID)
    hash.combine(key)
    let high = hash.value
    hash.combine(high)
    return Identifier.uuid(high: high, low: hash.value)
  }

  /// Of which the random numbers of what happens under a key come.
  public func seed(for key: String) -> UInt64 {
    var hash = StableHash()
    hash.combine(seed)
    hash.combine(key)
    return hash.value
  }
}

extension JournalEntry.Outcome {
  /// What came of `body`; only cancellation goes further: nobody knows what became of it then.
  fileprivate init(_ body: () async throws -> RawJSON) async throws {
    do {
      self = .result(try await body())
    } catch is CancellationError {
      throw CancellationError()
    } catch {
      try Task.checkCancellation()
      self = .failed(Failure(error))
    }
  }

  public func get() throws(Failure) -> RawJSON {
    switch self {
    case .result(let result): return result
    case .failed(let failure): throw failure
    }
  }
}

extension Failure {
  /// A script that does something on replay that it did not do before.
  fileprivate static func divergence(_ call: JournalCall) -> Failure {
    Failure(
      .conflict, "the script calls \(call.name), which the run did not do there",
      detail: ["reason": "divergence", "at": .string(call.key), "before": .null, "now": .string(call.name)],
      diagnostic: "at \(call.key): \(call.name) \(call.arguments?.text.prefix(500) ?? "")")
  }

  /// A script that does something else on replay than it did before.
  fileprivate static func divergence(_ call: JournalCall, from entry: JournalEntry) -> Failure {
    let what =
      entry.name == call.name
      ? "\(call.name) got other arguments than before"
      : "\(call.name) was called where it was \(entry.name) before"
    return Failure(
      .conflict, "the run cannot go on, because its script did something else than the first time: \(what)",
      detail: [
        "reason": "divergence", "at": .string(call.key), "before": .string(entry.name),
        "now": .string(call.name),
      ],
      diagnostic: "at \(call.key): \(what)"
        + (entry.arguments.map { "; before: \($0.text.prefix(500))" } ?? "")
        + (call.arguments.map { "; now: \($0.text.prefix(500))" } ?? ""))
  }
}
