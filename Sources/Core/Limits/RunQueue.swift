// SPDX-License-Identifier: Apache-2.0
import Synchronization

/// Lets so many runs work at once; some more wait, in the order they came.
final class RunQueue: Sendable {
  /// Of one run that has to wait.
  final class Place: Sendable {
    fileprivate enum State {
      case queued
      case waiting(CheckedContinuation<Bool, Never>)
      /// It has its turn, or will never have one.
      case called(Bool)
    }

    fileprivate let state = Mutex(State.queued)

    /// Gives it its turn, or takes it away; only the first word counts.
    fileprivate func call(_ isAdmitted: Bool) {
      let waiting = state.withLock { state -> CheckedContinuation<Bool, Never>? in
        switch state {
        case .called: return nil
        case .queued:
          state = .called(isAdmitted)
          return nil
        case .waiting(let continuation):
          state = .called(isAdmitted)
          return continuation
        }
      }
      waiting?.resume(returning: isAdmitted)
    }
  }

  private struct State {
    var running = 0
    var places: [Place] = []
  }

  private let runningMax: Int
  private let waitingMax: Int
  private let patience: Duration
  private let deadlines: DeadlineQueue
  private let state = Mutex(State())

  /// - Parameter patience: How long a run waits for its turn.
  init(runningMax: Int, waitingMax: Int, patience: Duration, deadlines: DeadlineQueue) {
    self.runningMax = runningMax
    self.waitingMax = patience > .zero ? waitingMax : 0
    self.patience = patience
    self.deadlines = deadlines
  }

  /// How many work, and how many wait.
  var counts: (running: Int, waiting: Int) { state.withLock { ($0.running, $0.places.count) } }

  /// Lets a run in whatever there is: it was let in before. ``leave()`` must follow.
  func reenter() { state.withLock { $0.running += 1 } }

  /// Lets a run in, or gives it a place to wait in; ``leave()`` or ``wait(in:)`` must follow.
  ///
  /// - Throws: ``Failure`` `limit` when too many wait already.
  func enter() throws(Failure) -> Place? {
    try state.withLock { state throws(Failure) in
      if state.running < runningMax {
        state.running += 1
        return nil
      }
      guard state.places.count < waitingMax else { throw .full }
      let place = Place()
      state.places.append(place)
      return place
    }
  }

  /// Waits for the turn of a place; then ``leave()`` must follow.
  ///
  /// - Throws: ``Failure`` `limit` when it did not come in time, `CancellationError`.
  func wait(in place: Place) async throws {
    let ticket = deadlines.schedule(after: patience) { [self] in giveUp(place) }
    let isAdmitted = await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let verdict = place.state.withLock { state -> Bool? in
          if case .called(let isAdmitted) = state { return isAdmitted }
          state = .waiting(continuation)
          return nil
        }
        if let verdict { continuation.resume(returning: verdict) }
      }
    } onCancel: {
      giveUp(place)
    }
    deadlines.cancel(ticket)
    if isAdmitted { return }
    try Task.checkCancellation()
    throw Failure.full
  }

  /// Lets the next one in.
  func leave() {
    let next = state.withLock { state -> Place? in
      // Above the limit with runs that were let in before, nobody follows.
      if state.running <= runningMax, !state.places.isEmpty { return state.places.removeFirst() }
      state.running -= 1
      return nil
    }
    next?.call(true)
  }

  /// One that was called first keeps its turn.
  private func giveUp(_ place: Place) {
    let wasWaiting = state.withLock { state in
      guard let index = state.places.firstIndex(where: { $0 === place }) else { return false }
      state.places.remove(at: index)
      return true
    }
    if wasWaiting { place.call(false) }
  }
}

extension Failure {
  fileprivate static let full = Failure(
    .limit, "the server is at its limit of runs", retryable: true, retryAfterSeconds: 1)
}
