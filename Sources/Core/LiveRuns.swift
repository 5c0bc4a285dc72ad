// SPDX-License-Identifier: Apache-2.0
import Synchronization

/// The runs of this process that are under way and, for a while, the feeds of those that were watched.
final class LiveRuns: Sendable {
  struct Entry: Sendable {
    let userID: String
    let cancellation: RunCancellation
    let feed: RunFeed?
    let waits: RunWaits
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
    /// Turns that were taken, those that wait for their session too.
    var turns = 0
    /// No run may go on.
    var isOver = false
    var waiting: [CheckedContinuation<Void, Never>] = []
  }

  private let state = Mutex(State())
  private let deadlines: DeadlineQueue

  init(deadlines: DeadlineQueue) { self.deadlines = deadlines }

  /// No run may go on: the server stops.
  var isOver: Bool { state.withLock { $0.isOver } }

  /// Counts a turn, whose run may begin later.
  func enter() { state.withLock { $0.turns += 1 } }

  func leave() {
    let waiting = state.withLock { state -> [CheckedContinuation<Void, Never>] in
      state.turns -= 1
      guard state.turns == 0 else { return [] }
      defer { state.waiting = [] }
      return state.waiting
    }
    for continuation in waiting { continuation.resume() }
  }

  func begin(_ runID: String, _ entry: Entry) {
    let isOver = state.withLock { state in
      state.running[runID] = entry
      return state.isOver
    }
    if isOver { entry.cancellation.cancel() }
  }

  func end(_ runID: String) {
    let isKept = state.withLock { state in
      let entry = state.running.removeValue(forKey: runID)
      let isKept = entry?.feed != nil
      if isKept {
        state.ended[runID] = entry
        state.order.append(runID)
        if state.order.count > LiveRuns.keptMax { state.ended[state.order.removeFirst()] = nil }
      }
      return isKept
    }
    if isKept { _ = deadlines.schedule(after: LiveRuns.keptFor) { self.forget(runID) } }
  }

  private func forget(_ runID: String) {
    state.withLock { state in
      guard state.ended.removeValue(forKey: runID) != nil else { return }
      state.order.removeAll { $0 == runID }
    }
  }

  /// A run that is under way, or has just ended.
  func find(_ runID: String, visibleTo: Visibility) -> (entry: Entry, isRunning: Bool)? {
    state.withLock { state in
      let running = state.running[runID]
      guard let entry = running ?? state.ended[runID], visibleTo.admits(entry.userID) else {
        return nil
      }
      return (entry, running != nil)
    }
  }

  /// Questions that runs in memory wait for.
  var pendingApprovals: [Approval] {
    state.withLock { Array($0.running.values) }.flatMap { $0.waits.hasWaited ? $0.waits.pending : [] }
  }

  /// Cancels the runs under way, and those that begin later.
  @Sendable func cancelAll() {
    let running = state.withLock { state in
      state.isOver = true
      return Array(state.running.values)
    }
    for entry in running { entry.cancellation.cancel() }
  }

  /// Returns when no turn is under way.
  func waitForNone() async {
    await withCheckedContinuation { continuation in
      let isIdle = state.withLock { state in
        if state.turns > 0 { state.waiting.append(continuation) }
        return state.turns == 0
      }
      if isIdle { continuation.resume() }
    }
  }
}
