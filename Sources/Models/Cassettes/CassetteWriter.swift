// SPDX-License-Identifier: Apache-2.0
import FoundationEssentials
import Glibc
import JSONCodec
import Threads

/// Adds lines to a cassette, whole or not at all, whoever else does.
final class CassetteWriter: Sendable {
  let path: String
  private let descriptor: Int32
  /// Files are written off the cooperative pool.
  private let thread = SerialThread(name: "cassette")

  /// Opens the file, or makes it, readable by its owner alone: it has what people asked.
  ///
  /// - Throws: ``CassetteError`` when it cannot be written, or holds something else than recordings.
  init(_ path: String) throws(CassetteError) {
    self.path = path
    if FileManager.default.fileExists(atPath: path) { _ = try Cassette.load(path) }
    descriptor = open(path, O_CREAT | O_WRONLY | O_APPEND | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else {
      throw CassetteError(
        message: "the cassette '\(path)' cannot be written: \(String(cString: strerror(errno)))",
        hint: "name a file in a folder that exists and is yours")
    }
  }

  deinit { close(descriptor) }

  /// Returns when the line is in the file.
  func append(_ recording: Recording) async throws(CassetteError) {
    let bytes = recording.line.bytes + [UInt8(ascii: "\n")]
    let isWritten = await withCheckedContinuation { continuation in
      thread.async { continuation.resume(returning: self.write(bytes)) }
    }
    if !isWritten { throw CassetteError(message: "the cassette '\(path)' could not be written", hint: nil) }
  }

  private func write(_ bytes: [UInt8]) -> Bool {
    // Other processes may record into the same file.
    guard flock(descriptor, LOCK_EX) == 0 else { return false }
    defer { flock(descriptor, LOCK_UN) }
    let size = lseek(descriptor, 0, SEEK_END)
    var written = 0
    while written < bytes.count {
      let count = bytes[written...].withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
      if count < 0 && errno == EINTR { continue }
      guard count > 0 else {
        // Half a line would damage the file.
        _ = ftruncate(descriptor, size)
        return false
      }
      written += count
    }
    return true
  }
}
