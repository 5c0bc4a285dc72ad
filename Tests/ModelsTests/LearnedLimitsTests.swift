// SPDX-License-Identifier: Apache-2.0
import Core
import Testing
import Transport

@testable import Models

@Suite struct LearnedLimitsTests {
  static let now = Timestamp(milliseconds: 1_795_253_400_000)

  static func headers(
    _ fields: [String: String], _ names: RateLimitHeaders.Names = .openAI
  ) -> RateLimitHeaders? {
    RateLimitHeaders(HTTPHeaders(fields.map { (name: $0.key, value: $0.value) }), names, now: now)
  }

  static func requests(_ remaining: Int, of limit: Int = 10, reset: String = "6s") -> RateLimitHeaders? {
    headers([
      "x-ratelimit-limit-requests": "\(limit)", "x-ratelimit-remaining-requests": "\(remaining)",
      "X-RateLimit-Reset-Requests": reset,
    ])
  }

  static func book(_ limits: inout LearnedLimits, tokens: Int = 1, at now: Double) -> Double {
    limits.book(tokens: tokens, at: .seconds(now), before: .seconds(10_000)) / .seconds(1)
  }

  @Test(
    "times until a reset are durations of several forms",
    arguments: [
      ("12ms", 0.012), ("1s", 1), ("6m0s", 360), ("1h2m3.5s", 3723.5), ("7.66s", 7.66), ("30", 30), ("0", 0),
      ("1d", 86_400),
    ])
  func durations(text: String, seconds: Double) {
    #expect(Duration(rateLimitReset: text) == .seconds(seconds))
  }

  @Test("what is no duration is none", arguments: ["", "s", "soon", "-1s", "1x", "1s2", "1795253400", "nan"])
  func noDurations(text: String) { #expect(Duration(rateLimitReset: text) == nil) }

  @Test("headers are read in both forms")
  func forms() {
    let openAI = Self.headers([
      "x-ratelimit-limit-tokens": "1000", "x-ratelimit-remaining-tokens": "10",
      "x-ratelimit-reset-tokens": "6m0s",
    ])
    #expect(openAI?.tokens == .init(limit: 1000, remaining: 10, reset: .seconds(360)))
    let anthropic = Self.headers(
      [
        "anthropic-ratelimit-requests-limit": "50", "anthropic-ratelimit-requests-remaining": "0",
        "anthropic-ratelimit-requests-reset": "2026-11-21T09:30:07Z",
      ], .anthropic)
    #expect(anthropic?.requests == .init(limit: 50, remaining: 0, reset: .seconds(7)))
  }

  @Test(
    "what says nothing is passed over",
    arguments: [
      [:], ["x-ratelimit-remaining-requests": "-1"], ["x-ratelimit-remaining-requests": "0"],
      ["x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "0"],
      ["x-ratelimit-remaining-requests": "many", "x-ratelimit-reset-requests": "1s"],
      ["x-ratelimit-limit-requests": "-1", "x-ratelimit-remaining-requests": "-1"],
    ] as [[String: String]])
  func nothing(fields: [String: String]) { #expect(Self.headers(fields) == nil) }

  @Test("nothing is waited for before anything is known")
  func unknown() {
    var limits = LearnedLimits()
    for _ in 0..<1000 { #expect(Self.book(&limits, tokens: 1_000_000, at: 5) == 5) }
  }

  @Test("what is left goes at once, the rest when there is room again, a limit's worth at a time")
  func window() throws {
    var limits = LearnedLimits()
    limits.sent(tokens: 1)
    limits.learn(try #require(Self.requests(2, of: 3)), tokens: 1, at: .seconds(10))
    limits.ended(tokens: 1)
    #expect((1...9).map { _ in Self.book(&limits, at: 10) } == [10, 10, 16, 16, 16, 22, 22, 22, 28])
  }

  @Test("what is on its way counts as used, although the provider may not have seen it")
  func inFlight() throws {
    var limits = LearnedLimits()
    for _ in 0..<3 { limits.sent(tokens: 1) }
    limits.learn(try #require(Self.requests(3)), tokens: 1, at: .zero)
    #expect((1...2).map { _ in Self.book(&limits, at: 0) } == [0, 6])
  }

  @Test("the later of requests and tokens decides")
  func larger() throws {
    var limits = LearnedLimits()
    let said = try #require(
      Self.headers([
        "x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "2s",
        "x-ratelimit-remaining-tokens": "50", "x-ratelimit-limit-tokens": "1000",
        "x-ratelimit-reset-tokens": "9s",
      ]))
    limits.sent(tokens: 1)
    limits.learn(said, tokens: 1, at: .zero)
    limits.ended(tokens: 1)
    var copy = limits
    #expect(Self.book(&copy, tokens: 50, at: 0) == 2)
    #expect(Self.book(&limits, tokens: 51, at: 0) == 9)
  }

  @Test("a place that would come too late is not taken")
  func tooLate() throws {
    var limits = LearnedLimits()
    limits.sent(tokens: 1)
    limits.learn(try #require(Self.requests(0, of: 1)), tokens: 1, at: .zero)
    limits.ended(tokens: 1)
    #expect(limits.book(tokens: 1, at: .zero, before: .seconds(5)) == .seconds(6))
    #expect(Self.book(&limits, at: 0) == 6)
  }

  @Test("after a refusal nobody asks before its time is over")
  func pause() {
    var limits = LearnedLimits()
    limits.refused(for: .seconds(3), at: .seconds(1))
    limits.refused(for: .seconds(1), at: .seconds(1))
    #expect(Self.book(&limits, at: 2) == 4)
    #expect(limits.pause(at: .seconds(2)) == .seconds(2))
    #expect(Self.book(&limits, at: 4) == 4)
  }
}
