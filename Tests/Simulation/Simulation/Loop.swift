// SPDX-License-Identifier: Apache-2.0
import CSimulation
import Core
import Dispatch
import Foundation
import Synchronization

/// The one thread on which everything runs that Swift's pool would: what comes next is chosen by a seed.
///
/// The disk answers at once, as far as anybody can tell: while it works, nothing else does.
final class Loop: TaskExecutor {
  static let shared = Loop()

  private enum Work {
    /// For Swift's pool, by its address.
    case pool(UInt)
    /// Of a task that prefers the loop.
    case own(UnownedJob)
  }

  private struct State {
    var ready: [Work] = []
    /// Of them, those that other threads have brought since somebody last looked.
    var arrived: [Work] = []
    var random = SplitMix64(state: 0)
    var elapsed = Duration.zero
    var sleepers: [Sleeper] = []
    var sleeps = 0
    /// Calls of the disk that have not come back, by their numbers.
    var calls: [Int: Call] = [:]
    var callsBegun = 0
  }

  private struct Call {
    /// How much was ready when it began: what lies above was made ready since.
    var mark: Int
    /// It does not come back before jobs of its own were done.
    var needsJobs: Bool
  }

  private struct Sleeper {
    var until: Duration
    var number: Int
    var continuation: UnsafeContinuation<Void, any Error>
  }

  /// The seed of what runs, for who has to say that it hangs.
  var history: UInt64 {
    get { seed.load(ordering: .relaxed) }
    set { seed.store(newValue, ordering: .relaxed) }
  }

  private let seed = Atomic<UInt64>(0)
  private let state = Mutex(State())
  private let arrival = DispatchSemaphore(value: 0)
  private let thread = pthread_self()

  /// Has Swift hand all its jobs over; on the thread that will run them.
  func begin() {
    sim_take_jobs { Loop.shared.take(.pool(UInt(bitPattern: $0))) }
  }

  func enqueue(_ job: consuming ExecutorJob) { take(.own(UnownedJob(job))) }

  private func take(_ work: Work) {
    let isForeign = pthread_equal(pthread_self(), thread) == 0
    state.withLock { if isForeign { $0.arrived.append(work) } else { $0.ready.append(work) } }
    if isForeign { arrival.signal() }
  }

  /// Sets the clock to the beginning of a history.
  func restart(seed: UInt64) {
    state.withLock { $0.elapsed = .zero }
    reset(seed: seed)
  }

  /// Lets go of everything that was to run: its process is gone.
  func reset(seed: UInt64) {
    state.withLock { state in
      state.ready = []
      state.arrived = []
      state.sleepers = []
      state.calls = [:]
      state.random = SplitMix64(state: seed)
    }
  }

  func random(below bound: Int) -> Int { state.withLock { Int($0.random.next() % UInt64(bound)) } }

  var elapsed: Duration { state.withLock(\.elapsed) }

  func sleep(for duration: Duration) async throws {
    let number = state.withLock { state in
      state.sleeps += 1
      return state.sleeps
    }
    try await withTaskCancellationHandler {
      try await withUnsafeThrowingContinuation { (continuation: UnsafeContinuation<Void, any Error>) in
        state.withLock { state in
          state.sleepers.append(
            Sleeper(until: state.elapsed + max(.zero, duration), number: number, continuation: continuation))
        }
        if Task.isCancelled { wake(number) }
      }
    } onCancel: {
      wake(number)
    }
  }

  private func wake(_ number: Int) {
    let sleeper = state.withLock { state in
      state.sleepers.firstIndex { $0.number == number }.map { state.sleepers.remove(at: $0) }
    }
    sleeper?.continuation.resume(throwing: CancellationError())
  }

  /// Says that a call of the disk begins.
  ///
  /// - Parameter needsJobs: It does not come back before jobs of its own were done.
  /// - Returns: Its number, for ``endCall(_:)``.
  func beginCall(needsJobs: Bool) -> Int {
    state.withLock { state in
      state.callsBegun += 1
      state.calls[state.callsBegun] = Call(mark: state.ready.count, needsJobs: needsJobs)
      return state.callsBegun
    }
  }

  /// Says that a call of the disk has come back.
  func endCall(_ number: Int) { state.withLock { $0.calls[number] = nil } }

  /// Runs what there is, in an order of chance, and lets the clock go on where there is nothing.
  ///
  /// - Returns: Whether `isOver` said so; otherwise so many steps were taken, or nothing is left that could happen.
  func run(steps: Int = .max, until isOver: () -> Bool) -> Bool {
    var step = 0
    var isDone = isOver()
    // What the disk was asked for, it does: nobody is there any more who would hear of it later.
    while (!isDone && step < steps) || isCalling {
      // How many jobs a call of the disk takes is not for the seed to say.
      if !isCalling { step += 1 }
      switch nextJob() {
      case .pool(let job): sim_run(UnsafeMutableRawPointer(bitPattern: job)!)
      case .own(let job): job.runSynchronously(on: asUnownedTaskExecutor())
      case nil: if !advance() { return isOver() }
      }
      isDone = isDone || isOver()
    }
    return isDone
  }

  private var isCalling: Bool { state.withLock { !$0.calls.isEmpty } }

  private func nextJob() -> Work? {
    var isLate = false
    while true {
      let (job, waits) = state.withLock { state -> (Work?, Bool) in
        guard let mark = state.calls.values.map(\.mark).min() else {
          state.ready += state.arrived
          state.arrived = []
          guard !state.ready.isEmpty else { return (nil, false) }
          let index = Int(state.random.next() % UInt64(state.ready.count))
          state.ready.swapAt(index, state.ready.count - 1)
          return (state.ready.removeLast(), false)
        }
        // What the disk brings comes first, and what that makes ready.
        if !state.arrived.isEmpty { return (state.arrived.removeFirst(), false) }
        // A call whose task was cancelled may come back by this very thread.
        let isNeeded = isLate || state.calls.values.contains(where: \.needsJobs)
        return isNeeded && state.ready.count > mark ? (state.ready.removeLast(), false) : (nil, true)
      }
      guard waits else { return job }
      isLate = arrival.wait(timeout: .now() + .milliseconds(100)) == .timedOut
    }
  }

  /// - Returns: Whether somebody slept.
  private func advance() -> Bool {
    let sleeper = state.withLock { state -> Sleeper? in
      guard let first = state.sleepers.min(by: { ($0.until, $0.number) < ($1.until, $1.number) }) else {
        return nil
      }
      state.elapsed = max(state.elapsed, first.until)
      state.sleepers.removeAll { $0.number == first.number }
      return first
    }
    sleeper?.continuation.resume()
    return sleeper != nil
  }
}

/// Source: Steele, Lea, Flood: Fast Splittable Pseudorandom Number Generators, 2014.
struct SplitMix64 {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}

/// The clock of the loop, which stands while anybody works.
struct LoopTime: TimeSource {
  var now: Timestamp { Timestamp(milliseconds: 1_800_000_000_000 + Int64(elapsed / .milliseconds(1))) }
  var elapsed: Duration { Loop.shared.elapsed }
  func sleep(for duration: Duration) async throws { try await Loop.shared.sleep(for: duration) }
}
