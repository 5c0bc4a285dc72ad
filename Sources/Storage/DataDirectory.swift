// SPDX-License-Identifier: Apache-2.0
import Core

#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif
#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// The directory that holds both databases, readable by its owner alone.
enum DataDirectory {
  /// Makes the directory (0700) and the file in it (0600) where they are missing; the file's path.
  ///
  /// SQLite gives its `-wal` and `-shm` files the mode of the database, so that they are private too.
  static func prepare(_ directory: String, file: String) throws -> String {
    do {
      try FileManager.default.createDirectory(
        atPath: directory, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    } catch {
      throw Failure(
        .internal, "the data directory '\(directory)' cannot be made", diagnostic: String(describing: error))
    }
    let path = directory.hasSuffix("/") ? directory + file : directory + "/" + file
    let descriptor = open(path, O_CREAT | O_RDWR | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else {
      throw Failure(
        .internal, "the database '\(path)' cannot be opened for writing",
        diagnostic: String(cString: strerror(errno)))
    }
    close(descriptor)
    return path
  }
}
