// SPDX-License-Identifier: Apache-2.0
import Core
import Synchronization

/// Messages whose turns are under way in this process.
final class TurnsUnderWay: Sendable {
  private struct State {
    var keys: Set<ChannelMessage.Key> = []
    var waiting: [CheckedContinuation<Void, Never>] = []
  }

  private let state = Mutex(State())

  func insert(_ key: ChannelMessage.Key) { _ = state.withLock { $0.keys.insert(key) } }

  func contains(_ key: ChannelMessage.Key) -> Bool { state.withLock { $0.keys.contains(key) } }

  func remove(_ key: ChannelMessage.Key) {
    let waiting = state.withLock { state -> [CheckedContinuation<Void, Never>] in
      state.keys.remove(key)
      guard state.keys.isEmpty else { return [] }
      defer { state.waiting = [] }
      return state.waiting
    }
    for continuation in waiting { continuation.resume() }
  }

  /// Returns when there are none.
  func end() async {
    await withCheckedContinuation { continuation in
      let isOver = state.withLock { state in
        if !state.keys.isEmpty { state.waiting.append(continuation) }
        return state.keys.isEmpty
      }
      if isOver { continuation.resume() }
    }
  }
}
