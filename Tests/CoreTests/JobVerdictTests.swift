// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import Core

@Suite("What becomes of a job that failed")
struct JobVerdictTests {
  private static let now = Timestamp(milliseconds: 1000)

  private static func outcome(
    _ failure: Failure, failures: Int = 1, chance: Double = 1
  ) -> JobEnding.Outcome {
    JobVerdict.outcome(of: failure, failures: failures, attemptsMax: 5, chance: chance, at: now)
  }

  @Test(
    "is tried again where that may help",
    arguments: [
      Failure(.rateLimited, "slow down"), Failure(.timeout, "late"),
      Failure(.internal, "attempt to index nil"),
      Failure(.upstream, "down", retryable: true),
      Failure(Failure.Code(rawValue: "busy"), "later", retryable: true),
    ])
  func again(failure: Failure) {
    #expect(Self.outcome(failure) == .failed(failure, again: Self.now + .seconds(1)))
    #expect(Self.outcome(failure, failures: 5) == .dead(failure))
  }

  @Test(
    "is a dead letter at once where it cannot help",
    arguments: [
      Failure.Code.invalidArguments, .denied, .notFound, .rejected, .cancelled, .upstream,
      Failure.Code(rawValue: "card_declined"),
    ])
  func dead(code: Failure.Code) {
    let failure = Failure(code, "no")
    #expect(Self.outcome(failure) == .dead(failure))
  }

  @Test("waits for anything up to a bound that doubles, and no longer than five minutes")
  func backoff() {
    let failure = Failure(.timeout, "late")
    for (failures, seconds) in [(1, 1), (2, 2), (3, 4), (9, 256), (10, 300), (1000, 300)] {
      #expect(JobVerdict.wait(after: failures, failure, chance: 1) == .seconds(seconds))
      #expect(JobVerdict.wait(after: failures, failure, chance: 0.5) == .seconds(seconds) / 2)
      #expect(JobVerdict.wait(after: failures, failure, chance: 0) == .zero)
    }
  }

  @Test("waits at least as long as the one who refused asks for, within an hour")
  func retryAfter() {
    let failure = Failure(.rateLimited, "slow down", retryAfterSeconds: 20)
    #expect(JobVerdict.wait(after: 1, failure, chance: 0) == .seconds(20))
    #expect(JobVerdict.wait(after: 1, failure, chance: 1) == .seconds(21))
    let endless = Failure(.rateLimited, "slow down", retryAfterSeconds: 1e9)
    #expect(JobVerdict.wait(after: 1, endless, chance: 0) == .seconds(3600))
  }

  @Test("a call's job has one name on every attempt, and others at other places")
  func identifiers() {
    func name(_ call: String, _ site: String, _ action: String) -> String {
      Job.identifier(publishedBy: call, at: site, action: action)
    }
    #expect(name("k", "1", "a") == name("k", "1", "a"))
    #expect(
      Set([name("k", "1", "a"), name("k", "2", "a"), name("l", "1", "a"), name("k", "1", "b")]).count == 4)
  }
}
