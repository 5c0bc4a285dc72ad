// SPDX-License-Identifier: Apache-2.0
import Core
import Synchronization

/// Runs that have ended, on their way to who reads from their journals what they did.
final class EndedRuns<Run: Sendable>: Sendable {
  /// Runs that may wait to be read; then the oldest are passed over.
  private let waitingMax = 4096
  /// How long the last may take to be read when the process stops.
  static var flush: Duration { .seconds(5) }

  private let runs: AsyncStream<Run>
  private let ended: AsyncStream<Run>.Continuation
  private let time: any TimeSource
  /// After it no run is read; `nil` = nobody has said that it ends.
  private let end = Mutex<Duration?>(nil)

  init(time: any TimeSource) {
    self.time = time
    (runs, ended) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(waitingMax))
  }

  func add(_ run: Run) { ended.yield(run) }

  /// Lets ``read(_:)`` come to its end.
  func stop() {
    end.withLock { $0 = $0 ?? time.elapsed + Self.flush }
    ended.finish()
  }

  /// Reads one after the other until ``stop()``, and then what is left, if there is time.
  func read(_ body: (Run) async -> Void) async {
    for await run in runs where end.withLock({ $0.map { time.elapsed < $0 } ?? true }) { await body(run) }
  }
}
