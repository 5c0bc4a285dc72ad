// SPDX-License-Identifier: Apache-2.0

/// How often and when a batch is sent again: a value that knows no clock.
public struct RetryPolicy: Sendable, Hashable {
  /// The first included.
  public var attemptsMax = 6
  /// From the first attempt to the next one, waiting included; older spans help nobody, and newer ones wait.
  public var ageMax = Duration.seconds(120)
  /// After the first failure in a row; doubled after each further one.
  public var delayFirst = Duration.seconds(1)
  public var delayMax = Duration.seconds(30)
  /// A longer `Retry-After` is taken for a mistake.
  public var retryAfterMax = Duration.seconds(300)

  public init() {}

  /// How long nothing is sent.
  ///
  /// - Parameters:
  ///   - failures: In a row, across batches; 1 or more.
  ///   - retryAfterSeconds: What the collector asked for; then never earlier, and up to a tenth later.
  ///   - random: 0..<1, so that many servers do not come back at once.
  func delay(afterFailures failures: Int, retryAfterSeconds: Int?, random: Double) -> Duration {
    if let seconds = retryAfterSeconds, seconds > 0 {
      // Beyond the greatest delay the count does not matter, and could overflow.
      return min(.seconds(min(seconds, 1_000_000)), retryAfterMax) * (1 + 0.1 * random)
    }
    let doublings = min(max(0, failures - 1), 30)
    return min(delayFirst * (1 << doublings), delayMax) * (0.5 + 0.5 * random)
  }

  /// Whether a batch is given up rather than sent again.
  func isExhausted(attempts: Int, age: Duration) -> Bool { attempts >= attemptsMax || age > ageMax }
}
