// SPDX-License-Identifier: Apache-2.0
internal import CThreads
import DequeModule
import Dispatch
import Synchronization

/// Runs jobs one after the other on a thread of their own. A job that takes long may lower the priority of its thread;
/// the next one then has a new thread.
public final class SerialThread: Sendable {
  public typealias Job = @Sendable () -> Void

  private struct State {
    var jobs = Deque<Job>()
    var isRunning = false
    var isIdle = false
    var isEnded = false
  }

  /// What the thread has; it does not keep the ``SerialThread``, whose end is its own.
  private final class Work: Sendable {
    let name: String
    let state = Mutex(State())
    // Only the thread of its own waits on it, never one of the pool.
    let wakeUp = DispatchSemaphore(value: 0)
    let isLowered = Atomic(false)

    init(name: String) { self.name = name }
  }

  private let work: Work

  /// - Parameter name: At most 15 bytes.
  public init(name: String) { work = Work(name: name) }

  deinit {
    work.state.withLock { $0.isEnded = true }
    work.wakeUp.signal()
  }

  /// Runs `job` when those before it are done.
  public func async(_ job: @escaping Job) {
    let (isFirst, isIdle) = work.state.withLock { state in
      state.jobs.append(job)
      defer {
        state.isRunning = true
        state.isIdle = false
      }
      return (!state.isRunning, state.isIdle)
    }
    if isFirst { Self.start(work) } else if isIdle { work.wakeUp.signal() }
  }

  /// Lowers the priority of the job that calls this, until its end.
  public func lower() {
    guard !work.isLowered.exchange(true, ordering: .relaxed) else { return }
    cthread_nice(cthread_id(), Niceness.low)
  }

  private static func start(_ work: Work) {
    ThreadStarter.shared.start(work.name) { run(work) }
  }

  private static func run(_ work: Work) {
    while true {
      let job: Job? = work.state.withLock { state in
        if state.jobs.isEmpty { state.isIdle = true }
        return state.jobs.popFirst()
      }
      guard let job else {
        // This thread has nothing else to do: it is not the pool's.
        work.wakeUp.wait()
        if work.state.withLock({ $0.isEnded && $0.jobs.isEmpty }) { return }
        continue
      }
      job()
      if work.isLowered.exchange(false, ordering: .relaxed) { return start(work) }
    }
  }
}
