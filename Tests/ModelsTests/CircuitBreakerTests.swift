// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import Models

@Suite struct CircuitBreakerTests {
  var breaker = CircuitBreaker(attempts: 1)

  mutating func fail(_ count: Int = 1, at now: Duration = .zero, wait: Duration? = nil) {
    for _ in 0..<count { breaker.note(.failed(retryAfter: wait), wasProbe: false, at: now) }
  }

  @Test("failures in a row open it, one less does not")
  mutating func consecutive() {
    fail(4)
    #expect(breaker.admit(at: .zero) == .go)
    fail()
    #expect(breaker.admit(at: .zero) == .refused(retryAfter: .seconds(1)))
  }

  @Test("an answer in between begins the row anew")
  mutating func interruptedRow() {
    fail(4)
    breaker.note(.answered, wasProbe: false, at: .zero)
    fail(4)
    #expect(breaker.state == .closed)
  }

  @Test("one call alone does not open it, however often it tries", arguments: 1...11)
  func oneCall(attempts: Int) {
    var breaker = CircuitBreaker(attempts: attempts)
    for _ in 0..<attempts { breaker.note(.failed(retryAfter: nil), wasProbe: false, at: .zero) }
    #expect(breaker.state == .closed)
  }

  @Test("half of the last twenty open it, although answers stand between them")
  mutating func rate() {
    for _ in 0..<9 {
      fail()
      breaker.note(.answered, wasProbe: false, at: .zero)
    }
    breaker.note(.answered, wasProbe: false, at: .zero)
    #expect(breaker.state == .closed)
    fail()
    #expect(breaker.admit(at: .zero) == .refused(retryAfter: .seconds(1)))
  }

  @Test("a third of a long run does not")
  mutating func lowRate() {
    for _ in 0..<100 {
      fail()
      breaker.note(.answered, wasProbe: false, at: .zero)
      breaker.note(.answered, wasProbe: false, at: .zero)
    }
    #expect(breaker.state == .closed)
  }

  @Test("what is the request's fault, or nobody's, does not count")
  mutating func neutral() {
    fail(4)
    for _ in 0..<50 {
      breaker.note(.alive, wasProbe: false, at: .zero)
      breaker.note(.unknown, wasProbe: false, at: .zero)
    }
    #expect(breaker.state == .closed)
    fail()
    #expect(breaker.state == .open(until: .seconds(1)))
  }

  @Test("failures before a long silence are forgotten")
  mutating func memory() {
    fail(4)
    fail(4, at: .seconds(61))
    #expect(breaker.state == .closed)
  }

  @Test("when its time is over one probe goes, and no other beside it")
  mutating func probe() {
    fail(5)
    #expect(breaker.admit(at: .milliseconds(999)) == .refused(retryAfter: .milliseconds(1)))
    #expect(breaker.refusal(at: .seconds(1)) == nil)
    #expect(breaker.admit(at: .seconds(1)) == .goAsProbe)
    #expect(breaker.admit(at: .seconds(1)) == .refused(retryAfter: .seconds(1)))
    #expect(breaker.admit(at: .seconds(100)) == .refused(retryAfter: .seconds(1)))
  }

  @Test(
    "a probe that shows life closes it, and the next opening is short again",
    arguments: [CircuitBreaker.Outcome.answered, .alive])
  func recovery(outcome: CircuitBreaker.Outcome) {
    var breaker = CircuitBreaker(attempts: 1)
    for _ in 0..<5 { breaker.note(.failed(retryAfter: nil), wasProbe: false, at: .zero) }
    _ = breaker.admit(at: .seconds(1))
    breaker.note(outcome, wasProbe: true, at: .seconds(2))
    #expect(breaker.admit(at: .seconds(2)) == .go)
    for _ in 0..<5 { breaker.note(.failed(retryAfter: nil), wasProbe: false, at: .seconds(3)) }
    #expect(breaker.state == .open(until: .seconds(4)))
  }

  @Test("each probe that fails doubles the time, up to a minute")
  mutating func growth() {
    fail(5)
    var times: [Duration] = []
    for _ in 0..<9 {
      guard case .open(let until) = breaker.state else { break }
      #expect(breaker.admit(at: until) == .goAsProbe)
      breaker.note(.failed(retryAfter: nil), wasProbe: true, at: until)
      times.append((breaker.refusal(at: until)) ?? .zero)
    }
    #expect(times == [2, 4, 8, 16, 32, 60, 60, 60, 60].map { .seconds($0) })
  }

  @Test("the provider's own word on when to come back counts, up to a minute")
  mutating func providersWord() {
    fail(5, wait: .seconds(20))
    #expect(breaker.state == .open(until: .seconds(20)))
    _ = breaker.admit(at: .seconds(20))
    breaker.note(.failed(retryAfter: .seconds(500)), wasProbe: true, at: .seconds(20))
    #expect(breaker.state == .open(until: .seconds(80)))
  }

  @Test("a probe that was given up lets the next one go at once")
  mutating func abandonedProbe() {
    fail(5)
    _ = breaker.admit(at: .seconds(1))
    breaker.note(.unknown, wasProbe: true, at: .seconds(2))
    #expect(breaker.admit(at: .seconds(2)) == .goAsProbe)
  }

  @Test("what was sent before it opened decides nothing")
  mutating func lateNews() {
    fail(5)
    breaker.note(.answered, wasProbe: false, at: .zero)
    #expect(breaker.state == .open(until: .seconds(1)))
    _ = breaker.admit(at: .seconds(1))
    for outcome in [CircuitBreaker.Outcome.answered, .failed(retryAfter: nil), .alive, .unknown] {
      breaker.note(outcome, wasProbe: false, at: .seconds(1))
      #expect(breaker.state == .probing)
    }
  }
}
