// SPDX-License-Identifier: Apache-2.0
import Synchronization

/// Opens once; who waits before it goes on then, who comes later does not wait.
final class Gate: Sendable {
  private struct State {
    var isOpen = false
    var waiting: [UInt64: CheckedContinuation<Void, Never>] = [:]
    var numbers: UInt64 = 0
  }

  private let state = Mutex(State())

  func open() {
    let waiting = state.withLock { state in
      state.isOpen = true
      defer { state.waiting = [:] }
      return Array(state.waiting.values)
    }
    for continuation in waiting { continuation.resume() }
  }

  /// Returns when the gate is open, or as soon as the task is cancelled.
  func wait() async {
    let number = state.withLock { state in
      state.numbers += 1
      return state.numbers
    }
    await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let goesOn = state.withLock { state in
          // Under the lock: a cancellation before it is seen here, and one after it finds the continuation.
          if state.isOpen || Task.isCancelled { return true }
          state.waiting[number] = continuation
          return false
        }
        if goesOn { continuation.resume() }
      }
    } onCancel: {
      state.withLock { $0.waiting.removeValue(forKey: number) }?.resume()
    }
  }
}
