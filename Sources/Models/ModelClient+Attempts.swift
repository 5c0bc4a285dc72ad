// SPDX-License-Identifier: Apache-2.0
import Core
import Logging
import Transport

/// One attempt at one model.
struct Attempt: Sendable {
  fileprivate let upstream: Upstream
  fileprivate let pass: Upstream.Pass
  fileprivate let time: any TimeSource
  fileprivate let limitHeaders: RateLimitHeaders.Names
  /// What is left of the run's time.
  let remaining: Duration
  fileprivate let startedAt: Duration
  /// `nil` where no second request can be made for the same answer.
  private(set) var claim: AnswerClaim?

  var elapsed: Duration { time.elapsed - startedAt }

  /// Takes what the head of the response says about the provider's limits.
  func learn(_ headers: HTTPHeaders) {
    upstream.learn(headers, limitHeaders, for: pass, time: time)
  }

  /// The same attempt as one of two in a race.
  func claiming(_ race: AnswerRace, _ lane: AnswerRace.Lane) -> Attempt {
    var attempt = self
    attempt.claim = AnswerClaim(race, lane)
    return attempt
  }

  /// The right to ask once more beside this one; `nil` when there is no place for it, or no time.
  func another(after elapsed: Duration) -> Attempt? {
    guard remaining > elapsed, let pass = upstream.enterBeside(pass, at: time.elapsed) else { return nil }
    return Attempt(
      upstream: upstream, pass: pass, time: time, limitHeaders: limitHeaders, remaining: remaining - elapsed,
      startedAt: time.elapsed)
  }

  /// Counts that a second request was made.
  func hedged(hasWon: Bool) { upstream.hedged(hasWon: hasWon) }
}

/// What an attempt came to, as far as the provider's health and limits are concerned.
protocol AttemptResult: SendableMetatype {
  /// The provider broke off in the middle.
  var isInterrupted: Bool { get }
  /// As the provider counts them; `nil` = it said nothing.
  var countedTokens: Int? { get }
}

extension ModelClient {
  /// Asks one model after the other until one gives an answer.
  ///
  /// - Throws: ``ModelError``: the first one, but for models that were not even asked; or `CancellationError`.
  func askEach<Answer>(
    of models: [String], within deadline: Duration,
    _ ask: (_ target: Target, _ end: Duration) async throws -> Answer
  ) async throws -> Answer {
    let end = time.elapsed + deadline
    var firstError: ModelError?
    for name in models.isEmpty ? [configuration.defaultModel] : models {
      guard let target = resolve(name) else { continue }
      do {
        return try await ask(target, end)
      } catch let failure as ProviderFailure {
        firstError = firstError.map { $0.more(telling: failure.error) } ?? failure.error
        guard failure.allowsAnotherModel, end > time.elapsed else { break }
      }
    }
    throw firstError ?? ModelError(.notConfigured, "no provider of models is configured")
  }

  /// Asks one model until it answers or its provider's retries are used up.
  ///
  /// - Parameters:
  ///   - tokens: What one attempt is thought to take.
  ///   - body: Asks once; where the provider's requests are hedged, by way of ``hedging(_:of:after:charge:_:)``.
  /// - Throws: ``ProviderFailure``, or `CancellationError`.
  func retrying<Result: AttemptResult>(
    _ target: Target, tokens: Int, until end: Duration, _ body: (Attempt) async throws -> Result
  ) async throws -> Result {
    let upstream = target.provider.upstream(of: target.model, at: time.elapsed)
    var lastFailure: ProviderFailure?
    var number = 1
    while true {
      do {
        return try await attemptOnce(target, upstream, tokens: tokens, until: end, body)
      } catch let failure as ProviderFailure {
        // A breaker that opened between two attempts is no news to who saw it fail.
        if failure.error.kind == .unavailable, let lastFailure { throw lastFailure }
        let delay = RetryPolicy.delay(
          after: failure, attempt: number, retries: target.provider.configuration.retries,
          remaining: end - time.elapsed, jitter: .random(in: 0...1))
        log(failure, model: target.name, attempt: number, delay: delay)
        guard let delay else { throw failure }
        lastFailure = failure
        try await time.sleep(for: delay)
        number += 1
      }
    }
  }

  // Not inlined, as what follows: a frame that waits for a provider keeps no more than it has to.
  @inline(never) private func attemptOnce<Result: AttemptResult>(
    _ target: Target, _ upstream: Upstream, tokens: Int, until end: Duration,
    _ body: (Attempt) async throws -> Result
  ) async throws -> Result {
    guard end > time.elapsed else {
      throw ProviderFailure(ModelError(.timeout, "no time is left to ask \(target.provider.name)"))
    }
    let pass = try await upstream.enter(tokens: tokens, until: end, time: time)
    let attempt = Attempt(
      upstream: upstream, pass: pass, time: time, limitHeaders: target.provider.dialect.limitHeaders,
      remaining: end - time.elapsed, startedAt: time.elapsed)
    // There may be two requests then, and each gives its own pass back.
    if target.provider.hedgeDelay != nil { return try await body(attempt) }
    do {
      let result = try await body(attempt)
      succeed(attempt, result, target)
      return result
    } catch {
      throw fail(attempt, error, target)
    }
  }

  @inline(never) func succeed(
    _ attempt: Attempt, _ result: some AttemptResult, _ target: Target
  ) {
    let pause = attempt.upstream.leave(
      attempt.pass, result.isInterrupted ? .failed(retryAfter: nil) : .answered, tokens: result.countedTokens,
      at: time.elapsed)
    attempt.upstream.measured(result.isInterrupted ? "interrupted" : "ok", attempt.elapsed)
    if let pause { log(pause, of: target) }
  }

  /// - Returns: What to throw: a ``ProviderFailure`` for whatever is the provider's fault.
  @inline(never) func fail(_ attempt: Attempt, _ error: any Error, _ target: Target) -> any Error {
    let failure =
      (error as? TransportError).map { ProviderFailure($0, provider: target.provider) }
      ?? error as? ProviderFailure
    attempt.upstream.measured(failure?.error.kind.rawValue ?? "cancelled", attempt.elapsed)
    guard let failure else {
      attempt.upstream.leave(attempt.pass, .unknown, at: time.elapsed)
      return error
    }
    let pause = attempt.upstream.leave(attempt.pass, failure, given: attempt.remaining, at: time.elapsed)
    if let pause { log(pause, of: target) }
    return failure
  }

  private func log(_ pause: Duration, of target: Target) {
    logger.warning(
      "a model failed too often and is left alone",
      metadata: ["model": "\(target.name)", "seconds": "\(pause.seconds)"])
  }

  /// - Parameter attempt: `nil` when the answer came and is of no use.
  func log(_ failure: ProviderFailure, model: String, attempt: Int?, delay: Duration?) {
    // One that is left alone was reported when it came to that.
    logger.log(
      level: failure.error.kind == .unavailable ? .debug : .warning, "a model gave no answer",
      metadata: [
        "model": "\(model)", "kind": "\(failure.error.kind)",
        "attempt": attempt.map { "\($0)" } ?? "answered",
        "retry_seconds": delay.map { "\($0.seconds)" } ?? "none",
        "diagnostic": "\(failure.error.diagnostic ?? "")",
      ])
  }
}

extension ModelError {
  /// The one of two models' errors that tells more: any, before that a model was not even asked.
  fileprivate func more(telling other: ModelError) -> ModelError {
    guard kind == .unavailable else { return self }
    guard other.kind == .unavailable else { return other }
    return (retryAfterSeconds ?? .infinity) <= (other.retryAfterSeconds ?? .infinity) ? self : other
  }
}
