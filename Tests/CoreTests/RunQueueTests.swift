// SPDX-License-Identifier: Apache-2.0
import Synchronization
import Testing

@testable import Core

@Suite("RunQueue", .timeLimit(.minutes(1)))
struct RunQueueTests {
  private let time = ManualTime()

  private final class Seen: Sendable {
    let order = Mutex<[Int]>([])
    let inside = Atomic(0)
  }

  private func queue(running: Int, waiting: Int) -> RunQueue {
    RunQueue(
      runningMax: running, waitingMax: waiting, patience: .seconds(10), deadlines: DeadlineQueue(time: time))
  }

  @Test("so many work, so many wait, and one more is told to come back")
  func full() throws {
    let queue = queue(running: 2, waiting: 1)
    #expect(try queue.enter() == nil && queue.enter() == nil)
    #expect(try queue.enter() != nil)
    let failure = #expect(throws: Failure.self) { _ = try queue.enter() }
    #expect(failure?.code == .limit && failure?.retryable == true && failure?.retryAfterSeconds == 1)
    #expect(queue.counts == (2, 1))
  }

  @Test("they get in as others leave, in the order they came, never more than may")
  func order() async throws {
    let queue = queue(running: 1, waiting: 50)
    _ = try queue.enter()
    let places = try (0..<50).compactMap { _ in try queue.enter() }
    let seen = Seen()
    try await withThrowingTaskGroup(of: Void.self) { group in
      for (number, place) in places.enumerated() {
        group.addTask {
          try await queue.wait(in: place)
          #expect(seen.inside.add(1, ordering: .relaxed).newValue == 1)
          seen.order.withLock { $0.append(number) }
          seen.inside.subtract(1, ordering: .relaxed)
          queue.leave()
        }
      }
      queue.leave()
      try await group.waitForAll()
    }
    #expect(seen.order.withLock { $0 } == Array(0..<50))
    #expect(queue.counts == (0, 0))
  }

  @Test("who has waited long enough is told so, and leaves room")
  func patience() async throws {
    let queue = queue(running: 1, waiting: 1)
    _ = try queue.enter()
    let place = try #require(try queue.enter())
    let task = Task { try await queue.wait(in: place) }
    while queue.counts.waiting > 0 {
      time.advance(by: .seconds(1))
      await Task.yield()
    }
    let failure = await #expect(throws: Failure.self) { try await task.value }
    #expect(failure?.code == .limit)
    #expect(try queue.enter() != nil)
    queue.leave()
    #expect(queue.counts == (1, 0))
  }

  @Test("a cancelled wait leaves room, whether it had begun or not")
  func cancelled() async throws {
    let queue = queue(running: 1, waiting: 1)
    _ = try queue.enter()
    for _ in 0..<100 {
      let place = try #require(try queue.enter())
      let task = Task { try await queue.wait(in: place) }
      if Bool.random() { await Task.yield() }
      task.cancel()
      await #expect(throws: CancellationError.self) { try await task.value }
      #expect(queue.counts == (1, 0))
    }
  }

  @Test("whoever comes in though it is full makes others wait longer")
  func reentered() throws {
    let queue = queue(running: 1, waiting: 1)
    _ = try queue.enter()
    queue.reenter()
    _ = try queue.enter()
    queue.leave()
    #expect(queue.counts == (1, 1))
    queue.leave()
    #expect(queue.counts == (1, 0))
  }
}
