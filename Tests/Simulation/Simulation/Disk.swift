// SPDX-License-Identifier: Apache-2.0
import Core
import Dispatch
import JSONCodec
import Synchronization

/// What stands between a process and its files: it fails by chance, before anything was written.
final class Disk: Sendable {
  private let failsOneIn: Int
  private let faults = Atomic<Int>(0)
  private let isSound = Atomic<Bool>(false)
  private let hasRung = Atomic<Bool>(false)
  /// Rings on the loop when the database's own has rung on a thread of its own, which would wake the tasks of a process
  /// that is gone.
  let jobBell = Bell()

  /// - Parameter failsOneIn: Of so many calls one fails; 0 = none.
  init(failsOneIn: Int) { self.failsOneIn = failsOneIn }

  /// How many calls have failed.
  var failures: Int { faults.load(ordering: .relaxed) }

  /// From here on nothing fails.
  func mend() { isSound.store(true, ordering: .relaxed) }

  private var fails: Bool {
    guard failsOneIn > 0, !isSound.load(ordering: .relaxed), Loop.shared.random(below: failsOneIn) == 0 else {
      return false
    }
    faults.add(1, ordering: .relaxed)
    return true
  }

  private static let failure = Failure(.internal, "the disk failed", retryable: false)

  /// Says that there are jobs, from wherever.
  func rung() { hasRung.store(true, ordering: .sequentiallyConsistent) }

  private func passOn() {
    if hasRung.exchange(false, ordering: .sequentiallyConsistent) { jobBell.ring() }
  }

  /// Makes a call, a while after it was asked for, and comes back a while after it was made.
  func perform<Value: Sendable>(_ call: () async throws -> Value) async throws -> Value {
    await pause()
    if fails { throw Self.failure }
    let value = try await end(call)
    await pause()
    return value
  }

  /// Makes a call at once that does not fail.
  func end<Value: Sendable>(
    needsJobs: Bool = false, _ call: () async throws -> Value
  ) async throws -> Value {
    let number = Loop.shared.beginCall(needsJobs: needsJobs)
    defer {
      Loop.shared.endCall(number)
      passOn()
    }
    return try await call()
  }

  /// Makes a call whose caller does not wait for it.
  func write(
    _ done: @escaping @Sendable (Failure?) -> Void, _ call: (@escaping @Sendable (Failure?) -> Void) -> Void
  ) {
    if fails { return done(Self.failure) }
    let isDone = DispatchSemaphore(value: 0)
    let outcome = Mutex<Failure?>(nil)
    call { failure in
      outcome.withLock { $0 = failure }
      isDone.signal()
    }
    isDone.wait()
    passOn()
    done(outcome.withLock { $0 })
  }

  private func pause() async {
    for _ in 0..<Loop.shared.random(below: 3) { await Task.yield() }
  }
}

/// Small values on the same disk.
struct FailingKeyValueStore: KeyValueStore {
  let base: any KeyValueStore
  let disk: Disk

  func get(scope: KeyValueScope, key: String) async throws -> RawJSON? {
    try await disk.perform { try await base.get(scope: scope, key: key) }
  }
  func set(scope: KeyValueScope, key: String, value: RawJSON, ttl: Duration?) async throws {
    try await disk.perform { try await base.set(scope: scope, key: key, value: value, ttl: ttl) }
  }
  func delete(scope: KeyValueScope, key: String) async throws -> Bool {
    try await disk.perform { try await base.delete(scope: scope, key: key) }
  }
  func increment(scope: KeyValueScope, key: String, by amount: Int64, ttl: Duration?) async throws -> Int64 {
    try await increment(scope: scope, key: key, by: amount, ttl: ttl) { _ in }
  }

  /// - Parameter witness: Told of the sum as soon as it is written, whether or not the caller lives to hear of it.
  func increment(
    scope: KeyValueScope, key: String, by amount: Int64, ttl: Duration?, witness: (Int64) -> Void
  ) async throws -> Int64 {
    try await disk.perform {
      let sum = try await base.increment(scope: scope, key: key, by: amount, ttl: ttl)
      witness(sum)
      return sum
    }
  }
}
