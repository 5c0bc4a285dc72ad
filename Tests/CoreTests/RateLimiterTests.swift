// SPDX-License-Identifier: Apache-2.0
import Synchronization
import Testing

@testable import Core

@Suite("Rate limiter")
struct RateLimiterTests {
  private final class Clock: TimeSource {
    private let moment = Mutex<Duration>(.seconds(1_000_000))
    var now: Timestamp { Timestamp(milliseconds: 0) }
    var elapsed: Duration { moment.withLock { $0 } }
    func sleep(for duration: Duration) async throws { throw CancellationError() }
    func advance(_ duration: Duration) { moment.withLock { $0 += duration } }
  }

  private let clock = Clock()

  private func limiter(minute: Int = 0, hour: Int = 0) -> RateLimiter {
    RateLimiter(RateLimiter.Limits(perMinute: minute, perHour: hour), time: clock)
  }

  /// How many of so many are admitted.
  private func admitted(_ count: Int, _ limiter: RateLimiter, _ callers: RateLimiter.Caller...) -> Int {
    (0..<count).count { _ in limiter.admit(callers)?.isAdmitted ?? true }
  }

  @Test("as many at once as the limit says, and not one more", arguments: [1, 2, 7, 60, 97, 1000])
  func burst(limit: Int) {
    #expect(admitted(limit + 50, limiter(minute: limit), .user("a")) == limit)
    #expect(admitted(limit + 50, limiter(hour: limit), .user("a")) == limit)
  }

  @Test("of a thousand at once from many threads exactly as many as the limit says")
  func concurrent() async {
    let limiter = limiter(minute: 60, hour: 100)
    let count = await withTaskGroup(of: Bool.self) { group in
      for index in 0..<1000 {
        group.addTask { limiter.admit([.user("a"), .address("\(index % 3)")])?.isAdmitted == true }
      }
      return await group.reduce(0) { $0 + ($1 ? 1 : 0) }
    }
    #expect(count == 60)
  }

  @Test("one more whenever its share of the time has passed, and what is told is true")
  func refill() throws {
    let limiter = limiter(minute: 60)
    #expect(admitted(100, limiter, .user("a")) == 60)
    let refused = try #require(limiter.admit([.user("a")]))
    #expect(!refused.isAdmitted && refused.remaining == 0 && refused.retryAfter == .seconds(1))
    #expect(refused.limit == 60 && refused.reset == .seconds(60))
    clock.advance(refused.retryAfter - .nanoseconds(1))
    #expect(limiter.admit([.user("a")])?.isAdmitted == false)
    clock.advance(.nanoseconds(1))
    #expect(admitted(5, limiter, .user("a")) == 1)
    clock.advance(.seconds(10))
    let next = try #require(limiter.admit([.user("a")]))
    #expect(next.isAdmitted && next.remaining == 9 && next.reset == .seconds(51))
    clock.advance(.seconds(3600))
    #expect(admitted(100, limiter, .user("a")) == 60)
  }

  @Test("the hour's limit counts beside the minute's")
  func hour() throws {
    let limiter = limiter(minute: 10, hour: 25)
    var count = 0
    for _ in 0..<6 {
      count += admitted(20, limiter, .user("a"))
      clock.advance(.seconds(60))
    }
    // 25, and what six minutes of an hour bring.
    #expect(count == 27)
    let verdict = try #require(limiter.admit([.user("a")]))
    #expect(!verdict.isAdmitted || verdict.limit == 25)
  }

  @Test("each has buckets of its own, and what one of them refuses is taken from none")
  func callers() {
    let limiter = limiter(minute: 5)
    #expect(admitted(9, limiter, .user("a"), .address("x")) == 5)
    // Another user at that address has to wait for it, and keeps what is theirs.
    #expect(admitted(9, limiter, .user("b"), .address("x")) == 0)
    #expect(admitted(9, limiter, .user("b"), .address("y")) == 5)
    #expect(admitted(9, limiter, .key("b")) == 5)
    #expect(RateLimiter(RateLimiter.Limits(), time: clock).admit([.user("a")]) == nil)
  }

  @Test("a flood of callers takes no more room than there is, and limits those that come then together")
  func flood() {
    let limiter = limiter(minute: 5)
    for index in 0..<RateLimiter.callersMax { _ = limiter.admit([.address("\(index)")]) }
    #expect(admitted(9, limiter, .address("new")) == 5)
    #expect(admitted(9, limiter, .address("newer")) == 0)
    // Those that were there before keep theirs.
    #expect(admitted(9, limiter, .address("0")) == 4)
    clock.advance(.seconds(61))
    #expect(admitted(9, limiter, .address("newest")) == 5)
    #expect(admitted(9, limiter, .address("later")) == 5)
  }
}
