// SPDX-License-Identifier: Apache-2.0
import Glibc

/// Open files: a conversation that waits for a model holds two.
enum FileDescriptors {
  /// Raises the soft limit to the hard one; the process lives with less where that is refused.
  static func raiseLimit() {
    var limit = rlimit()
    guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return }
    limit.rlim_cur = limit.rlim_max
    _ = setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
  }
}
