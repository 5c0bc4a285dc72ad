// SPDX-License-Identifier: Apache-2.0
import Synchronization

/// Turns that have ended while the store could not be written: what became of them is written as soon as it can.
///
/// Their callers were told that they failed. There are never more than turns that were under way at once: where the
/// store takes nothing, none begins. Nobody else tries again.
final class UnsettledTurns: Sendable {
  private struct Turn {
    var closing: TurnClosing
    let key: IdempotencyKey?
    var failure: Failure
  }

  private struct State {
    /// In the order in which they are tried.
    var turns: [Turn] = []
    /// Tries under way: one after the other, so that none writes what another has written.
    var attempt: Task<Void, Never>?
    var failures = 0
    var isScheduled = false
  }

  /// Waits between tries, when nobody asks before: doubled each time.
  static let waitMin = Duration.seconds(1)
  static let waitMax = Duration.seconds(60)

  private let store: any Store
  private let deadlines: DeadlineQueue
  private let state = Mutex(State())

  init(store: any Store, deadlines: DeadlineQueue) {
    self.store = store
    self.deadlines = deadlines
  }

  /// Takes the end of a turn that the store has refused.
  func add(_ closing: TurnClosing, key: IdempotencyKey?, refusedBy failure: Failure) {
    state.withLock {
      $0.turns.append(Turn(closing: closing.failed(by: failure), key: key, failure: failure))
    }
    schedule()
  }

  /// Writes what became of the user's turn that came with this key, before it is looked for.
  ///
  /// - Throws: ``Failure``: the store still refuses it.
  func settle(_ key: IdempotencyKey, userID: String) async throws(Failure) {
    let isMeant = { (turn: Turn) in turn.closing.userID == userID && turn.key?.name == key.name }
    guard state.withLock({ $0.turns.contains(where: isMeant) }) else { return }
    await settle()
    if let turn = state.withLock({ $0.turns.first(where: isMeant) }) { throw turn.failure }
  }

  /// Writes what became of the session's last turns, if it can be written.
  func settle(sessionID: String, userID: String) async {
    let isWanted = state.withLock {
      $0.turns.contains { $0.closing.userID == userID && $0.closing.sessionID == sessionID }
    }
    if isWanted { await settle() }
  }

  /// Tries all once, or waits for the tries that are under way.
  func settle() async {
    let attempt = state.withLock { state -> Task<Void, Never>? in
      if state.attempt == nil, !state.turns.isEmpty { state.attempt = Task { await self.tryAll() } }
      return state.attempt
    }
    await attempt?.value
  }

  private func tryAll() async {
    while let turn = state.withLock({ $0.turns.first }) {
      var refusal: Failure?
      do {
        try await store.closeTurn(turn.closing)
      } catch {
        refusal = Failure(error)
      }
      state.withLock { state in
        state.turns.removeFirst()
        guard let refusal else { return }
        // The next try begins with another one: this one may be refused for its own sake.
        state.turns.append(Turn(closing: turn.closing, key: turn.key, failure: refusal))
        state.failures += 1
      }
      if refusal != nil { break }
    }
    state.withLock { state in
      state.attempt = nil
      if state.turns.isEmpty { state.failures = 0 }
    }
    schedule()
  }

  private func schedule() {
    let wait = state.withLock { state -> Duration? in
      guard !state.turns.isEmpty, !state.isScheduled else { return nil }
      state.isScheduled = true
      return min(Self.waitMin * (1 << min(state.failures, 6)), Self.waitMax)
    }
    guard let wait else { return }
    _ = deadlines.schedule(after: wait) { [weak self] in
      guard let self else { return }
      self.state.withLock { $0.isScheduled = false }
      Task { await self.settle() }
    }
  }
}

extension TurnClosing {
  /// The same turn without its answer, which nobody got; what it did and took stays.
  fileprivate func failed(by failure: Failure) -> TurnClosing {
    guard status == .completed else { return self }
    var closing = self
    closing.status = .failed
    closing.failure = failure
    closing.text = ""
    closing.data = nil
    closing.finishReason = nil
    closing.state = nil
    return closing
  }
}
