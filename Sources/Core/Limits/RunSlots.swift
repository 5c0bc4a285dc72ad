// SPDX-License-Identifier: Apache-2.0
import Synchronization

/// Counts the runs of each user, those that wait for their session too.
final class RunSlots: Sendable {
  /// `nil` = as many as there are.
  private let max: Int?
  private let taken = Mutex<[String: Int]>([:])

  init(max: Int?) { self.max = max }

  /// - Throws: ``Failure`` `rate_limited` when the user has as many as one may.
  func take(_ userID: String) throws(Failure) {
    guard let max else { return }
    let isFree = taken.withLock { taken in
      let count = taken[userID] ?? 0
      if count < max { taken[userID] = count + 1 }
      return count < max
    }
    guard isFree else {
      throw Failure(
        .rateLimited, "you have \(max) runs under way, which is the limit", retryable: true,
        retryAfterSeconds: 1)
    }
  }

  func giveBack(_ userID: String) {
    guard max != nil else { return }
    taken.withLock { taken in
      let count = taken[userID] ?? 0
      taken[userID] = count > 1 ? count - 1 : nil
    }
  }
}
