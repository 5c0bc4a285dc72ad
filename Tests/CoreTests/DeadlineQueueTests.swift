// SPDX-License-Identifier: Apache-2.0
import Synchronization
import Testing

@testable import Core

/// A clock that a test turns by hand.
final class ManualTime: TimeSource {
  private struct State {
    var elapsed = Duration.zero
    var sleepers: [(until: Duration, continuation: CheckedContinuation<Void, Never>)] = []
    var watchers: [CheckedContinuation<Void, Never>] = []
  }

  private let state = Mutex(State())

  var now: Timestamp { Timestamp(milliseconds: Int64(elapsed / .milliseconds(1))) }
  var elapsed: Duration { state.withLock(\.elapsed) }

  func sleep(for duration: Duration) async throws {
    await withCheckedContinuation { continuation in
      let watchers = state.withLock { state in
        state.sleepers.append((state.elapsed + duration, continuation))
        defer { state.watchers = [] }
        return state.watchers
      }
      for watcher in watchers { watcher.resume() }
    }
    try Task.checkCancellation()
  }

  /// Returns as soon as somebody sleeps.
  func someoneSleeps() async {
    await withCheckedContinuation { continuation in
      let isAsleep = state.withLock { state in
        if state.sleepers.isEmpty { state.watchers.append(continuation) }
        return !state.sleepers.isEmpty
      }
      if isAsleep { continuation.resume() }
    }
  }

  func advance(by duration: Duration) {
    let woken = state.withLock { state in
      state.elapsed += duration
      let elapsed = state.elapsed
      let woken = state.sleepers.filter { $0.until <= elapsed }.map(\.continuation)
      state.sleepers.removeAll { $0.until <= elapsed }
      return woken
    }
    for continuation in woken { continuation.resume() }
  }
}

@Suite("DeadlineQueue", .timeLimit(.minutes(5)))
struct DeadlineQueueTests {
  private let time = ManualTime()

  @Test("what is done in time is its own result, and leaves nothing to watch")
  func inTime() async throws {
    let queue = DeadlineQueue(time: time)
    let value = try await queue.withTimeout(.seconds(5), "late") { 7 }
    #expect(value == 7)
    await time.someoneSleeps()
    time.advance(by: DeadlineQueue.tick)
    // The watch has ended: a new deadline starts another.
    let task = Task {
      try await queue.withTimeout(.seconds(1), "late") { try await Task.sleep(for: .seconds(60)) }
    }
    await time.someoneSleeps()
    task.cancel()
    await #expect(throws: CancellationError.self) { try await task.value }
  }

  @Test("what takes too long is cancelled, waited for, and called a timeout")
  func tooLate() async throws {
    let queue = DeadlineQueue(time: time)
    let hasEnded = Flag()
    let task = Task {
      try await queue.withTimeout(.milliseconds(25), "too late") {
        defer { hasEnded.raise() }
        try await Task.sleep(for: .seconds(60))
      }
    }
    for _ in 0..<3 {
      await time.someoneSleeps()
      time.advance(by: DeadlineQueue.tick)
    }
    let failure = await #expect(throws: Failure.self) { try await task.value }
    #expect(failure?.code == .timeout)
    #expect(failure?.message == "too late")
    #expect(hasEnded.isRaised)
  }

  @Test("what is due in one tick comes in the order in which it was scheduled")
  func inOrder() async throws {
    let queue = DeadlineQueue(time: time)
    let order = Mutex<[Int]>([])
    for number in 0..<64 {
      // Each a little later than the one before, all in one tick.
      _ = queue.schedule(after: .microseconds(10 * (number + 1))) { order.withLock { $0.append(number) } }
    }
    await time.someoneSleeps()
    time.advance(by: DeadlineQueue.tick)
    await time.someoneSleeps()
    #expect(order.withLock { $0 } == Array(0..<64))
  }

  @Test("a deadline that was ended no longer passes, one that has passed stays so")
  func settled() async throws {
    let queue = DeadlineQueue(time: time)
    let late = Mutex<[DeadlineQueue.Deadline]>([])
    // The first to come ends the second, as whoever waits for it does.
    let first = queue.start(after: .milliseconds(5)) {
      for other in late.withLock({ $0 }) { queue.end(other) }
    }
    let second = queue.start(after: .milliseconds(5)) { Issue.record("it was ended") }
    late.withLock { $0 = [second] }
    await time.someoneSleeps()
    time.advance(by: DeadlineQueue.tick)
    await time.someoneSleeps()
    queue.end(first)
    #expect(first.isOver)
    #expect(!second.isOver)
  }

  private final class Flag: Sendable {
    private let flag = Atomic<Bool>(false)
    var isRaised: Bool { flag.load(ordering: .relaxed) }
    func raise() { flag.store(true, ordering: .relaxed) }
  }
}
