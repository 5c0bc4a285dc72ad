// SPDX-License-Identifier: Apache-2.0
import Core
import Synchronization

/// The scripts' clock in a case: it stands still but for what they sleep, so that a run says the same as the last.
final class EvalClock: TimeSource {
  private let start: Timestamp
  private let slept = Mutex(Duration.zero)

  init(_ start: Timestamp) { self.start = start }

  var now: Timestamp {
    let milliseconds = slept.withLock { $0 } / .milliseconds(1)
    return Timestamp(milliseconds: start.milliseconds + Int64(milliseconds))
  }

  var elapsed: Duration { SystemTime().elapsed }

  func sleep(for duration: Duration) async throws {
    try await Task.sleep(for: duration)
    skip(duration)
  }

  func skip(_ duration: Duration) { slept.withLock { $0 += duration } }

  /// The same clock for whom nobody waits.
  var hurried: any TimeSource { Hurried(clock: self) }

  private struct Hurried: TimeSource {
    let clock: EvalClock
    var now: Timestamp { clock.now }
    var elapsed: Duration { clock.elapsed }
    func sleep(for duration: Duration) async throws { clock.skip(duration) }
  }
}
