// SPDX-License-Identifier: Apache-2.0
import Synchronization

/// What the configuration allows all models of one provider together.
final class ProviderBudget: Sendable {
  private let minute: Mutex<MinuteBudget>

  /// - Returns: `nil` without a limit.
  init?(requestsPerMinute: Int, tokensPerMinute: Int) {
    guard requestsPerMinute > 0 || tokensPerMinute > 0 else { return nil }
    minute = Mutex(
      MinuteBudget(limit: MinuteBudget.Amount(requests: requestsPerMinute, tokens: tokensPerMinute)))
  }

  func book(
    tokens: Int, at now: Duration, before end: Duration
  ) -> Result<MinuteBudget.Booking, MinuteBudget.TooLate> {
    minute.withLock { $0.book(MinuteBudget.Amount(requests: 1, tokens: tokens), at: now, before: end) }
  }

  func start(_ booking: MinuteBudget.Booking) { minute.withLock { $0.start(booking) } }

  func cancel(_ booking: MinuteBudget.Booking) { minute.withLock { $0.cancel(booking) } }

  func settle(_ booking: MinuteBudget.Booking, tokens: Int) {
    minute.withLock { $0.settle(booking, tokens: tokens) }
  }
}
