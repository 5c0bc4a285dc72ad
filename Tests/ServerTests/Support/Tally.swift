// SPDX-License-Identifier: Apache-2.0
import Synchronization

/// A count that closures share.
final class Tally: Sendable {
  private let count = Mutex(0)
  var value: Int { count.withLock { $0 } }
  func next() -> Int {
    count.withLock { count in
      count += 1
      return count
    }
  }
}
