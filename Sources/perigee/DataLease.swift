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
    let descriptor = try opened(directory, file)
    let isFirst = flock(descriptor, LOCK_EX | LOCK_NB) == 0
    if !isFirst { _ = flock(descriptor, LOCK_SH | LOCK_NB) }
    return DataLease(descriptor: descriptor, isFirst: isFirst)
  }

  /// Says that a process of this kind is there, however many there are.
  static func join(_ directory: String, file: String) throws -> DataLease {
    let descriptor = try opened(directory, file)
    // Waits for who only looks, which takes a moment.
    _ = flock(descriptor, LOCK_SH)
    return DataLease(descriptor: descriptor, isFirst: false)
  }

  /// Does something while nobody has joined, and lets nobody in meanwhile; `nil` when somebody has.
  static func ifUnused<Value>(
    _ directory: String, file: String, _ body: () async throws -> Value
  ) async throws -> Value? {
    let descriptor = try opened(directory, file)
    defer { close(descriptor) }
    guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else { return nil }
    return try await body()
  }

  /// Does something while no server, worker or command is at work in a data folder; `nil` when one is.
  static func ifAlone<Value>(_ directory: String, _ body: () async throws -> Value) async throws -> Value? {
    try await ifUnused(directory, file: "lock") {
      try await ifUnused(directory, file: "workers") {
        try await ifUnused(directory, file: "guests", body)
      }
    }.flatMap { $0 }.flatMap { $0 }
  }

  private static func opened(_ directory: String, _ file: String) throws -> Int32 {
    let path = directory + "/" + file
    let descriptor = open(path, O_CREAT | O_RDWR | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else {
      throw CommandError(message: "\(path) cannot be opened", hint: "check that the folder is yours")
    }
    return descriptor
  }

  /// Lets others in, once what only the first may do is done.
  func share() { _ = flock(descriptor, LOCK_SH | LOCK_NB) }

  func giveBack() { close(descriptor) }
}
