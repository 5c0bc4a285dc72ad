// SPDX-License-Identifier: Apache-2.0

/// Whether a model that keeps failing is asked at all: a value that is told what happened and when.
///
/// Closed, every attempt may go. After too many failures it opens, and attempts fail at once, so that callers go to
/// the next model and the provider is left alone. When its time is over, one attempt goes as a probe and decides.
struct CircuitBreaker: Sendable {
  enum State: Sendable, Hashable {
    case closed
    /// Until then nothing is asked; afterwards the next attempt is the probe.
    case open(until: Duration)
    /// The probe is under way.
    case probing
  }

  enum Admission: Sendable, Hashable {
    case go, goAsProbe
    case refused(retryAfter: Duration)
  }

  /// What an attempt says about the provider.
  enum Outcome: Sendable, Hashable {
    /// It works, even where it said that the request is wrong.
    case alive
    /// It gave an answer.
    case answered
    /// It may recover; `retryAfter` is its own word on when.
    case failed(retryAfter: Duration?)
    /// Nobody waited for the outcome, or it was none of the provider's doing.
    case unknown
  }

  /// Failures in a row that open it.
  let failuresMax: Int
  private(set) var state = State.closed
  private var failures = 0
  /// The last outcomes, one bit each, a failure being 1; the newest is the lowest.
  private var recent: UInt32 = 0
  private var recentCount = 0
  private var lastOutcomeAt = Duration.zero
  private var openings = 0

  /// Outcomes of which half must be failures to open it, when successes stand between them.
  static let windowSize = 20
  /// Outcomes before a silence of this length say nothing any more.
  static let memory = Duration.seconds(60)
  static let openMin = Duration.seconds(1)
  static let openMax = Duration.seconds(60)
  /// What callers are told while the probe is under way: nobody knows better.
  static let probeWait = Duration.seconds(1)

  /// - Parameter attempts: What one call may make: one call alone should not open it.
  init(attempts: Int) { failuresMax = max(5, 2 * attempts) }

  /// Whether an attempt would be refused, without taking the probe's place.
  func refusal(at now: Duration) -> Duration? {
    switch state {
    case .closed: nil
    case .open(let until): until > now ? until - now : nil
    case .probing: Self.probeWait
    }
  }

  mutating func admit(at now: Duration) -> Admission {
    if let wait = refusal(at: now) { return .refused(retryAfter: wait) }
    guard case .open = state else { return .go }
    state = .probing
    return .goAsProbe
  }

  /// Takes the outcome of an attempt that was let through.
  mutating func note(_ outcome: Outcome, wasProbe: Bool, at now: Duration) {
    switch (state, outcome) {
    case (.closed, .answered), (.closed, .failed): count(outcome, at: now)
    case (.probing, .alive), (.probing, .answered):
      // Only the probe decides: what was sent before it opened is old news.
      if wasProbe { close() }
    case (.probing, .failed(let wait)):
      if wasProbe { open(for: wait, at: now) }
    case (.probing, .unknown):
      if wasProbe { state = .open(until: now) }
    case (.open, _), (.closed, _): break
    }
  }

  private mutating func count(_ outcome: Outcome, at now: Duration) {
    if now - lastOutcomeAt > Self.memory { forget() }
    lastOutcomeAt = now
    recent <<= 1
    recentCount = min(recentCount + 1, Self.windowSize)
    guard case .failed(let wait) = outcome else {
      failures = 0
      return
    }
    recent |= 1
    failures += 1
    let share = (recent & (1 << Self.windowSize - 1)).nonzeroBitCount
    if failures >= failuresMax || recentCount == Self.windowSize && share * 2 >= Self.windowSize {
      open(for: wait, at: now)
    }
  }

  private mutating func open(for wait: Duration?, at now: Duration) {
    let growing = Self.openMin * (1 << min(openings, 6))
    openings += 1
    // The provider's own word counts, within reason.
    state = .open(until: now + min(max(growing, wait ?? .zero), Self.openMax))
    forget()
  }

  private mutating func close() {
    state = .closed
    openings = 0
    forget()
  }

  private mutating func forget() {
    failures = 0
    recent = 0
    recentCount = 0
  }
}
