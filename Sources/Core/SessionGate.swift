// SPDX-License-Identifier: Apache-2.0
import Synchronization

/// Lets one turn at a time into a session; later ones wait in the order they came, or follow the agent's policy.
final class SessionGate: Sendable {
  struct Key: Hashable, Sendable {
    let userID: String
    let sessionID: String
  }

  /// Turns that may wait for one session.
  static let waitingMax = 32

  private struct Waiter {
    let ticket: UInt64
    /// Cancels its turn, once it is inside.
    let interrupt: @Sendable () -> Void
    let continuation: CheckedContinuation<Void, any Error>
  }

  private struct Session {
    /// Cancels the turn that is inside.
    var interrupt: @Sendable () -> Void
    var waiters: [Waiter] = []
  }

  private struct State {
    var sessions: [Key: Session] = [:]
    var tickets: UInt64 = 0
    /// Tickets whose task was cancelled before they had begun to wait.
    var cancelled: Set<UInt64> = []
  }

  private let state = Mutex(State())

  /// Waits for the session; `leave` must follow.
  ///
  /// - Parameter interrupt: Cancels the caller's turn, should the next one want that.
  /// - Throws: ``Failure`` `conflict` when the session is busy and the policy is to reject, `rate_limited` when too
  ///   many wait; `CancellationError`.
  func enter(
    _ key: Key, policy: Agent.BusyPolicy, interrupt: @escaping @Sendable () -> Void
  ) async throws {
    let (ticket, inside) = try state.withLock { state throws(Failure) -> (UInt64?, (@Sendable () -> Void)?) in
      guard let session = state.sessions[key] else {
        state.sessions[key] = Session(interrupt: interrupt)
        return (nil, nil)
      }
      if policy == .reject {
        throw Failure(
          .conflict, "the session is busy with another message", retryable: true, retryAfterSeconds: 1)
      }
      if session.waiters.count >= SessionGate.waitingMax {
        throw Failure(
          .rateLimited, "too many messages wait for this session", retryable: true, retryAfterSeconds: 5)
      }
      state.tickets += 1
      return (state.tickets, policy == .interrupt ? session.interrupt : nil)
    }
    // Outside the lock: a cancelled turn may leave at once.
    inside?()
    guard let ticket else { return }
    try await wait(for: key, ticket: ticket, interrupt: interrupt)
  }

  /// Goes in at once where nobody is; `leave` must follow.
  func enterIfFree(_ key: Key, interrupt: @escaping @Sendable () -> Void) -> Bool {
    state.withLock { state in
      guard state.sessions[key] == nil else { return false }
      state.sessions[key] = Session(interrupt: interrupt)
      return true
    }
  }

  private func wait(
    for key: Key, ticket: UInt64, interrupt: @escaping @Sendable () -> Void
  ) async throws {
    try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
        let verdict: Result<Void, any Error>? = state.withLock { state in
          if state.cancelled.remove(ticket) != nil { return .failure(CancellationError()) }
          guard state.sessions[key] != nil else {
            // The one inside left in between.
            state.sessions[key] = Session(interrupt: interrupt)
            return .success(())
          }
          state.sessions[key]?.waiters.append(
            Waiter(ticket: ticket, interrupt: interrupt, continuation: continuation))
          return nil
        }
        if let verdict { continuation.resume(with: verdict) }
      }
    } onCancel: {
      let waiter = state.withLock { state -> Waiter? in
        guard let index = state.sessions[key]?.waiters.firstIndex(where: { $0.ticket == ticket }) else {
          state.cancelled.insert(ticket)
          return nil
        }
        return state.sessions[key]?.waiters.remove(at: index)
      }
      waiter?.continuation.resume(throwing: CancellationError())
    }
    state.withLock { _ = $0.cancelled.remove(ticket) }
  }

  /// Lets the next one in.
  func leave(_ key: Key) {
    let next = state.withLock { state -> Waiter? in
      guard state.sessions[key]?.waiters.isEmpty == false else {
        state.sessions[key] = nil
        return nil
      }
      let next = state.sessions[key]?.waiters.removeFirst()
      if let next { state.sessions[key]?.interrupt = next.interrupt }
      return next
    }
    next?.continuation.resume()
  }
}
