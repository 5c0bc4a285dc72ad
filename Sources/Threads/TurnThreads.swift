// SPDX-License-Identifier: Apache-2.0
internal import CThreads
import DequeModule
import Dispatch
import Glibc
import Synchronization

/// Threads on which lines take turns: for each rank as many at work as there are processors.
///
/// Most of a script can pause; the match of a pattern or a call of the host cannot. A thread that is held by one job
/// for some milliseconds gets a stand-in and leaves when the job is done: meanwhile the others share the processors
/// with it by the kernel's clock and need not wait for its end.
public final class TurnThreads: TaskExecutor {
  /// Those of the process; they live as long as it.
  public static let shared = TurnThreads(width: max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN))))

  /// Between two looks at the threads while lines wait.
  private static let look = DispatchTimeInterval.milliseconds(2)
  /// Processor time in one job from which on a thread is held.
  private static let heldNanoseconds: Int64 = 1_500_000
  /// Threads of a rank, those that are held included.
  private static let threadsMax = 64

  private final class Worker: Sendable {
    let rank: TurnLine.Rank
    // Only the worker's own thread waits on it, never one of Swift's pool.
    let wakeUp = DispatchSemaphore(value: 0)
    /// The kernel's number, 0 until it has begun.
    let thread = Atomic<Int32>(0)
    // SAFETY: read and written under the lock of the threads only.
    nonisolated(unsafe) var progress = Progress()

    init(_ rank: TurnLine.Rank) { self.rank = rank }
  }

  private struct Progress {
    var jobs: UInt64 = 0
    var isHeld = false
    /// When its job was seen for the first time.
    var seen: (jobs: UInt64, cpu: Int64) = (0, 0)
  }

  private enum Entry {
    /// One that has jobs.
    case line(TurnLine)
    case job(UnownedJob)
  }

  private struct Group {
    var queue = Deque<Entry>()
    /// Those that are not held.
    var workers: [Worker] = []
    /// Those with nothing to do; the one that was busy last is last.
    var idle: [Worker] = []
    /// One has been woken and has not begun: it wakes the next when there is more to do.
    var isWaking = false
    var held = 0
  }

  private struct State {
    var groups = TurnLine.Rank.allCases.map { _ in Group() }
    var isWatched = false
  }

  private let width: Int
  private let state = Mutex(State())
  // Only the watching thread waits on it.
  private let watch = DispatchSemaphore(value: 0)

  /// - Parameter width: Threads of a rank that work at once, those that are held not counted.
  private init(width: Int) {
    self.width = width
    state.withLock { state in
      for rank in TurnLine.Rank.allCases { hire(rank, &state) }
    }
    ThreadStarter.shared.start("perigee-watch") { self.watchOver() }
  }

  /// Takes a job of no line.
  public func enqueue(_ job: consuming ExecutorJob) {
    let job = UnownedJob(job)
    state.withLock { state in
      state.groups[TurnLine.Rank.fresh.rawValue].queue.append(.job(job))
      return wakeOne(.fresh, &state)
    }?.signal()
  }

  /// Puts a job at the end of a line, and the line behind the others.
  ///
  /// - Parameter rank: The line's from now on; the job that is its first stays where it is.
  func add(_ job: TurnLine.Job, to line: TurnLine, rank: TurnLine.Rank? = nil) {
    let signal = state.withLock { state -> DispatchSemaphore? in
      if let rank { line.state.rank = rank }
      line.state.jobs.append(job)
      guard line.state.jobs.count == 1 else { return nil }
      state.groups[line.state.rank.rawValue].queue.append(.line(line))
      return wakeOne(line.state.rank, &state)
    }
    // Outside the lock: it wakes a thread.
    signal?.signal()
  }

  /// Chooses who is to be woken for what waits: a worker, or the watch when all of them are busy.
  private func wakeOne(_ rank: TurnLine.Rank, _ state: inout State) -> DispatchSemaphore? {
    if state.groups[rank.rawValue].queue.isEmpty || state.groups[rank.rawValue].isWaking { return nil }
    if let worker = state.groups[rank.rawValue].idle.popLast() {
      state.groups[rank.rawValue].isWaking = true
      return worker.wakeUp
    }
    defer { state.isWatched = true }
    return state.isWatched ? nil : watch
  }

  // MARK: Workers

  private func hire(_ rank: TurnLine.Rank, _ state: inout State) {
    while state.groups[rank.rawValue].workers.count < width {
      let worker = Worker(rank)
      ThreadStarter.shared.start("perigee-\(rank)") { self.work(as: worker) }
      state.groups[rank.rawValue].workers.append(worker)
    }
  }

  private enum Step {
    case run(UnownedJob, on: any TaskExecutor)
    case goOn(UnsafeContinuation<Void, Never>)
    case wait
    case leave
  }

  private func work(as worker: Worker) {
    let thread = cthread_id()
    if worker.rank == .spent { cthread_nice(thread, Niceness.low) }
    worker.thread.store(thread, ordering: .relaxed)
    var hasWoken = false
    while true {
      let (step, fresh, spent) = state.withLock { state in
        if hasWoken { state.groups[worker.rank.rawValue].isWaking = false }
        let step = nextStep(of: worker, &state)
        return (step, wakeOne(.fresh, &state), wakeOne(.spent, &state))
      }
      hasWoken = false
      fresh?.signal()
      spent?.signal()
      switch step {
      case .run(let job, let executor): job.runSynchronously(on: executor.asUnownedTaskExecutor())
      case .goOn(let continuation): continuation.resume()
      case .wait:
        worker.wakeUp.wait()
        hasWoken = true
      case .leave: return
      }
    }
  }

  private func nextStep(of worker: Worker, _ state: inout State) -> Step {
    if worker.progress.isHeld {
      state.groups[worker.rank.rawValue].held -= 1
      return .leave
    }
    worker.progress.jobs += 1
    switch state.groups[worker.rank.rawValue].queue.popFirst() {
    case nil:
      state.groups[worker.rank.rawValue].idle.append(worker)
      return .wait
    case .job(let job): return .run(job, on: self)
    case .line(let line):
      let job = line.state.jobs.removeFirst()
      // In the other group when the line's rank has changed.
      if !line.state.jobs.isEmpty { state.groups[line.state.rank.rawValue].queue.append(.line(line)) }
      switch job {
      case .run(let job): return .run(job, on: line)
      case .goOn(let continuation): return .goOn(continuation)
      }
    }
  }

  // MARK: Stand-ins

  private func watchOver() {
    while true {
      watch.wait()
      // Nobody signals while the threads are watched.
      repeat { _ = watch.wait(timeout: .now() + Self.look) } while state.withLock { look(&$0) }
    }
  }

  /// - Returns: Whether lines wait.
  private func look(_ state: inout State) -> Bool {
    state.isWatched = state.groups.contains { !$0.queue.isEmpty }
    for rank in TurnLine.Rank.allCases where !state.groups[rank.rawValue].queue.isEmpty {
      setHeldAside(&state.groups[rank.rawValue])
      hire(rank, &state)
    }
    return state.isWatched
  }

  private func setHeldAside(_ group: inout Group) {
    for worker in group.workers where group.held + width < Self.threadsMax && isHeld(worker) {
      worker.progress.isHeld = true
      group.held += 1
      cthread_nice(worker.thread.load(ordering: .relaxed), Niceness.low)
    }
    group.workers.removeAll(where: \.progress.isHeld)
  }

  private func isHeld(_ worker: Worker) -> Bool {
    let thread = worker.thread.load(ordering: .relaxed)
    guard thread != 0 else { return false }
    let cpu = cthread_cpu_ns(thread)
    if worker.progress.seen.jobs != worker.progress.jobs {
      worker.progress.seen = (worker.progress.jobs, cpu)
      return false
    }
    return cpu - worker.progress.seen.cpu >= Self.heldNanoseconds
  }
}
