// SPDX-License-Identifier: Apache-2.0
import Core
import Synchronization

/// Whether the store can be written, looked at once a second at most: whoever may ask costs it no more than that.
final class StoreProbe: Sendable {
  private static let validity: Duration = .seconds(1)

  private let store: any Store
  private let time: any TimeSource
  private let last = Mutex<(at: Duration, isReady: Bool)?>(nil)

  init(_ store: any Store, time: any TimeSource) {
    self.store = store
    self.time = time
  }

  func isReady() async -> Bool {
    if let last = last.withLock(\.self), time.elapsed - last.at < Self.validity { return last.isReady }
    let isReady: Bool
    do {
      try await store.check()
      isReady = true
    } catch {
      isReady = false
    }
    last.withLock { $0 = (time.elapsed, isReady) }
    return isReady
  }
}
