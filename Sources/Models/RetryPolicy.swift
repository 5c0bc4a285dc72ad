// SPDX-License-Identifier: Apache-2.0

/// When a failed attempt is worth another one; nobody else retries what a provider refused.
///
/// Source: openai-python `_base_client.py`: 0.5 s doubled each time up to 8 s, minus up to a quarter of it.
enum RetryPolicy {
  /// A server that names a longer wait is not waited for.
  static let serverDelayMax: Duration = .seconds(120)

  /// Wait before the next attempt; `nil` = the failure stands.
  ///
  /// - Parameters:
  ///   - attempt: Attempts that were made.
  ///   - remaining: A wait that ends later than this is not begun.
  ///   - jitter: Between 0 and 1.
  static func delay(
    after failure: ProviderFailure, attempt: Int, retries: Int, remaining: Duration, jitter: Double
  ) -> Duration? {
    guard failure.mayRetry, attempt <= retries else { return nil }
    let delay: Duration
    if let serverDelay = failure.serverDelay, serverDelay <= serverDelayMax {
      delay = serverDelay
    } else {
      let doublings = min(attempt - 1, 4)
      delay = .seconds(min(0.5 * Double(1 << doublings), 8) * (1 - 0.25 * jitter))
    }
    return delay < remaining ? delay : nil
  }
}
