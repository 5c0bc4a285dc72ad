// SPDX-License-Identifier: Apache-2.0
import Synchronization

/// The runs of this process that are under way and, for a while, the feeds of those that were watched.
final class LiveRuns: Sendable {
  struct Entry: Sendable {
    let userID: String
    let cancellation: RunCancellation
    let feed: RunFeed?
  }

  /// How long a watcher that lost its connection may take to come back after the run's end.
  static let keptFor = Duration.seconds(60)
  /// Feeds of ended runs; the oldest go first.
  static let keptMax = 1000

  private struct State {
    var running: [String: Entry] = [:]
    var ended: [String: Entry] = [:]
    /// Identifiers of ``ended``, oldest first; some may be gone.
    var order: [String] = []
    var waiting: [CheckedContinuation<Void, Never>] = []
  }

  private let state = Mutex(State())
  private let deadlines: DeadlineQueue

  init(deadlines: DeadlineQueue) { self.deadlines = deadlines }

  func begin(_ runID: String, _ entry: Entry) {
    state.withLock { $0.running[runID] = entry }
  }

  func end(_ runID: String) {
    let (isKept, waiting) = state.withLock { state -> (Bool, [CheckedContinuation<Void, Never>]) in
      let entry = state.running.removeValue(forKey: runID)
      let isKept = entry?.feed != nil
      if isKept {
        state.ended[runID] = entry
        state.order.append(runID)
        if state.order.count > LiveRuns.keptMax { state.ended[state.order.removeFirst()] = nil }
      }
      guard state.running.isEmpty else { return (isKept, []) }
      defer { state.waiting = [] }
      return (isKept, state.waiting)
    }
    for continuation in waiting { continuation.resume() }
    if isKept { _ = deadlines.schedule(after: LiveRuns.keptFor) { self.forget(runID) } }
  }

  private func forget(_ runID: String) {
    state.withLock { state in
      guard state.ended.removeValue(forKey: runID) != nil else { return }
      state.order.removeAll { $0 == runID }
    }
  }

  /// A run that is under way, or has just ended; `userID` nil = whoever's.
  func find(_ runID: String, userID: String?) -> (entry: Entry, isRunning: Bool)? {
    state.withLock { state in
      let running = state.running[runID]
      guard let entry = running ?? state.ended[runID], userID == nil || entry.userID == userID else {
        return nil
      }
      return (entry, running != nil)
    }
  }

  @Sendable func cancelAll() {
    for entry in state.withLock({ Array($0.running.values) }) { entry.cancellation.cancel() }
  }

  /// Returns when no run is under way.
  func waitForNone() async {
    await withCheckedContinuation { continuation in
      let isIdle = state.withLock { state in
        if !state.running.isEmpty { state.waiting.append(continuation) }
        return state.running.isEmpty
      }
      if isIdle { continuation.resume() }
    }
  }
}
