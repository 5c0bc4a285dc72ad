// SPDX-License-Identifier: Apache-2.0
import Core
import Crypto
import GRDBSQLite
import Threads

#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif

/// How far a backup or its return is.
public struct BackupProgress: Sendable, Hashable {
  /// What is done: `copying perigee.sqlite`.
  public let step: String
  /// Of that, from 0 to 1; `nil` = nobody knows.
  public let share: Double?
}

/// What making a backup and putting one back have in common: a thread of their own, files, checksums.
struct BackupWork: Sendable {
  let cancellation: CancellationFlag
  let report: @Sendable (BackupProgress) -> Void

  /// Runs `body` on a thread of its own; a cancelled task stops it at the next piece of a file.
  static func perform<Value: Sendable>(
    progress report: @escaping @Sendable (BackupProgress) -> Void = { _ in },
    _ body: @escaping @Sendable (BackupWork) throws -> Value
  ) async throws -> Value {
    let work = BackupWork(cancellation: CancellationFlag(), report: report)
    let thread = SerialThread(name: "perigee-backup")
    return try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { continuation in
        thread.async { continuation.resume(with: Result { try body(work) }.mapError(Self.readable)) }
      }
    } onCancel: {
      work.cancellation.set()
    }
  }

  private static func readable(_ error: any Error) -> any Error {
    guard let error = error as? SQLError else { return error }
    let isDamaged = [SQLITE_CORRUPT, SQLITE_NOTADB].contains(error.primaryCode)
    return BackupError(isDamaged ? .damaged : .usage, "SQLite: \(error.message)")
  }

  func checkCancellation() throws { if cancellation.isSet { throw CancellationError() } }

  /// Hands over a file's first bytes, piece by piece.
  func read(
    _ file: OpenFile, bytes: Int64, step: String, _ body: ([UInt8]) throws -> Void
  ) throws {
    var left = bytes
    while left > 0 {
      try checkCancellation()
      let piece = try file.read(Int(min(left, Int64(OpenFile.chunkBytes))))
      guard !piece.isEmpty else { throw BackupError(.damaged, "\(file.path) ends before its end") }
      try body(piece)
      left -= Int64(piece.count)
      report(BackupProgress(step: step, share: 1 - Double(left) / Double(bytes)))
    }
  }

  /// Refuses a database that is damaged.
  func check(_ path: String, named name: String, isQuick: Bool) throws {
    report(BackupProgress(step: "checking \(name)", share: nil))
    let found: [String]
    do {
      found = try SQLiteFile(path, .frozen).complaints(isQuick: isQuick, unless: cancellation)
    } catch let error as SQLError {
      found = [error.message]
    }
    guard let first = found.first else { return }
    throw BackupError(.damaged, "\(name) is damaged: \(first)")
  }
}

extension SHA256.Digest {
  var hexadecimal: String {
    map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
  }
}

/// A folder that is gone when the work in it has ended, unless it was moved.
struct TemporaryFolder {
  let path: String

  /// - Parameter parent: Where it is made, so that what is in it can be renamed to where it belongs.
  init(in parent: String, name: String) throws {
    path = "\(parent)/.\(name).\(UUID().uuidString.prefix(8).lowercased())"
    do {
      try FileManager.default.createDirectory(
        atPath: path, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o700])
    } catch {
      throw BackupError(
        .usage, "\(parent) cannot be written", hint: "name a folder that exists and is yours")
    }
  }

  func remove() { try? FileManager.default.removeItem(atPath: path) }

  /// Makes the folders that a file below this one needs, and tells the file's whole path.
  func place(for file: String) throws -> String {
    let whole = "\(path)/\(file)"
    guard let slash = whole.lastIndex(of: "/"), file.contains("/") else { return whole }
    do {
      try FileManager.default.createDirectory(
        atPath: String(whole[..<slash]), withIntermediateDirectories: true,
        attributes: [.posixPermissions: 0o700])
    } catch {
      throw BackupError(.usage, "\(whole[..<slash]) cannot be made")
    }
    return whole
  }
}
