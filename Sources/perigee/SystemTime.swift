// SPDX-License-Identifier: Apache-2.0
import Core
import Glibc

/// The clocks of this machine.
struct SystemTime: TimeSource {
  var now: Timestamp {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    return Timestamp(milliseconds: Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000)
  }

  var elapsed: Duration {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return .seconds(time.tv_sec) + .nanoseconds(time.tv_nsec)
  }

  func sleep(for duration: Duration) async throws { try await Task.sleep(for: duration) }
}
