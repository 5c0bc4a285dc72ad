// SPDX-License-Identifier: Apache-2.0
import FoundationEssentials
import Glibc

/// A process's share of a data folder, or of one kind of work in it: tells whether another process does that work.
///
/// The kernel gives it back when the process ends, however it ends.
struct DataLease: Sendable {
  /// Of commands that only read and write what is kept, and have no runs of their own.
  static let commands = "commands"

  private let descriptor: Int32
  private let path: String
  /// Nobody else was there when it was taken: runs that are still marked as running have no process.
  let isFirst: Bool

  /// Waits for whoever is alone for a moment: a process that begins, or one that only looks.
  static func take(_ directory: String, file: String = "lock") throws -> DataLease {
    try locked(directory, file) { descriptor in
      if flock(descriptor, LOCK_EX | LOCK_NB) == 0 { return true }
      try share(descriptor)
      return false
    }
  }

  /// Says that a process of this kind is there, however many there are.
  static func join(_ directory: String, file: String) throws -> DataLease {
    try locked(directory, file) { descriptor in
      try share(descriptor)
      return false
    }
  }

  /// - Parameter lock: Locks the file; whether nobody else had it.
  private static func locked(
    _ directory: String, _ file: String, _ lock: (Int32) throws -> Bool
  ) throws -> DataLease {
    while true {
      let descriptor = try opened(directory, file)
      do {
        let isFirst = try lock(descriptor)
        let lease = DataLease(descriptor: descriptor, path: directory + "/" + file, isFirst: isFirst)
        if lease.isInPlace { return lease }
        // The folder was replaced while it waited: this file is of the old one.
        close(descriptor)
      } catch {
        close(descriptor)
        throw error
      }
    }
  }

  /// Whether the file is still the one that its path names.
  private var isInPlace: Bool {
    var (held, named) = (stat(), stat())
    return fstat(descriptor, &held) == 0 && stat(path, &named) == 0
      && held.st_dev == named.st_dev && held.st_ino == named.st_ino
  }

  private static func share(_ descriptor: Int32) throws {
    while flock(descriptor, LOCK_SH) != 0 {
      guard errno == EINTR else {
        throw CommandError(
          message: "the data folder cannot be locked: \(String(cString: strerror(errno)))",
          hint: "choose one on a local disk with --data")
      }
    }
  }

  /// Does something while nobody has joined, and lets nobody in meanwhile; `nil` when somebody has.
  static func ifUnused<Value>(
    _ directory: String, file: String, _ body: () async throws -> Value
  ) async throws -> Value? {
    let descriptor = try opened(directory, file)
    defer { close(descriptor) }
    guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else { return nil }
    let lease = DataLease(descriptor: descriptor, path: directory + "/" + file, isFirst: true)
    guard lease.isInPlace else { return nil }
    return try await body()
  }

  /// Does something while no server, worker or command is at work in a data folder; `nil` when one is.
  static func ifAlone<Value>(_ directory: String, _ body: () async throws -> Value) async throws -> Value? {
    try await ifUnused(directory, file: "lock") {
      try await ifUnused(directory, file: "workers") {
        try await ifUnused(directory, file: "guests") {
          try await ifUnused(directory, file: commands, body)
        }
      }
    }.flatMap { $0 }.flatMap { $0 }.flatMap { $0 }
  }

  /// Makes the folder where there is none.
  static func prepare(_ directory: String) throws {
    do {
      try FileManager.default.createDirectory(
        atPath: directory, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    } catch {
      throw CommandError(
        message: "the data folder \(directory) cannot be made", hint: "choose one that is yours with --data")
    }
  }

  private static func opened(_ directory: String, _ file: String) throws -> Int32 {
    let path = directory + "/" + file
    let descriptor = open(path, O_CREAT | O_RDWR | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else {
      throw CommandError(
        message: "\(path) cannot be opened for writing: \(String(cString: strerror(errno)))",
        hint: "choose a folder that is yours with --data (data.directory)")
    }
    // What root makes in the folder of a service is the service's, which could not open it otherwise.
    var folder = stat()
    if geteuid() == 0, stat(directory, &folder) == 0, fchown(descriptor, folder.st_uid, folder.st_gid) != 0 {
      close(descriptor)
      throw CommandError(
        message: "\(path) cannot be given to the folder's owner", hint: "run it as that user")
    }
    return descriptor
  }

  /// Lets others in, once what only the first may do is done.
  ///
  /// - Throws: ``CommandError`` when somebody who was let in has put another folder in its place. Source: flock(2),
  ///   which gives a lock back before it takes one of another kind.
  func share() throws {
    try Self.share(descriptor)
    guard isInPlace else {
      throw CommandError(message: "the data folder was replaced meanwhile", hint: "start again")
    }
  }

  func giveBack() { close(descriptor) }
}
