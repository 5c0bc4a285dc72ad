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

  struct State {
    /// Of an earlier life of the run, not handed back yet, by key.
    var recorded: [String: JournalEntry]
    /// Of tools under way: written only where the run leaves memory, or may.
    var interior: [InteriorCall] = []
    /// Beginnings of the keys of branches, and of what else is not run again.
    var skipped: [(prefix: String, except: String?)] = []
    /// Calls in transactions that are open.
    var enclosed: [EnclosedCall] = []
    /// What the models took of calls that are done anew, or were not done again.
    var dropped = Usage()
    /// Keys of what was begun that must not be done twice, in this life or an earlier one.
    var acted: [String] = []
    /// Not handed to the store yet.
    var unwritten: [JournalEntry] = []
    var untold: [Event] = []
    var unrecorded: [AuditEntry] = []
    var hasTold = false
    var count: Int
    /// Of ``unwritten`` and ``untold``, of ``interior`` and of all that this life has kept, about.
    var unwrittenBytes = 0
    /// When it was found, at the latest, that there is something.
    var unwrittenSince: Duration?
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
  public static let interiorBytesMax = 16 << 20

  public let runID: String
  /// Of which the run's random numbers and names come, the same in each of its lives.
  public let seed: UInt64
  private let store: any JournalStore
  let time: any TimeSource
  let state: Mutex<State>
  /// What calls took that are handed back as a whole, models and all within them.
  let inherited: Usage
  public let waits: RunWaits
  /// The earlier life of the run ended when it had nothing to do but wait: calls without an end were not under way.
  let isFromWaiting: Bool
  /// Nothing may be done that is not in the journal.
  public let isReplay: Bool
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
    let (open, inherited) = JournalEntry.withoutInner(recorded)
    self.inherited = inherited
    state = Mutex(State(recorded: open, count: (recorded.last?.number ?? -1) + 1))
  }

  /// Counts what an earlier life spent: its process may have stopped before it was counted anywhere.
  func recount(_ usage: Usage, in budget: Budget) { if !isFromWaiting { budget.count(usage) } }

  public var now: Timestamp { time.now }

  /// A journal of a run that begins and never leaves memory.
  public convenience init(runID: String, seed: UInt64, store: any JournalStore, time: any TimeSource) {
    self.init(
      runID: runID, seed: seed, recorded: [], store: store, time: time, deadlines: DeadlineQueue(time: time))
  }

  /// Whether something was begun under a prefix that must not be done twice, by the agent or by one that it called.
  func hasActed(under prefix: String) -> Bool {
    state.withLock { state in state.acted.contains { $0.hasPrefix(prefix) } }
  }

  /// Says that it was, where the journal hands back what came of it.
  public func acted(_ key: String) { state.withLock { $0.acted.append(key) } }

  /// Whether the run is still on its way to where it was.
  public var isReplaying: Bool { state.withLock { !$0.recorded.isEmpty } }

  /// Lets the run do nothing more.
  public func refuse(_ failure: Failure) { state.withLock { _ = $0.refuse(failure) } }

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

  /// The result that stands under a key, and is not handed back yet.
  func recorded(_ key: String) -> RawJSON? {
    state.withLock { state in
      guard case .result(let result)? = state.recorded[key]?.outcome else { return nil }
      return result
    }
  }

  func isRecorded(_ key: String) -> Bool { state.withLock { $0.recorded[key] != nil } }

  func isRecorded(under prefix: String) -> Bool {
    state.withLock { $0.recorded.keys.contains { $0.hasPrefix(prefix) } }
  }

  /// What stands under the call's key; it is handed out once.
  ///
  /// - Throws: ``Failure`` `conflict` when something else stands there.
  public func recall(_ call: JournalCall) throws(Failure) -> Memory? {
    try state.withLock { state throws(Failure) in
      if let refusal = state.refusal { throw refusal }
      guard let entry = state.recorded.removeValue(forKey: call.key) else {
        guard isReplay, !call.isMere else { return nil }
        throw state.refuse(.divergence(call))
      }
      guard entry.name == call.name, entry.digest == call.digest else {
        if state.enclosed.contains(where: { $0.isTolerated && call.key.hasPrefix($0.prefix) }) {
          state.dropped += entry.usage ?? Usage()
          return nil
        }
        throw state.refuse(.divergence(call, from: entry))
      }
      if let outcome = entry.outcome { return .ended(outcome) }
      if isReplay { throw state.refuse(.open(entry)) }
      return .begun(entry)
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
      state.acted.append(call.key)
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
      state.acted.append(call.key)
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

  func flush(asking approvals: [Approval]) async throws {
    try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
      write(asking: approvals) { failure in
        if let failure { continuation.resume(throwing: failure) } else { continuation.resume() }
      }
    }
  }

  /// Hands over what is not written yet; nobody waits for it.
  public func spill() { if hasUnwritten { write { _ in } } }

  private var hasUnwritten: Bool {
    state.withLock { !$0.unwritten.isEmpty || !$0.untold.isEmpty || !$0.unrecorded.isEmpty }
  }

  /// Before something that may take long: what is not written yet is handed over soon, unless the ticket is given back
  /// before; at once where it has waited so long already.
  func spill(soonOn deadlines: DeadlineQueue) -> DeadlineQueue.Ticket? {
    guard hasUnwritten else { return nil }
    let now = deadlines.elapsed
    let due = state.withLock { state in
      let since = state.unwrittenSince ?? now
      state.unwrittenSince = since
      return since + Self.spillDelay
    }
    guard due > now else {
      spill()
      return nil
    }
    return deadlines.schedule(after: due - now) { self.spill() }
  }

  /// What a crash may cost that comes sooner is a model that is asked again, or a read; a commit for each is dearer.
  private static let spillDelay = Duration.milliseconds(100)

  private func write(asking approvals: [Approval] = [], _ done: @escaping @Sendable (Failure?) -> Void) {
    handover.withLock { _ in
      let (batch, refusal) = state.withLock { state -> (JournalBatch, Failure?) in
        // What is there then is written with the run's end.
        if let refusal = state.refusal { return (JournalBatch([]), refusal) }
        defer {
          state.unwritten = []
          state.untold = []
          state.unrecorded = []
          state.unwrittenBytes = 0
          state.unwrittenSince = nil
        }
        return (
          JournalBatch(
            state.unwritten, approvals: approvals, events: state.untold, audit: state.unrecorded), nil
        )
      }
      if let refusal { return done(refusal) }
      store.writeJournal(batch, runID: runID) { failure in
        if let failure { self.state.withLock { $0.refusal = $0.refusal ?? failure } }
        done(failure)
      }
    }
  }

  /// Tells what happened in the run; it is written with the next entry, or with the run's end.
  ///
  /// Its key is of this run as often as it goes on; one that is done again tells anew.
  public func tell(_ event: Event) {
    var event = event
    event.key = event.key.map { "\(String(seed, radix: 16)) \($0)" }
    let told = event
    let isMuch = state.withLock { state in
      state.untold.append(told)
      state.hasTold = true
      state.unwrittenBytes += told.data?.bytes.count ?? 0
      return state.isMuchUnwritten
    }
    if isMuch { write { _ in } }
  }

  /// Records what the run did for the audit trail; it is written with the next entry, or with the run's end.
  public func record(_ entry: AuditEntry) {
    state.withLock { $0.unrecorded.append(entry) }
  }

  /// Whether it has told anything in this life.
  var hasTold: Bool { state.withLock { $0.hasTold } }

  /// Takes what was done and not recorded yet.
  func takeUnrecorded() -> [AuditEntry] {
    state.withLock { state in
      defer { state.unrecorded = [] }
      return state.unrecorded
    }
  }

  /// Takes what models took in an earlier life, and the run is not handed back.
  func takeDropped() -> Usage {
    state.withLock { state in
      defer { state.dropped = Usage() }
      return state.dropped
    }
  }

  /// Takes what was told and not written yet.
  func takeUntold() -> [Event] {
    state.withLock { state in
      defer { state.untold = [] }
      return state.untold
    }
  }

  /// Takes what is not written yet, for the transaction that ends the run, or lets it leave memory.
  ///
  /// - Parameter inside: What tools under way have done, too, which the run will come back to.
  func takeUnwritten(inside: Bool = false) -> [JournalEntry] {
    // Behind what is being handed over.
    handover.withLock { _ in }
    return state.withLock { state in
      if inside { state.addInterior() }
      defer {
        state.unwritten = []
        state.unwrittenBytes = 0
      }
      return state.unwritten
    }
  }
}

extension Journal.State {
  mutating func add(_ entry: JournalEntry) {
    unwritten.append(entry)
    unwrittenBytes += entry.bytes
    bytes += entry.bytes
    if entry.number >= Journal.entriesMax || bytes > Journal.bytesMax {
      refusal = refusal ?? Failure(.limit, "the run did more than its journal can hold")
    }
  }

  /// Lets the run do nothing more.
  ///
  /// - Returns: Why, which is what came first.
  mutating func refuse(_ failure: Failure) -> Failure {
    let first = refusal ?? failure
    refusal = first
    return first
  }

  /// What tools have done so far must not be done again when the run comes back.
  mutating func addInterior() {
    for call in interior {
      var entry = call.entry()
      entry.number = count
      count += 1
      add(entry)
    }
    interior = []
    interiorBytes = 0
  }

  fileprivate var isMuchUnwritten: Bool { unwrittenBytes > Journal.unwrittenBytesMax }
}

extension JournalEntry {
  /// What it takes in memory, about.
  var bytes: Int { key.utf8.count + (arguments?.bytes.count ?? 0) + (outcome?.bytes ?? 0) + 160 }
}

extension JournalEntry.Outcome {
  var bytes: Int {
    switch self {
    case .result(let json): json.bytes.count
    case .failed(let failure): failure.message.utf8.count + 200
    }
  }
}
