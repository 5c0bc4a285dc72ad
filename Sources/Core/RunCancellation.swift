// SPDX-License-Identifier: Apache-2.0
import Synchronization

/// Cancels one run from outside its task, also before it has begun.
public final class RunCancellation: Sendable {
  private enum State {
    case waiting, cancelled
    case set(@Sendable () -> Void)
  }

  private let state = Mutex(State.waiting)

  public init() {}

  /// Says how; called once, when the run begins.
  func set(_ cancel: @escaping @Sendable () -> Void) {
    let isCancelled = state.withLock { state in
      if case .cancelled = state { return true }
      state = .set(cancel)
      return false
    }
    if isCancelled { cancel() }
  }

  /// Whether somebody wants it to end.
  var isCancelled: Bool { state.withLock { if case .cancelled = $0 { true } else { false } } }

  /// Ends the task, and not the run: that leaves memory.
  func leave() {
    let cancel = state.withLock { state -> (@Sendable () -> Void)? in
      if case .set(let cancel) = state { cancel } else { nil }
    }
    cancel?()
  }

  public func cancel() {
    let cancel = state.withLock { state -> (@Sendable () -> Void)? in
      defer { state = .cancelled }
      if case .set(let cancel) = state { return cancel }
      return nil
    }
    cancel?()
  }
}
