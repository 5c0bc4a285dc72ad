// SPDX-License-Identifier: Apache-2.0
import Glibc
import LanguageServer
import Threads

/// Standard input and output as bytes; each has a thread that may wait for it.
struct StandardStream: MessageStream {
  private let input = SerialThread(name: "perigee-stdin")
  private let output = SerialThread(name: "perigee-stdout")

  private static let chunkBytes = 64 << 10

  func read() async -> [UInt8] {
    await withCheckedContinuation { continuation in
      input.async { continuation.resume(returning: Self.readChunk()) }
    }
  }

  func write(_ bytes: [UInt8]) async {
    await withCheckedContinuation { continuation in
      output.async {
        Self.writeAll(bytes)
        continuation.resume()
      }
    }
  }

  private static func readChunk() -> [UInt8] {
    while true {
      var count = 0
      let bytes = [UInt8](unsafeUninitializedCapacity: chunkBytes) { buffer, initialized in
        count = Glibc.read(STDIN_FILENO, buffer.baseAddress, chunkBytes)
        initialized = max(0, count)
      }
      if count < 0, errno == EINTR { continue }
      return bytes
    }
  }

  /// Where nobody reads any more there is no one to tell.
  private static func writeAll(_ bytes: [UInt8]) {
    var rest = bytes[...]
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes { Glibc.write(STDOUT_FILENO, $0.baseAddress, $0.count) }
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { return }
      rest = rest.dropFirst(count)
    }
  }
}
