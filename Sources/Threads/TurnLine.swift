// SPDX-License-Identifier: Apache-2.0
import DequeModule

/// Where the tasks of one turn stand in line for a thread, and with them its scripts.
///
/// A turn begins on threads that do what is short. When one of its fibers has used up a slice, it goes on among its
/// like, on threads of lower priority, so that a short turn never waits for a long one.
public final class TurnLine: TaskExecutor {
  enum Job {
    case run(UnownedJob)
    case goOn(UnsafeContinuation<Void, Never>)
  }

  enum Rank: Int, CaseIterable {
    case fresh, spent
  }

  /// Guarded by the lock of the threads.
  struct State {
    var rank = Rank.fresh
    var jobs = Deque<Job>()
  }

  private let threads = TurnThreads.shared
  // SAFETY: only `TurnThreads` reads and writes it, under its lock.
  nonisolated(unsafe) var state = State()

  public init() {}

  public func enqueue(_ job: consuming ExecutorJob) {
    threads.add(.run(UnownedJob(job)), to: self)
  }

  /// Returns when the turns that wait have had theirs; from then on the caller's is a long one. A caller whose turn
  /// comes before it has suspended goes on where it is, until the next time.
  public static func giveWay(isolation: isolated (any Actor)? = #isolation) async {
    let executor = withUnsafeCurrentTask { $0?.unownedTaskExecutor?.asTaskExecutor() }
    guard let line = executor as? TurnLine else {
      await Task.yield()
      return
    }
    await withUnsafeContinuation { line.threads.add(.goOn($0), to: line, rank: .spent) }
  }
}
