// SPDX-License-Identifier: Apache-2.0
import Synchronization

/// The workers of a process: each takes a job, does it, and takes the next.
///
/// They are woken when a job is published in this process, and look for those of others once in ``Settings/poll``.
public final class JobWorkers: Sendable {
  public struct Settings: Sendable {
    /// Jobs at once; 0 = none.
    public var count: Int
    /// How long a job whose process is gone stays with it; half of that, and it is extended.
    public var lease: Duration
    public var poll: Duration

    public init(count: Int, lease: Duration = .seconds(30), poll: Duration = .seconds(1)) {
      self.count = count
      self.lease = lease
      self.poll = poll
    }
  }

  private struct Held {
    let jobID: String
    let cancellation: RunCancellation
  }

  private struct State {
    var idle: [CheckedContinuation<Void, Never>] = []
    /// There may be a job that no worker was woken for.
    var isRung = false
    var isStopping = false
    /// Jobs under way, by their runs.
    var held: [String: Held] = [:]
    var leasesEnd = Duration.zero
    /// Runs whose jobs others have now.
    var lost: Set<String> = []
  }

  private let runner: Runner
  private let settings: Settings
  private let onReport: @Sendable (JobReport) -> Void
  private let onFailure: @Sendable (Failure) -> Void
  private let state = Mutex(State())

  private var store: any Store { runner.store }
  private var time: any TimeSource { runner.time }

  /// - Parameters:
  ///   - onReport: Told how each attempt went.
  ///   - onFailure: Told what kept a worker from taking a job.
  public init(
    runner: Runner, settings: Settings, onReport: @escaping @Sendable (JobReport) -> Void = { _ in },
    onFailure: @escaping @Sendable (Failure) -> Void = { _ in }
  ) {
    self.runner = runner
    self.settings = settings
    self.onFailure = onFailure
    self.onReport = onReport
  }

  /// Takes no more jobs; ``run()`` returns when those under way have ended.
  public func stop() {
    let idle = state.withLock { state in
      state.isStopping = true
      defer { state.idle = [] }
      return state.idle
    }
    for worker in idle { worker.resume() }
  }

  /// Works until it is told to ``stop()``; whether its task is cancelled is no matter to the jobs.
  public func run() async {
    guard settings.count > 0 else { return }
    let listener = store.jobBell.add { [weak self] in self?.wake() }
    await withTaskGroup(of: Bool.self) { group in
      for _ in 0..<settings.count {
        group.addTask {
          await self.work()
          return true
        }
      }
      group.addTask {
        await self.watch()
        return false
      }
      var working = settings.count
      while working > 0, let isWorker = await group.next() { working -= isWorker ? 1 : 0 }
      group.cancelAll()
    }
    store.jobBell.remove(listener)
  }

  // MARK: One worker

  private func work() async {
    while !state.withLock({ $0.isStopping }) {
      do {
        let runID = Identifier.uuid(at: time.now)
        if let taken = try await store.takeJob(runID: runID, lease: time.now + settings.lease, at: time.now) {
          // Where there was one there may be more.
          wake()
          await finish(taken)
          continue
        }
      } catch {
        onFailure(Failure(error))
      }
      await waitForWork()
    }
  }

  private func finish(_ taken: TakenJob) async {
    let cancellation = RunCancellation()
    state.withLock { $0.held[taken.runID] = Held(jobID: taken.job.id, cancellation: cancellation) }
    var report = await runner.work(on: taken, cancellation: cancellation)
    let isLost = state.withLock { state in
      state.held[taken.runID] = nil
      return state.lost.remove(taken.runID) != nil
    }
    if isLost, case .dead(let failure) = report.result, failure.code == .cancelled {
      report.result = .lost(nil)
    }
    onReport(report)
  }

  private func wake() {
    let worker = state.withLock { state in
      let worker = state.idle.popLast()
      if worker == nil { state.isRung = true }
      return worker
    }
    worker?.resume()
  }

  private func waitForWork() async {
    await withCheckedContinuation { continuation in
      let isWanted = state.withLock { state in
        if state.isRung || state.isStopping {
          state.isRung = false
          return true
        }
        state.idle.append(continuation)
        return false
      }
      if isWanted { continuation.resume() }
    }
  }

  // MARK: What no worker is told of

  /// Wakes a worker when a job is due, and extends leases, until its task is cancelled.
  private func watch() async {
    while !Task.isCancelled {
      await extendLeases()
      var wait = settings.poll
      // Those who are idle can take it; the others look themselves when they are done.
      if let due = try? await store.nextJobDue() {
        let left = due - time.now
        if left <= .zero { wake() } else { wait = min(wait, left) }
      }
      try? await time.sleep(for: wait)
    }
  }

  private func extendLeases() async {
    let now = time.elapsed
    let held = state.withLock { state -> [String: Held] in
      guard !state.held.isEmpty, now >= state.leasesEnd - settings.lease / 2 else { return [:] }
      return state.held
    }
    guard !held.isEmpty else { return }
    do {
      let lost = try await store.extendLeases(held.mapValues(\.jobID), until: time.now + settings.lease)
      state.withLock { $0.leasesEnd = now + settings.lease }
      for run in lost {
        let cancellation = state.withLock { state in
          // One that has ended meanwhile holds nothing either.
          let cancellation = state.held[run]?.cancellation
          if cancellation != nil { state.lost.insert(run) }
          return cancellation
        }
        cancellation?.cancel()
      }
    } catch {
      onFailure(Failure(error))
    }
  }
}
