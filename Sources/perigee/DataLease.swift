// SPDX-License-Identifier: Apache-2.0
import Glibc

/// A process's share of a data folder, or of one kind of work in it: tells whether another process does that work.
///
/// The kernel gives it back when the process ends, however it ends.
struct DataLease: Sendable {
  private let descriptor: Int32
  /// Nobody else was there when it was taken: runs that are still marked as running have no process.
  let isFirst: Bool

  static func take(_ directory: String, file: String = "lock") throws -> DataLease {
    let path = directory + "/" + file
    let descriptor = open(path, O_CREAT | O_RDWR | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else {
      throw CommandError(message: "\(path) cannot be opened", hint: "check that the folder is yours")
    }
    let isFirst = flock(descriptor, LOCK_EX | LOCK_NB) == 0
    if !isFirst { _ = flock(descriptor, LOCK_SH | LOCK_NB) }
    return DataLease(descriptor: descriptor, isFirst: isFirst)
  }

  /// Lets others in, once what only the first may do is done.
  func share() { _ = flock(descriptor, LOCK_SH | LOCK_NB) }

  func giveBack() { close(descriptor) }
}
