// SPDX-License-Identifier: Apache-2.0
public import Core
import Synchronization

/// The keys that an issuer publishes, fetched when needed and kept while they are good.
///
/// Honours `max-age` from a minute to a day (10 minutes without one) and fetches anew after four fifths of
/// it, while the old keys serve. A failed fetch changes nothing, until the keys are a day old. There is one
/// fetch at a time, and two begin 30 seconds apart at least (5, while there are no keys).
public final class PublishedKeys: Sendable {
  /// The keys of a moment.
  struct Snapshot: Sendable {
    let keys: VerificationKeys
    /// Grows whenever a key has come or gone.
    let generation: Int
  }

  private struct State {
    var keys = VerificationKeys.none
    var generation = 0
    var schedule = RefreshSchedule()
    var fetch: Task<Void, Never>?

    var snapshot: Snapshot { Snapshot(keys: keys, generation: generation) }

    mutating func replace(_ new: VerificationKeys) {
      if new.fingerprints != keys.fingerprints { generation += 1 }
      keys = new
    }
  }

  private let source: any JWKSSource
  private let algorithms: [SignatureAlgorithm]
  private let clock: any TimeSource
  private let report: @Sendable (JWKSReport) -> Void
  private let state = Mutex(State())

  /// - Parameters:
  ///   - algorithms: What is permitted; HS algorithms do not count, for a published secret is none.
  ///   - report: Called after each attempt, from any thread; the next one waits for its return.
  public init(
    _ source: any JWKSSource, algorithms: [SignatureAlgorithm], clock: any TimeSource,
    report: @escaping @Sendable (JWKSReport) -> Void = { _ in }
  ) {
    self.source = source
    self.algorithms = algorithms.filter { !$0.isSymmetric }
    self.clock = clock
    self.report = report
  }

  /// Fetches the keys now, so that the first caller need not wait. How it ended is told to `report`.
  ///
  /// - Returns: Keys in force.
  @discardableResult
  public func warmUp() async -> Int { await settled().keys.count }

  /// The keys, when they may be used without waiting; begins a fetch where one is due.
  func current() -> Snapshot? {
    let now = clock.elapsed
    return state.withLock { state in
      if state.schedule.isDue(at: now) { begin(&state, at: now) }
      if !state.schedule.isUsable(at: now), !state.keys.isEmpty {
        // Too old: what was remembered by these keys goes with them.
        state.replace(.none)
      }
      return state.schedule.isOverdue(at: now) ? nil : state.snapshot
    }
  }

  /// The keys, after the fetch that ``current()`` would not do without; empty when there are none.
  func settled() async -> Snapshot {
    if let snapshot = current() { return snapshot }
    await idle()
    return state.withLock(\.snapshot)
  }

  /// The keys after a fetch for the sake of an unknown key; `nil` when it is too early for another.
  func refreshed() async -> Snapshot? {
    let now = clock.elapsed
    let fetch = state.withLock { state in
      if state.fetch == nil, state.schedule.admitsEarlyFetch(at: now) { begin(&state, at: now) }
      return state.fetch
    }
    guard let fetch else { return nil }
    await fetch.value
    return state.withLock(\.snapshot)
  }

  /// Waits for the fetch that is under way.
  func idle() async { await state.withLock(\.fetch)?.value }

  private func begin(_ state: inout State, at now: Duration) {
    if state.fetch != nil { return }
    state.schedule.began(at: now)
    // Detached: it serves everybody, so it ends neither with the request that began it nor under its
    // task-locals.
    state.fetch = Task.detached { [self] in await fetch(began: now) }
  }

  private func fetch(began: Duration) async {
    let result: Result<(keys: VerificationKeys, maxAge: Duration?), any Error>
    do {
      let (document, maxAge) = try await source.load()
      result = .success((try await VerificationKeys.jwks(document, algorithms: algorithms), maxAge))
    } catch {
      result = .failure(error)
    }
    let keyCount = state.withLock { state in
      switch result {
      case .success(let loaded):
        state.schedule.succeeded(began: began, maxAge: loaded.maxAge)
        state.replace(loaded.keys)
      case .failure: state.schedule.failed()
      }
      return state.keys.count
    }
    switch result {
    case .success(let loaded):
      report(JWKSReport(keyCount: keyCount, skipped: loaded.keys.skipped, failure: nil))
    case .failure(let error):
      report(JWKSReport(keyCount: keyCount, skipped: [], failure: String(describing: error)))
    }
    // After the report: whoever waited for the fetch finds it in the log.
    state.withLock { $0.fetch = nil }
  }
}
