// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import Core

@Suite("Budget")
struct BudgetTests {
  private static let price = TokenPrice(inputPerMillion: 1, outputPerMillion: 2)

  private static func call(_ input: Int, _ output: Int?, price: TokenPrice? = price) -> Budget.Call {
    Budget.Call(inputTokens: input, outputTokensMax: output, price: price)
  }

  private static func used(_ tokens: Int) -> Usage { Usage(inputTokens: tokens) }

  @Test("without limits nothing is set aside")
  func unlimited() throws {
    let budget = Budget(.run, limits: SpendingLimits(), parents: [Budget(.session, limits: SpendingLimits())])
    #expect(budget.isUnlimited)
    #expect(try budget.reserve(Self.call(1_000_000, nil, price: nil)) == nil)
  }

  @Test("what is set aside is not there for others, until it is given back")
  func reserves() throws {
    let budget = Budget(.run, limits: SpendingLimits(tokens: 1000))
    let first = try #require(try budget.reserve(Self.call(200, 300)))
    let second = try #require(try budget.reserve(Self.call(200, 300)))
    #expect(throws: Budget.Exhausted.self) { try budget.reserve(Self.call(10, 10)) }
    budget.settle(first, Self.used(250))
    let third = try #require(try budget.reserve(Self.call(100, 150)))
    #expect(third.outputTokensMax == 150)
    budget.settle(second)
    budget.settle(third)
    #expect(try budget.reserve(Self.call(100, 650)) != nil)
  }

  @Test("an answer may be as long as what is left, and one that would be too short is not asked for")
  func bounds() throws {
    let budget = Budget(.run, limits: SpendingLimits(tokens: 1000), spent: Self.used(500))
    let bounded = try #require(try budget.reserve(Self.call(300, nil)))
    #expect(bounded.outputTokensMax == 200)
    budget.settle(bounded, Self.used(480))
    let failure = #expect(throws: Budget.Exhausted.self) { try budget.reserve(Self.call(10, nil)) }
    #expect(failure?.level == .run)
    let roomy = Budget(.run, limits: SpendingLimits(tokens: 100_000))
    #expect(try #require(try roomy.reserve(Self.call(300, nil))).outputTokensMax == nil)
  }

  @Test("money is counted like tokens, and a price that is not known is said")
  func money() throws {
    let budget = Budget(.run, limits: SpendingLimits(costUSD: 0.001))
    let bounded = try #require(try budget.reserve(Self.call(400, nil)))
    // 0.0004 for what goes in leaves 0.0006 for what comes out.
    #expect(bounded.outputTokensMax == 300)
    #expect(throws: Budget.Exhausted.self) { try budget.reserve(Self.call(1, 16)) }
    budget.settle(bounded, Usage(inputTokens: 400, outputTokens: 100, costUSD: 0.0006))
    #expect(try budget.reserve(Self.call(100, 100)) != nil)
    let unknown = #expect(throws: Budget.Exhausted.self) {
      try budget.reserve(Self.call(1, 1, price: nil))
    }
    #expect(unknown?.isPriceUnknown == true)
    #expect(unknown?.failure(at: Timestamp(milliseconds: 0)).message.contains("models.prices") == true)
  }

  @Test("a call that may be asked twice at once sets aside twice what one takes, in tokens and money")
  func copies() throws {
    func call(_ input: Int, _ output: Int?) -> Budget.Call {
      Budget.Call(inputTokens: input, outputTokensMax: output, price: Self.price, copies: 2)
    }
    let tokens = Budget(.run, limits: SpendingLimits(tokens: 1000))
    let held = try #require(try tokens.reserve(call(200, 250)))
    #expect(held.outputTokensMax == 250)
    #expect(throws: Budget.Exhausted.self) { try tokens.reserve(call(40, 50)) }
    // Both of them answered.
    tokens.settle(held, Usage(inputTokens: 400, outputTokens: 500))
    #expect(try #require(try tokens.reserve(call(20, nil))).outputTokensMax == 30)

    let money = Budget(.run, limits: SpendingLimits(costUSD: 0.001))
    // 0.0004 for what goes in twice leaves 0.0006 for two answers.
    #expect(try #require(try money.reserve(call(200, nil))).outputTokensMax == 150)
    #expect(throws: Budget.Exhausted.self) { try money.reserve(call(1, 16)) }
  }

  @Test("a cancelled call counts what it was sent, and what the model says was charged beside it")
  func cancelled() {
    let call = Self.call(100, nil)
    let alone = call.usage(after: CancellationError(), toldBytes: 40)
    #expect(alone == Usage(inputTokens: 100, outputTokens: 10, costUSD: 120e-6, isEstimated: true))
    let charged = ChargedCancellation(usage: Usage(inputTokens: 100, costUSD: 100e-6))
    let both = call.usage(after: charged, toldBytes: 40)
    #expect(both?.inputTokens == 200 && both?.outputTokens == 10)
    #expect(abs((both?.costUSD ?? 0) - 220e-6) < 1e-12)
  }

  @Test("every level above counts too, and a refusal above leaves nothing set aside below")
  func levels() throws {
    let day = Budget(.day(over: Timestamp(milliseconds: 60_000)), limits: SpendingLimits(tokens: 1000))
    let rich = Budget(.run, limits: SpendingLimits(tokens: 100_000), parents: [day])
    let plain = Budget(.run, limits: SpendingLimits(), parents: [day])
    let held = try #require(try rich.reserve(Self.call(100, 800)))
    let refused = #expect(throws: Budget.Exhausted.self) { try plain.reserve(Self.call(90, 200)) }
    let failure = try #require(refused?.failure(at: Timestamp(milliseconds: 15_000)))
    #expect(failure.code == .rateLimited && failure.retryAfterSeconds == 45)
    rich.settle(held, Self.used(500))
    #expect(try #require(try plain.reserve(Self.call(100, 1000))).outputTokensMax == 400)
  }

  @Test(
    "calls at once never set aside more than there is",
    arguments: [SpendingLimits(tokens: 10_000), .init(costUSD: 0.01)])
  func atOnce(limits: SpendingLimits) async throws {
    let session = Budget(.session, limits: limits)
    let runs = (0..<8).map { _ in Budget(.run, limits: SpendingLimits(tokens: 5000), parents: [session]) }
    let total = await withTaskGroup(of: Usage.self) { group in
      for number in 0..<400 {
        let budget = runs[number % runs.count]
        group.addTask {
          guard let held = try? budget.reserve(Self.call(50, 100)) else { return Usage() }
          let output = held.outputTokensMax ?? 100
          let cost = Self.price.cost(inputTokens: 50, outputTokens: output)
          let usage = Usage(inputTokens: 50, outputTokens: output, costUSD: cost)
          // Every third call fails.
          budget.settle(held, number % 3 == 0 ? Usage() : usage)
          return number % 3 == 0 ? Usage() : usage
        }
      }
      return await group.reduce(into: Usage()) { $0 += $1 }
    }
    #expect(total.tokens > 0)
    if let tokens = limits.tokens { #expect(total.tokens <= tokens) }
    if let cost = limits.costUSD { #expect((total.costUSD ?? 0) <= cost * 1.000_001) }
  }
}
