// SPDX-License-Identifier: Apache-2.0
import Synchronization

/// Wakes those who wait for something that others of this process do.
public final class Bell: Sendable {
  private let state = Mutex(State())

  private struct State {
    var listeners: [Int: @Sendable () -> Void] = [:]
    var last = 0
  }

  public init() {}

  public func ring() {
    let listeners = state.withLock { Array($0.listeners.values) }
    for listener in listeners { listener() }
  }

  /// - Returns: The number by which ``remove(_:)`` knows the listener.
  public func add(_ listener: @escaping @Sendable () -> Void) -> Int {
    state.withLock { state in
      state.last += 1
      state.listeners[state.last] = listener
      return state.last
    }
  }

  public func remove(_ number: Int) { _ = state.withLock { $0.listeners.removeValue(forKey: number) } }
}
