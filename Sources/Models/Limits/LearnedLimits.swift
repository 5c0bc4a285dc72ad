// SPDX-License-Identifier: Apache-2.0

/// What a provider has said about its limits on a model, and what is promised on the strength of it.
///
/// Knows nothing until the first response with such headers; then whoever would be refused waits for the time at
/// which the provider said there would be room, and what waits longest goes first.
struct LearnedLimits: Sendable {
  /// A count that starts anew at known times.
  private struct Window: Sendable {
    var limit: Int?
    /// Of the period that begins at `start`, which is ahead of now while somebody waits for it.
    var remaining: Int
    var start: Duration
    var end: Duration

    /// Gives the time at which there is room; an amount beyond the limit gets a period of its own.
    mutating func book(_ amount: Int, at now: Duration) -> Duration {
      let amount = min(amount, limit ?? amount)
      let period = end - start
      if end <= now { startPeriod(at: now, lasting: period) }
      if remaining < amount { startPeriod(at: end, lasting: period) }
      remaining -= amount
      return max(start, now)
    }

    private mutating func startPeriod(at time: Duration, lasting period: Duration) {
      start = time
      end = time + period
      // Without a known limit, what comes next is anybody's guess.
      remaining = limit ?? .max / 2
    }
  }

  private var requests: Window?
  private var tokens: Window?
  /// After a refusal nobody asks before this.
  private var pausedUntil = Duration.zero
  /// Sent and not answered yet: the provider's count may not have them.
  private var inFlight = 0
  private var tokensInFlight = 0

  /// Gives the time at which a request of so many tokens may go; now when nothing is known.
  ///
  /// - Parameter end: The room is promised only when the time is before this.
  mutating func book(tokens amount: Int, at now: Duration, before end: Duration) -> Duration {
    if requests == nil, tokens == nil { return max(now, pausedUntil) }
    var booked = self
    var time = max(now, pausedUntil)
    if let at = booked.requests?.book(1, at: now) { time = max(time, at) }
    if let at = booked.tokens?.book(amount, at: now) { time = max(time, at) }
    if time < end { self = booked }
    return time
  }

  /// Takes the room for a request that does not wait; false when there is none now.
  mutating func bookAtOnce(tokens amount: Int, at now: Duration) -> Bool {
    book(tokens: amount, at: now, before: now + .nanoseconds(1)) <= now
  }

  /// Gives back what was promised to a request that is not sent after all.
  mutating func cancel(tokens amount: Int) {
    requests?.remaining += 1
    tokens?.remaining += amount
  }

  /// How long a request whose time has come has to wait nevertheless: a refusal came in between.
  func pause(at now: Duration) -> Duration { max(.zero, pausedUntil - now) }

  mutating func sent(tokens amount: Int) {
    inFlight += 1
    tokensInFlight += amount
  }

  /// A sent request has its answer, or will have none.
  mutating func ended(tokens amount: Int) {
    inFlight -= 1
    tokensInFlight -= amount
  }

  /// Takes what the response to a request of so many tokens says; the request counts as sent still.
  mutating func learn(_ headers: RateLimitHeaders, tokens amount: Int, at now: Duration) {
    Self.learn(headers.requests, inFlight: inFlight - 1, into: &requests, at: now)
    Self.learn(headers.tokens, inFlight: tokensInFlight - amount, into: &tokens, at: now)
  }

  private static func learn(
    _ said: RateLimitHeaders.Window?, inFlight: Int, into window: inout Window?, at now: Duration
  ) {
    guard let said else { return }
    // Promises for a later period stand; the present one is spent for us whatever is said of it.
    if let window, window.start > now { return }
    window = Window(
      limit: said.limit, remaining: max(0, said.remaining - max(0, inFlight)), start: now,
      end: now + said.reset)
  }

  /// Whether nothing is under way and nothing is known any more.
  func isIdle(at now: Duration) -> Bool {
    inFlight == 0 && pausedUntil <= now && [requests, tokens].allSatisfy { ($0?.end ?? now) <= now }
  }

  /// The provider refused for so long.
  mutating func refused(for wait: Duration, at now: Duration) { pausedUntil = max(pausedUntil, now + wait) }
}
