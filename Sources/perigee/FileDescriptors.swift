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

  /// Connections to one provider: the conversations that wait for it need as many files for their users, and a request
  /// that finds none left would fail, where one that has to wait for a connection does not. 0 = no limit.
  static var connectionsPerHostMax: Int {
    var limit = rlimit()
    guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0, limit.rlim_cur < 1 << 20
    else { return 0 }
    return max(64, (Int(limit.rlim_cur) - ownFiles) / 2)
  }

  /// Databases, pipes, sockets that listen, and some to spare.
  private static let ownFiles = 512
}
