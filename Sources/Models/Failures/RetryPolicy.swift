// SPDX-License-Identifier: Apache-2.0

/// When a failed attempt is worth another one; nobody else retries what a provider refused.
///
/// Where the server names no wait, it is anything up to 0.5 s, doubled each time up to 8 s: callers that failed
/// together do not come back together.
/// Source: openai-python `_base_client.py` for what is tried again and the bounds; AWS Architecture Blog,
/// "Exponential Backoff And Jitter", for taking the wait from all of the range.
enum RetryPolicy {
  /// A server that names a longer wait is not asked again.
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
    let doublings = min(attempt - 1, 4)
    let delay = failure.serverDelay ?? .seconds(min(0.5 * Double(1 << doublings), 8) * jitter)
    return delay < remaining ? delay : nil
  }
}
