// SPDX-License-Identifier: Apache-2.0
import JSONCodec

/// A hash of 64 bits that is the same in every process; not for secrets, nor against an attacker.
///
/// Source of the mixing constant and of the last step: MurmurHash3 (public domain).
public struct StableHash: Sendable {
  public private(set) var state: UInt64 = 0x9E37_79B9_7F4A_7C15

  public init() {}

  public mutating func combine(_ number: UInt64) {
    state = (state ^ number) &* 0xFF51_AFD7_ED55_8CCD
    state ^= state >> 32
  }

  /// The length is part of it: `ab`, `c` and `a`, `bc` are different.
  public mutating func combine(_ text: String) {
    text.withUTF8Bytes { combine(UnsafeRawBufferPointer($0)) }
  }

  public mutating func combine(_ bytes: [UInt8]) { bytes.withUnsafeBytes { combine($0) } }

  private mutating func combine(_ bytes: UnsafeRawBufferPointer) {
    combine(UInt64(bytes.count))
    var offset = 0
    while offset + 8 <= bytes.count {
      combine(UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self)))
      offset += 8
    }
    var rest: UInt64 = 0
    for (index, byte) in bytes[offset...].enumerated() { rest |= UInt64(byte) << UInt64(8 * index) }
    combine(rest)
  }

  public var value: UInt64 {
    var hash = state
    hash = (hash ^ hash >> 33) &* 0xC4CE_B9FE_1A85_EC53
    return hash ^ hash >> 33
  }

  public static func of(_ text: String) -> UInt64 {
    var hash = StableHash()
    hash.combine(text)
    return hash.value
  }
}
