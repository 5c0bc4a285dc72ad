// SPDX-License-Identifier: Apache-2.0
import Synchronization

/// Tokens and money that models may take: in a run, a session, a user's day.
///
/// A call reserves what it may take at every level before it is made, and settles what it took after it, so that calls
/// beside each other cannot spend the same money.
final class Budget: Sendable {
  /// Whose budget it is.
  enum Level: Sendable, Hashable {
    case run, session
    /// `over` is when the next one begins.
    case day(over: Timestamp)
  }

  /// What a call may take.
  struct Call: Sendable {
    var inputTokens: Int
    /// `nil` = the provider's own limit.
    var outputTokensMax: Int?
    /// `nil` = unknown.
    var price: TokenPrice?
    /// Requests that may be under way for it at once, each of which may be charged.
    var copies = 1

    fileprivate func all(_ tokens: Int) -> Int {
      let (sum, overflow) = tokens.multipliedReportingOverflow(by: copies)
      return overflow ? .max : sum
    }
  }

  /// What a call holds until it is settled.
  struct Reservation: Sendable {
    /// Tokens that the answer may have, where the budget allows less than the caller.
    let outputTokensMax: Int?
    fileprivate let tokens: Int
    fileprivate let costUSD: Double
  }

  /// A level that has nothing left.
  struct Exhausted: Error, Sendable {
    let level: Level
    /// Nothing can be said of what is left.
    var isPriceUnknown = false

    func failure(at now: Timestamp) -> Failure {
      // An unknown price is not zero: a limit of cost without one could never hold.
      if isPriceUnknown {
        return Failure(.limit, "there is a limit of cost, but the model has no price (models.prices)")
      }
      switch level {
      case .run: return Failure(.limit, "the run has used up its tokens or its cost")
      case .session:
        return Failure(.limit, "the session has used up its tokens or its cost; begin another one")
      case .day(let over):
        return Failure(
          .rateLimited, "the tokens or the cost of this day are used up", retryable: true,
          retryAfterSeconds: Double(over.milliseconds - now.milliseconds) / 1000)
      }
    }
  }

  /// What is set aside for an answer whose length nobody limits.
  static let outputTokensAssumed = 4096
  /// An answer that may not have as many is not asked for.
  static let outputTokensMin = 16

  private struct State {
    var spent: Usage
    var reservedTokens = 0
    var reservedCostUSD = 0.0
  }

  private let level: Level
  private let limits: SpendingLimits
  /// The level above: a run's session and day, or the run that called it.
  private let parents: [Budget]
  /// Without a limit anywhere nothing is counted here: that is most turns.
  let isUnlimited: Bool
  private let state: Mutex<State>

  init(_ level: Level, limits: SpendingLimits, spent: Usage = Usage(), parents: [Budget] = []) {
    self.level = level
    self.limits = limits
    self.parents = parents.filter { !$0.isUnlimited }
    isUnlimited = limits.isNone && self.parents.isEmpty
    state = Mutex(State(spent: spent))
  }

  /// Sets aside what a call may take, at every level or at none.
  ///
  /// - Returns: `nil` without limits.
  /// - Throws: ``Exhausted``.
  func reserve(_ call: Call) throws(Exhausted) -> Reservation? {
    if isUnlimited { return nil }
    let wanted = call.outputTokensMax ?? Self.outputTokensAssumed
    var output = wanted
    while true {
      output = min(output, try outputTokens(left: call))
      let reservation = Reservation(
        outputTokensMax: output < wanted ? output : call.outputTokensMax,
        tokens: call.all(call.inputTokens.addingSaturated(output)),
        costUSD: call.price?.cost(inputTokens: call.all(call.inputTokens), outputTokens: call.all(output))
          ?? 0)
      // Another call may have come between: then there is less, and the next look sees it.
      if take(reservation) { return reservation }
    }
  }

  /// Gives a reservation back for what the call took; for nothing when it failed.
  func settle(_ reservation: Reservation?, _ usage: Usage = Usage()) {
    guard let reservation else { return }
    give(back: reservation, spending: usage)
  }

  /// Counts what was spent in an earlier life of a run, whose reservation went with that.
  func count(_ usage: Usage) {
    guard !isUnlimited else { return }
    state.withLock { $0.spent += usage }
    for parent in parents { parent.count(usage) }
  }

  /// Tokens that an answer may have.
  private func outputTokens(left call: Call) throws(Exhausted) -> Int {
    var left = try state.withLock { state throws(Exhausted) in try outputTokens(left: call, state) }
    for parent in parents { left = min(left, try parent.outputTokens(left: call)) }
    return left
  }

  private func outputTokens(left call: Call, _ state: State) throws(Exhausted) -> Int {
    var left = Int.max
    if let tokens = limits.tokens {
      let used = state.spent.tokens.addingSaturated(state.reservedTokens).addingSaturated(
        call.all(call.inputTokens))
      left = (tokens - min(tokens, used)) / call.copies
    }
    if let costUSD = limits.costUSD {
      guard let price = call.price else { throw Exhausted(level: level, isPriceUnknown: true) }
      let money =
        costUSD - (state.spent.costUSD ?? 0) - state.reservedCostUSD
        - price.cost(inputTokens: call.all(call.inputTokens), outputTokens: 0)
      if money <= 0 {
        left = 0
      } else if price.outputPerMillion > 0 {
        let tokens = money / (price.outputPerMillion * Double(call.copies)) * 1_000_000
        left = min(left, Int(min(tokens, 1e15)))
      }
    }
    guard left >= Self.outputTokensMin else { throw Exhausted(level: level) }
    return left
  }

  private func take(_ reservation: Reservation) -> Bool {
    let isTaken = state.withLock { state in
      if let tokens = limits.tokens,
        state.spent.tokens.addingSaturated(state.reservedTokens).addingSaturated(reservation.tokens) > tokens
      {
        return false
      }
      // Room for what dividing and multiplying again loses.
      if let costUSD = limits.costUSD,
        (state.spent.costUSD ?? 0) + state.reservedCostUSD + reservation.costUSD > costUSD * (1 + 1e-9)
      {
        return false
      }
      state.reservedTokens += reservation.tokens
      state.reservedCostUSD += reservation.costUSD
      return true
    }
    guard isTaken else { return false }
    for (index, parent) in parents.enumerated() where !parent.take(reservation) {
      for taken in parents[..<index] { taken.give(back: reservation, spending: Usage()) }
      giveOwn(back: reservation, spending: Usage())
      return false
    }
    return true
  }

  private func give(back reservation: Reservation, spending usage: Usage) {
    giveOwn(back: reservation, spending: usage)
    for parent in parents { parent.give(back: reservation, spending: usage) }
  }

  private func giveOwn(back reservation: Reservation, spending usage: Usage) {
    state.withLock { state in
      state.reservedTokens -= reservation.tokens
      state.reservedCostUSD = max(0, state.reservedCostUSD - reservation.costUSD)
      state.spent += usage
    }
  }
}

/// How many tokens and how much money models may take.
public struct SpendingLimits: Sendable, Hashable {
  /// In and out together; `nil` = no limit.
  public var tokens: Int?
  public var costUSD: Double?

  public init(tokens: Int? = nil, costUSD: Double? = nil) {
    self.tokens = tokens
    self.costUSD = costUSD
  }

  var isNone: Bool { tokens == nil && costUSD == nil }
}

extension Budget.Call {
  /// What a call that failed has taken: what the model's error says; of a cancelled one what was sent and said, which is
  /// billed whoever left.
  ///
  /// - Parameter toldBytes: Of an answer that had come before.
  /// - Returns: `nil` = nothing.
  func usage(after error: any Error, toldBytes: Int = 0) -> Usage? {
    if let error = error as? ModelError { return error.usage }
    let charged = (error as? ChargedCancellation)?.usage
    guard charged != nil || error is CancellationError else { return nil }
    let output = Usage.estimatedTokens(bytes: toldBytes)
    var usage = Usage(
      inputTokens: inputTokens, outputTokens: output,
      costUSD: price?.cost(inputTokens: inputTokens, outputTokens: output), isEstimated: true)
    if let charged { usage += charged }
    return usage
  }
}
