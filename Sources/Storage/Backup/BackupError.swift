// SPDX-License-Identifier: Apache-2.0
#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// Why no backup could be made, or none be put back.
public struct BackupError: Error, Sendable, Hashable, CustomStringConvertible {
  public enum Code: Sendable, Hashable {
    /// What was asked for cannot be done as things are: a file in the way, a folder that is not there.
    case usage
    /// The archive or a database is not what it should be.
    case damaged
  }

  public let code: Code
  /// One line.
  public let message: String
  /// How to mend it.
  public let hint: String?

  init(_ code: Code, _ message: String, hint: String? = nil) {
    self.code = code
    self.message = message
    self.hint = hint
  }

  public var description: String { message }

  /// A call to the system that has just failed, in its words.
  static func system(_ what: String, hint: String? = nil) -> BackupError {
    let error = errno
    let isFull = error == ENOSPC || error == EDQUOT
    return BackupError(
      .usage, "\(what): \(String(cString: strerror(error)))",
      hint: isFull ? "make room: a copy of each database and the archive are there at once" : hint)
  }
}
