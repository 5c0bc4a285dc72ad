// SPDX-License-Identifier: Apache-2.0
import Glibc

/// Sockets that stay on this machine, and threads that block in them.
enum Loopback {
  struct SystemError: Error {
    let code = errno
  }

  /// A port of its own that takes connections.
  static func listen() throws -> (socket: Int32, port: Int) {
    let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    var place = address(port: 0)
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let isListening = withUnsafeMutablePointer(to: &place) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
        bind(listener, address, length) == 0 && Glibc.listen(listener, 1024) == 0
          && getsockname(listener, address, &length) == 0
      }
    }
    guard isListening else { throw SystemError() }
    return (listener, Int(UInt16(bigEndian: place.sin_port)))
  }

  /// `nil` when nobody listens there.
  static func connect(to port: Int) -> Int32? {
    let connection = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    var place = address(port: port)
    let isOpen = withUnsafeMutablePointer(to: &place) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
        Glibc.connect(connection, address, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
      }
    }
    if !isOpen { close(connection) }
    return isOpen ? connection : nil
  }

  private static func address(port: Int) -> sockaddr_in {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    address.sin_port = UInt16(truncatingIfNeeded: port).bigEndian
    return address
  }

  /// Waits for bytes; `nil` at the end.
  static func receive(_ connection: Int32) -> [UInt8]? {
    withUnsafeTemporaryAllocation(byteCount: 16_384, alignment: 1) { space in
      let count = recv(connection, space.baseAddress, space.count, 0)
      return count > 0 ? Array(space[..<count]) : nil
    }
  }

  /// Whether the network took everything.
  static func send(_ bytes: [UInt8], to connection: Int32) -> Bool {
    bytes.withUnsafeBytes { bytes in
      var rest = bytes[...]
      while !rest.isEmpty {
        let piece = UnsafeRawBufferPointer(rebasing: rest)
        let count = Glibc.send(connection, piece.baseAddress, piece.count, Int32(MSG_NOSIGNAL))
        guard count > 0 else { return false }
        rest = rest.dropFirst(count)
      }
      return true
    }
  }

  private final class Work {
    let body: @Sendable () -> Void
    init(_ body: @escaping @Sendable () -> Void) { self.body = body }
  }

  static func startThread(_ body: @escaping @Sendable () -> Void) {
    var thread = pthread_t()
    let work = Unmanaged.passRetained(Work(body))
    let code = pthread_create(
      &thread, nil,
      { context in
        // SAFETY: the one reference made above; `pthread_create` passes it on once.
        if let context { Unmanaged<Work>.fromOpaque(context).takeRetainedValue().body() }
        return nil
      }, work.toOpaque())
    precondition(code == 0, "no thread is left")
    pthread_detach(thread)
  }
}
