// SPDX-License-Identifier: Apache-2.0
import Synchronization

/// Knows whether the server is stopping and how many requests are still being answered.
final class Drain: Sendable {
  private struct State {
    var isOn = false
    var requests = 0
    var closings: [@Sendable () -> Void] = []
  }

  /// How long requests under way may take once the server is stopping.
  let limit: Duration
  private let state = Mutex(State())

  init(limit: Duration) { self.limit = limit }

  var isOn: Bool { state.withLock { $0.isOn } }

  func begin() { state.withLock { $0.isOn = true } }

  func enter() { state.withLock { $0.requests += 1 } }

  /// Ends a request; the last one ends the kept connections too.
  func leave() {
    let closings = state.withLock { state -> [@Sendable () -> Void] in
      state.requests -= 1
      guard state.isOn, state.requests == 0 else { return [] }
      defer { state.closings = [] }
      return state.closings
    }
    for close in closings { close() }
  }

  /// Closes a kept connection as soon as no request is under way: until then it can still be told why.
  func whenIdle(_ close: @escaping @Sendable () -> Void) {
    let isIdle = state.withLock { state in
      if state.requests > 0 { state.closings.append(close) }
      return state.requests == 0
    }
    if isIdle { close() }
  }
}
