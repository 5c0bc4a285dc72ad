// SPDX-License-Identifier: Apache-2.0
import Core
import Metrics
import Synchronization
import Transport

/// One model of one provider, as it has behaved so far: whether it is asked, and when.
final class Upstream: Sendable {
  /// The right to ask once.
  struct Pass: Sendable {
    fileprivate let isProbe: Bool
    /// What the request is thought to take.
    fileprivate let tokens: Int
    fileprivate let booking: MinuteBudget.Booking?
  }

  private struct State {
    var breaker: CircuitBreaker
    var limits = LearnedLimits()
    var hedges = ModelHealth.Hedges()
    /// By what came of a request.
    var timers: [String: Timer] = [:]
  }

  let model: String
  private let provider: String
  /// What the configuration allows the provider; shared by all its models.
  private let budget: ProviderBudget?
  private let state: Mutex<State>

  init(model: String, provider: String, attempts: Int, budget: ProviderBudget?) {
    self.model = model
    self.provider = provider
    self.budget = budget
    state = Mutex(State(breaker: CircuitBreaker(attempts: attempts)))
  }

  /// Waits until the model may be asked.
  ///
  /// - Parameter end: On the clock of `time`; a wait that would go beyond it is not begun.
  /// - Throws: ``ProviderFailure``, or `CancellationError`.
  @inline(never) func enter(tokens: Int, until end: Duration, time: any TimeSource) async throws -> Pass {
    let now = time.elapsed
    try refuseIfOpen(at: now)
    let learned = state.withLock { $0.limits.book(tokens: tokens, at: now, before: end) }
    guard learned < end else { throw ProviderFailure.limited(provider, retryAfter: learned - now) }
    var booking: MinuteBudget.Booking?
    do {
      booking = try budget?.book(tokens: tokens, at: now, before: end).get(provider)
      try await wait(until: max(booking?.at ?? now, learned), end: end, time: time)
      let isProbe = try admit(tokens: tokens, at: time.elapsed)
      if let booking { budget?.start(booking) }
      return Pass(isProbe: isProbe, tokens: tokens, booking: booking)
    } catch {
      state.withLock { $0.limits.cancel(tokens: tokens) }
      if let booking { budget?.cancel(booking) }
      throw error
    }
  }

  /// Takes another place for what was let in, if there is one at once; it never probes a breaker.
  func enterBeside(_ pass: Pass, at now: Duration) -> Pass? {
    var booking: MinuteBudget.Booking?
    if let budget {
      guard case .success(let place) = budget.book(tokens: pass.tokens, at: now, before: now) else {
        return nil
      }
      booking = place
    }
    let isLetIn = state.withLock { state in
      guard state.breaker.state == .closed, state.limits.bookAtOnce(tokens: pass.tokens, at: now) else {
        return false
      }
      state.limits.sent(tokens: pass.tokens)
      return true
    }
    if !isLetIn, let booking { budget?.cancel(booking) }
    return isLetIn ? Pass(isProbe: false, tokens: pass.tokens, booking: booking) : nil
  }

  /// Counts a second request that was made beside another.
  func hedged(hasWon: Bool) {
    state.withLock { state in
      if hasWon { state.hedges.won += 1 } else { state.hedges.lost += 1 }
    }
  }

  /// Measures how long a request took, from when it might be sent.
  func measured(_ outcome: String, _ elapsed: Duration) {
    let timer = state.withLock { state in
      let timer =
        state.timers[outcome]
        ?? Timer(
          label: "perigee_model_request_seconds",
          dimensions: [("provider", provider), ("model", model), ("outcome", outcome)])
      state.timers[outcome] = timer
      return timer
    }
    timer.recordNanoseconds(Int64(elapsed / .nanoseconds(1)))
  }

  private func refuseIfOpen(at now: Duration) throws(ProviderFailure) {
    if let wait = state.withLock({ $0.breaker.refusal(at: now) }) {
      throw .isOpen(provider, retryAfter: wait)
    }
  }

  private func wait(until start: Duration, end: Duration, time: any TimeSource) async throws {
    var start = start
    while true {
      let now = time.elapsed
      // What was promised may have been taken back by a refusal meanwhile.
      start = max(start, now + state.withLock { $0.limits.pause(at: now) })
      guard start > now else { return }
      guard start < end else { throw ProviderFailure.limited(provider, retryAfter: start - now) }
      try await time.sleep(for: start - now)
    }
  }

  private func admit(tokens: Int, at now: Duration) throws(ProviderFailure) -> Bool {
    let admission = state.withLock { state in
      let admission = state.breaker.admit(at: now)
      if case .refused = admission { return admission }
      state.limits.sent(tokens: tokens)
      return admission
    }
    switch admission {
    case .go: return false
    case .goAsProbe: return true
    case .refused(let wait): throw .isOpen(provider, retryAfter: wait)
    }
  }

  /// Takes what the head of a response says about limits.
  func learn(
    _ headers: HTTPHeaders, _ names: RateLimitHeaders.Names, for pass: Pass, time: any TimeSource
  ) {
    guard let headers = RateLimitHeaders(headers, names, now: time.now) else { return }
    let now = time.elapsed
    state.withLock { $0.limits.learn(headers, tokens: pass.tokens, at: now) }
  }

  /// Gives the pass back.
  ///
  /// - Parameter tokens: What the provider counted, where it did.
  /// - Returns: How long the model is left alone from now on; `nil` unless this is what made it so.
  @discardableResult
  func leave(
    _ pass: Pass, _ outcome: CircuitBreaker.Outcome, tokens: Int? = nil, at now: Duration
  ) -> Duration? {
    if let booking = pass.booking, let tokens { budget?.settle(booking, tokens: tokens) }
    return state.withLock { state in
      let before = state.breaker.state
      state.breaker.note(outcome, wasProbe: pass.isProbe, at: now)
      state.limits.ended(tokens: pass.tokens)
      return state.breaker.state == before ? nil : state.breaker.refusal(at: now)
    }
  }

  /// Gives the pass back after a failure.
  ///
  /// - Parameter given: The time that the attempt had; too little of it says nothing about the provider.
  func leave(_ pass: Pass, _ failure: ProviderFailure, given: Duration, at now: Duration) -> Duration? {
    if failure.error.kind == .rateLimited, let wait = failure.serverDelay, wait <= RetryPolicy.serverDelayMax
    {
      state.withLock { $0.limits.refused(for: wait, at: now) }
    }
    return leave(pass, failure.outcome(given: given), at: now)
  }

  func health(at now: Duration) -> ModelHealth {
    let (breaker, hedges) = state.withLock { ($0.breaker, $0.hedges) }
    let state: ModelHealth.State =
      switch breaker.state {
      case .closed: .closed
      case .open: .open
      case .probing: .probing
      }
    return ModelHealth(
      provider: provider, model: model, state: state,
      retryAfterSeconds: breaker.refusal(at: now)?.seconds, hedges: hedges)
  }

  /// Whether nothing would be lost with it.
  func isForgettable(at now: Duration) -> Bool {
    state.withLock { $0.breaker.state == .closed && $0.limits.isIdle(at: now) }
  }
}

extension ProviderFailure {
  /// What the failure says about the provider.
  fileprivate func outcome(given: Duration) -> CircuitBreaker.Outcome {
    switch error.kind {
    // One that limits the rate, or refuses the key, works.
    case .rateLimited, .quotaExceeded, .unauthorized, .notFound, .badRequest: .alive
    case .timeout where error.status == nil && given < Self.fairChance: .unknown
    case .connection, .timeout, .server, .badReply: .failed(retryAfter: serverDelay)
    case .notConfigured, .unavailable, .cassette: .unknown
    }
  }

  /// A run that has less time left than this does not blame the provider.
  private static let fairChance = Duration.seconds(5)

  fileprivate static func isOpen(_ provider: String, retryAfter wait: Duration) -> ProviderFailure {
    ProviderFailure(
      ModelError(
        .unavailable, "the provider \(provider) has failed too often and is left alone for a while",
        retryAfterSeconds: wait.seconds))
  }

  fileprivate static func limited(_ provider: String, retryAfter wait: Duration) -> ProviderFailure {
    ProviderFailure(
      ModelError(
        .rateLimited, "the provider \(provider) is at its limit for longer than this run may take",
        retryAfterSeconds: wait.seconds))
  }
}

extension Result where Success == MinuteBudget.Booking, Failure == MinuteBudget.TooLate {
  fileprivate func get(_ provider: String) throws(ProviderFailure) -> MinuteBudget.Booking {
    switch self {
    case .success(let booking): return booking
    case .failure(let late): throw .limited(provider, retryAfter: late.wait)
    }
  }
}
