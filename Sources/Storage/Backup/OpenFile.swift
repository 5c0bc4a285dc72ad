// SPDX-License-Identifier: Apache-2.0
#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// A file that is read, or made, from its start to its end; closed when it goes.
final class OpenFile {
  /// What is read or written at once.
  static let chunkBytes = 1 << 20

  let path: String
  private let descriptor: Int32

  private init(path: String, descriptor: Int32) {
    self.path = path
    self.descriptor = descriptor
  }

  deinit { close(descriptor) }

  /// Opens a regular file; one that is a link is refused.
  static func reading(_ path: String) throws -> OpenFile {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
    guard descriptor >= 0 else { throw BackupError.system("\(path) cannot be read") }
    let file = OpenFile(path: path, descriptor: descriptor)
    guard try file.status().st_mode & S_IFMT == S_IFREG else {
      throw BackupError(.usage, "\(path) is no file")
    }
    return file
  }

  /// Makes a file (0600) that is not there yet.
  static func new(_ path: String) throws -> OpenFile {
    let descriptor = open(path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC | O_NOFOLLOW, 0o600)
    guard descriptor >= 0 else { throw BackupError.system("\(path) cannot be written") }
    return OpenFile(path: path, descriptor: descriptor)
  }

  /// Bytes in it at a moment when no line is half written, as far as writers take the file's lock.
  func sizeAtRest() throws -> Int64 {
    _ = flock(descriptor, LOCK_SH)
    defer { _ = flock(descriptor, LOCK_UN) }
    return Int64(try status().st_size)
  }

  private func status() throws -> stat {
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw BackupError.system("\(path) cannot be read") }
    return status
  }

  /// Reads until `count` bytes are there; fewer at the end of the file.
  func read(_ count: Int) throws -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: count)
    var filled = 0
    while filled < count {
      let length = bytes[filled...].withUnsafeMutableBytes { buffer in
        systemRead(descriptor, buffer.baseAddress, buffer.count)
      }
      if length < 0 && errno == EINTR { continue }
      guard length >= 0 else { throw BackupError.system("\(path) cannot be read") }
      if length == 0 { break }
      filled += length
    }
    bytes.removeLast(count - filled)
    return bytes
  }

  func write(_ bytes: [UInt8]) throws {
    var written = 0
    while written < bytes.count {
      let length = bytes[written...].withUnsafeBytes { systemWrite(descriptor, $0.baseAddress, $0.count) }
      if length < 0 && errno == EINTR { continue }
      guard length > 0 else { throw BackupError.system("\(path) cannot be written") }
      written += length
    }
  }

  /// Returns when what was written is on the disk.
  func sync() throws {
    guard fsync(descriptor) == 0 else { throw BackupError.system("\(path) cannot be written") }
  }

  /// Returns when the names of a folder are on the disk.
  static func syncFolder(_ path: String) throws {
    let descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else { throw BackupError.system("\(path) cannot be opened") }
    defer { close(descriptor) }
    // Some file systems have nothing to do here, and say that they cannot.
    guard fsync(descriptor) == 0 || errno == EINVAL else {
      throw BackupError.system("\(path) cannot be written")
    }
  }
}

// Inside the class `read` and `write` are its own.
private func systemRead(_ descriptor: Int32, _ start: UnsafeMutableRawPointer?, _ count: Int) -> Int {
  read(descriptor, start, count)
}

private func systemWrite(_ descriptor: Int32, _ start: UnsafeRawPointer?, _ count: Int) -> Int {
  write(descriptor, start, count)
}
