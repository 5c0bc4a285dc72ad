// SPDX-License-Identifier: Apache-2.0
import Synchronization

/// Admits so many requests a minute and an hour of each user, key and address.
///
/// Two token buckets each, which fill steadily: as many at once as the limit allows, then one whenever its share of the
/// time has passed. Kept as the generic cell rate algorithm does: of a bucket only when it will be full.
/// Source: ITU-T I.371, annex A.
public final class RateLimiter: Sendable {
  public struct Limits: Sendable, Hashable {
    /// 0 = no limit.
    public var perMinute: Int
    public var perHour: Int

    public init(perMinute: Int = 0, perHour: Int = 0) {
      self.perMinute = perMinute
      self.perHour = perHour
    }
  }

  /// Of whom there are buckets.
  public enum Caller: Sendable, Hashable {
    case user(String)
    case key(String)
    case address(String)
    /// All who come while there is no room for buckets of their own.
    case others

    /// What kind it is, for metrics.
    public var kind: String {
      switch self {
      case .user: "user"
      case .key: "key"
      case .address: "address"
      case .others: "others"
      }
    }
  }

  /// What became of a request.
  public struct Verdict: Sendable, Hashable {
    public var isAdmitted: Bool
    /// Whose bucket was the emptiest, how much it holds and how much is left in it.
    public var caller: Caller
    public var limit: Int
    public var remaining: Int
    /// Until that bucket is full again.
    public var reset: Duration
    /// Until one more would be admitted; zero for one that was.
    public var retryAfter: Duration
  }

  /// When the buckets of a caller will be full, in nanoseconds on the clock that never jumps.
  fileprivate struct Buckets {
    var minute: Int64 = 0
    var hour: Int64 = 0
  }

  fileprivate struct State {
    var buckets: [Caller: Buckets] = [:]
    var sweptAt: Int64?
  }

  /// Callers that have buckets of their own; some 100 bytes each.
  static let callersMax = 100_000
  private static let second: Int64 = 1_000_000_000

  private let limits: Limits
  private let time: any TimeSource
  private let state = Mutex(State())

  public init(_ limits: Limits, time: any TimeSource) {
    self.limits = limits
    self.time = time
  }

  /// Takes one from the buckets of all of them, or from none.
  ///
  /// - Returns: `nil` where nothing is limited.
  public func admit(_ callers: [Caller]) -> Verdict? {
    guard limits.perMinute > 0 || limits.perHour > 0, !callers.isEmpty else { return nil }
    let now = Self.nanoseconds(time.elapsed)
    return state.withLock { state in
      let callers = callers.map { state.place(of: $0, at: now) }
      var verdict: Verdict?
      for caller in callers {
        let buckets = state.buckets[caller] ?? Buckets()
        for (full, limit, period) in [
          (buckets.minute, limits.perMinute, 60 * Self.second),
          (buckets.hour, limits.perHour, 3600 * Self.second),
        ] where limit > 0 {
          let one = Self.verdict(caller, full, limit, period, now)
          if verdict.map({ Self.isTighter(one, than: $0) }) ?? true { verdict = one }
        }
      }
      guard verdict?.isAdmitted == true else { return verdict }
      for caller in Set(callers) {
        var buckets = state.buckets[caller] ?? Buckets()
        if limits.perMinute > 0 {
          buckets.minute = max(buckets.minute, now) + 60 * Self.second / Int64(limits.perMinute)
        }
        if limits.perHour > 0 {
          buckets.hour = max(buckets.hour, now) + 3600 * Self.second / Int64(limits.perHour)
        }
        state.buckets[caller] = buckets
      }
      return verdict
    }
  }

  private static func verdict(
    _ caller: Caller, _ full: Int64, _ limit: Int, _ period: Int64, _ now: Int64
  ) -> Verdict {
    let share = period / Int64(limit)
    let next = max(full, now) + share
    let isAdmitted = next - now <= period
    let debt = isAdmitted ? next - now : full - now
    return Verdict(
      isAdmitted: isAdmitted, caller: caller, limit: limit,
      remaining: isAdmitted ? Int((period - debt) / max(share, 1)) : 0, reset: .nanoseconds(debt),
      retryAfter: isAdmitted ? .zero : .nanoseconds(next - now - period))
  }

  /// What keeps longest from the next one says most.
  private static func isTighter(_ one: Verdict, than other: Verdict) -> Bool {
    if one.isAdmitted != other.isAdmitted { return !one.isAdmitted }
    return one.isAdmitted ? one.remaining < other.remaining : one.retryAfter > other.retryAfter
  }

  private static func nanoseconds(_ duration: Duration) -> Int64 {
    let parts = duration.components
    return parts.seconds * second + parts.attoseconds / 1_000_000_000
  }
}

extension RateLimiter.State {
  /// The caller, or ``RateLimiter/Caller/others`` where there is no room for one more.
  fileprivate mutating func place(of caller: RateLimiter.Caller, at now: Int64) -> RateLimiter.Caller {
    guard buckets.count >= RateLimiter.callersMax, buckets[caller] == nil else { return caller }
    // Full buckets are as good as none; looking for them takes a while, so not for each request.
    if sweptAt.map({ now - $0 >= 1_000_000_000 }) ?? true {
      sweptAt = now
      buckets = buckets.filter { $0.value.minute > now || $0.value.hour > now }
    }
    return buckets.count < RateLimiter.callersMax ? caller : .others
  }
}
