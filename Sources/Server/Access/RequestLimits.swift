// SPDX-License-Identifier: Apache-2.0
import Core
import HTTPTypes

/// How often callers may ask.
///
/// The local user of a server without authentication is not limited, and no address of this machine.
struct RequestLimits: Sendable {
  private let limiter: RateLimiter
  private let metrics: ServerMetrics

  init(_ limiter: RateLimiter, metrics: ServerMetrics) {
    self.limiter = limiter
    self.metrics = metrics
  }

  /// Admits a request of somebody who is known by now.
  ///
  /// - Returns: Fields for its answer.
  /// - Throws: ``Problem`` 429.
  func admit(_ user: Principal) throws(Problem) -> HTTPFields {
    if user == .local { return HTTPFields() }
    var callers: [RateLimiter.Caller] = [user.keyID.map { .key($0) } ?? .user(user.id)]
    if user.keyID != nil { callers.append(.user(user.id)) }
    if let address = user.address.flatMap({ IPAddress($0) }), !address.isLoopback {
      callers.append(.address(address.subscriber))
    }
    return try admit(callers)
  }

  /// Counts an attempt to say who asks that came to nothing: who guesses is slowed down.
  ///
  /// - Throws: ``Problem`` 429.
  func admitStranger(from address: String?) throws(Problem) {
    guard let address = address.flatMap({ IPAddress($0) }), !address.isLoopback else { return }
    _ = try admit([.address(address.subscriber)])
  }

  private func admit(_ callers: [RateLimiter.Caller]) throws(Problem) -> HTTPFields {
    guard let verdict = limiter.admit(callers) else { return HTTPFields() }
    var fields = HTTPFields()
    fields[.rateLimitLimit] = String(verdict.limit)
    fields[.rateLimitRemaining] = String(verdict.remaining)
    fields[.rateLimitReset] = String(verdict.reset.secondsRoundedUp)
    guard verdict.isAdmitted else {
      metrics.limited(by: verdict.caller.kind)
      throw Problem(
        status: .tooManyRequests, code: Failure.Code.rateLimited.rawValue,
        detail: "too many requests of this \(verdict.caller.kind)",
        retryAfterSeconds: Double(verdict.retryAfter.secondsRoundedUp), headers: fields)
    }
    return fields
  }
}

extension Duration {
  fileprivate var secondsRoundedUp: Int64 {
    components.seconds + (components.attoseconds > 0 ? 1 : 0)
  }
}
