// SPDX-License-Identifier: Apache-2.0

/// When published keys are fetched: a value that is told what happened and when.
struct RefreshSchedule: Sendable, Hashable {
  static let lifetimeRange = Duration.seconds(60)...Duration.seconds(86_400)
  static let lifetimeDefault = Duration.seconds(600)
  /// After the last good fetch, whatever its `max-age`, when none succeeds any more.
  static let keptMax = Duration.seconds(86_400)
  /// Between two attempts, however many tokens ask for an unknown key.
  static let attemptGap = Duration.seconds(30)
  /// Between two attempts while there are no keys at all, and everybody is refused.
  static let attemptGapWithoutKeys = Duration.seconds(5)

  private var loadedAt: Duration?
  private var lifetime = Self.lifetimeDefault
  private var attemptedAt: Duration?
  private var hasFailedSince = false

  func isUsable(at now: Duration) -> Bool { loadedAt.map { now - $0 < Self.keptMax } ?? false }

  /// Whether a fetch should begin.
  func isDue(at now: Duration) -> Bool {
    guard let loadedAt, isUsable(at: now) else { return isOpen(at: now, after: Self.attemptGapWithoutKeys) }
    // Ahead of the end, so that nobody waits for the network.
    return now - loadedAt >= lifetime * 4 / 5 && isOpen(at: now, after: Self.attemptGap)
  }

  /// Whether nobody should be let in before the fetch that is due, or under way, has ended.
  ///
  /// Nobody came for long, and the keys may be hours old. When an attempt has failed since, waiting would not
  /// help.
  func isOverdue(at now: Duration) -> Bool {
    guard let loadedAt, isUsable(at: now) else { return true }
    return now - loadedAt >= lifetime * 2 && !hasFailedSince
  }

  /// Whether a token with an unknown key is worth an attempt.
  func admitsEarlyFetch(at now: Duration) -> Bool {
    isOpen(at: now, after: isUsable(at: now) ? Self.attemptGap : Self.attemptGapWithoutKeys)
  }

  private func isOpen(at now: Duration, after gap: Duration) -> Bool {
    attemptedAt.map { now - $0 >= gap } ?? true
  }

  mutating func began(at now: Duration) { attemptedAt = now }

  /// - Parameter began: When the attempt began: the document is at least that fresh.
  mutating func succeeded(began: Duration, maxAge: Duration?) {
    loadedAt = began
    lifetime =
      maxAge.map { min(max($0, Self.lifetimeRange.lowerBound), Self.lifetimeRange.upperBound) }
      ?? Self.lifetimeDefault
    hasFailedSince = false
  }

  mutating func failed() { hasFailedSince = true }
}
