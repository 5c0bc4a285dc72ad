// SPDX-License-Identifier: Apache-2.0

/// The bytes of a request, at one address for as long as anybody has them: libcurl reads them where they are.
public final class HTTPBody: Sendable {
  // SAFETY: written by `init` only, freed by `deinit` only.
  nonisolated(unsafe) let bytes: UnsafeRawBufferPointer

  public init(_ bytes: some Collection<UInt8>) {
    let room = UnsafeMutableRawBufferPointer.allocate(byteCount: max(bytes.count, 1), alignment: 1)
    room.copyBytes(from: bytes)
    self.bytes = UnsafeRawBufferPointer(rebasing: room[..<bytes.count])
  }

  deinit { bytes.baseAddress?.deallocate() }
}
