// SPDX-License-Identifier: Apache-2.0
import Synchronization
import Testing

@testable import Core

@Suite("SessionGate")
struct SessionGateTests {
  private let gate = SessionGate()
  private let key = SessionGate.Key(userID: "u", sessionID: "s")

  private final class Inside: Sendable {
    let state = Mutex((now: 0, most: 0, total: 0))
  }

  @Test("one turn at a time is inside a session, and every one gets in")
  func letsInOneByOne() async throws {
    let inside = Inside()
    try await gate.enter(key, policy: .queue) {}
    try await withThrowingTaskGroup(of: Void.self) { group in
      for _ in 0..<20 {
        group.addTask { [gate, key] in
          try await gate.enter(key, policy: .queue) {}
          inside.state.withLock {
            $0.now += 1
            $0.most = max($0.most, $0.now)
            $0.total += 1
          }
          await Task.yield()
          inside.state.withLock { $0.now -= 1 }
          gate.leave(key)
        }
      }
      gate.leave(key)
      try await group.waitForAll()
    }
    #expect(inside.state.withLock { $0.most } == 1)
    #expect(inside.state.withLock { $0.total } == 20)
    // Nothing is left behind: the session is free.
    try await gate.enter(key, policy: .reject) {}
  }

  @Test("sessions of two users with one name do not wait for each other")
  func separatesUsers() async throws {
    try await gate.enter(key, policy: .queue) {}
    try await gate.enter(SessionGate.Key(userID: "v", sessionID: "s"), policy: .reject) {}
  }

  @Test("a busy session rejects when the agent says so")
  func rejects() async throws {
    try await gate.enter(key, policy: .queue) {}
    let failure = await #expect(throws: Failure.self) { try await gate.enter(key, policy: .reject) {} }
    #expect(failure?.code == .conflict)
  }

  @Test("an interrupting message cancels the turn inside and follows it")
  func interrupts() async throws {
    let cancelled = Inside()
    try await gate.enter(key, policy: .queue) { [gate, key] in
      cancelled.state.withLock { $0.total += 1 }
      gate.leave(key)
    }
    try await gate.enter(key, policy: .interrupt) {}
    #expect(cancelled.state.withLock { $0.total } == 1)
  }

  @Test("a waiting turn that is cancelled leaves the queue")
  func cancelsWaiting() async throws {
    try await gate.enter(key, policy: .queue) {}
    let waiting = Task { [gate, key] in try await gate.enter(key, policy: .queue) {} }
    waiting.cancel()
    await #expect(throws: CancellationError.self) { try await waiting.value }
    gate.leave(key)
    try await gate.enter(key, policy: .reject) {}
  }
}
