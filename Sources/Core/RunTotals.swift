// SPDX-License-Identifier: Apache-2.0
import Synchronization

/// How many runs have ended since the process began, and how long they took.
public final class RunTotals: Sendable {
  private let completedCount = Atomic<Int>(0)
  private let failedCount = Atomic<Int>(0)
  private let microseconds = Atomic<Int>(0)

  public struct Snapshot: Sendable, Hashable {
    public var completed = 0
    public var failed = 0
    /// Of all of them together.
    public var time = Duration.zero

    public static func - (later: Snapshot, earlier: Snapshot) -> Snapshot {
      Snapshot(
        completed: later.completed - earlier.completed, failed: later.failed - earlier.failed,
        time: later.time - earlier.time)
    }
  }

  func add(_ time: Duration, completed: Bool) {
    if completed {
      completedCount.add(1, ordering: .relaxed)
    } else {
      failedCount.add(1, ordering: .relaxed)
    }
    microseconds.add(Int(time / .microseconds(1)), ordering: .relaxed)
  }

  public var snapshot: Snapshot {
    Snapshot(
      completed: completedCount.load(ordering: .relaxed), failed: failedCount.load(ordering: .relaxed),
      time: .microseconds(microseconds.load(ordering: .relaxed)))
  }
}
