// SPDX-License-Identifier: Apache-2.0
#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// Reads small text files whole.
enum TextFile {
  enum Content {
    case text(String)
    case absent
    case unreadable(String)
  }

  static func load(_ path: String, bytesMax: Int) -> Content {
    // A pipe that nobody writes to is empty, instead of a wait without an end.
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else {
      return errno == ENOENT ? .absent : .unreadable(String(cString: strerror(errno)))
    }
    defer { _ = close(descriptor) }
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 16 << 10)
    while true {
      let count = chunk.withUnsafeMutableBytes { read(descriptor, $0.baseAddress, $0.count) }
      if count < 0 {
        if errno == EINTR { continue }
        return .unreadable(String(cString: strerror(errno)))
      }
      if count == 0 { break }
      bytes += chunk[..<count]
      if bytes.count > bytesMax { return .unreadable("it is larger than \(bytesMax) bytes") }
    }
    guard let text = String(validating: bytes, as: UTF8.self) else {
      return .unreadable("it is not UTF-8 text")
    }
    return .text(text)
  }
}
