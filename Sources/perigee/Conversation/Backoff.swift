// SPDX-License-Identifier: Apache-2.0

/// When to try again what has failed: waits that grow, until it has failed for too long.
struct Backoff: Sendable {
  private static let first = Duration.milliseconds(250)
  private static let longest = Duration.seconds(5)

  /// From the first failure on.
  let limit: Duration
  private var since: Duration?
  /// Waits since ``reset()``.
  private(set) var waits = 0

  init(limit: Duration) { self.limit = limit }

  /// What comes next: how long to wait after a failure, `nil` to give up.
  ///
  /// - Parameters:
  ///   - now: Time since some fixed moment.
  ///   - random: 0 to 1; spreads those who have failed together.
  mutating func wait(now: Duration, random: Double) -> Duration? {
    let since = since ?? now
    self.since = since
    let rest = limit - (now - since)
    guard rest > .zero else { return nil }
    let wait = min(Self.longest, Self.first * (1 << min(waits, 5)))
    waits += 1
    return min(rest, wait * (0.5 + random / 2))
  }

  /// It has succeeded: what fails next is a new beginning.
  mutating func reset() {
    since = nil
    waits = 0
  }
}
