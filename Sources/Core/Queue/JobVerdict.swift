// SPDX-License-Identifier: Apache-2.0
import JSONCodec

/// What becomes of a job whose attempt failed.
enum JobVerdict {
  static let backoffBase = Duration.seconds(1)
  static let backoffMax = Duration.seconds(300)
  /// The longest that the one who refused may ask for.
  static let retryAfterMax = Duration.seconds(3600)

  /// - Parameters:
  ///   - failures: Attempts that failed, this one included.
  ///   - chance: From 0 to 1, of which the wait comes.
  static func outcome(
    of failure: Failure, failures: Int, attemptsMax: Int, chance: Double, at now: Timestamp
  ) -> JobEnding.Outcome {
    guard failure.isWorthAnotherAttempt, failures < attemptsMax else { return .dead(failure) }
    return .failed(failure, again: now + wait(after: failures, failure, chance: chance))
  }

  /// Full jitter: anything up to a bound that doubles, so that what failed together does not come back together.
  static func wait(after failures: Int, _ failure: Failure, chance: Double) -> Duration {
    let bound = min(backoffBase * (1 << min(max(failures, 1) - 1, 20)), backoffMax)
    let asked = failure.retryAfterSeconds.map { min(Duration.seconds($0), retryAfterMax) } ?? .zero
    return asked + bound * chance
  }
}

extension Failure {
  /// Whether doing the same once more may end otherwise: what says so itself, and faults of scripts, which the next
  /// version may have mended.
  var isWorthAnotherAttempt: Bool {
    retryable || [.rateLimited, .timeout, .internal].contains(code)
  }

  /// A job whose workers were not heard of again, each time.
  static let workersLost = Failure(
    .internal, "each worker that had the job stopped in its middle", detail: ["reason": "workers_lost"])
}
