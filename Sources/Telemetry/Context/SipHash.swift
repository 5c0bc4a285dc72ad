// SPDX-License-Identifier: Apache-2.0

/// SipHash-2-4, which gives the same number in every process and version, unlike `Hasher`.
///
/// Source: Aumasson and Bernstein, "SipHash: a fast short-input PRF", 2012; the 128-bit form is that of their
/// reference implementation (`siphash.c`).
struct SipHash {
  private var v0: UInt64
  private var v1: UInt64
  private var v2: UInt64
  private var v3: UInt64

  private init(_ key: (UInt64, UInt64)) {
    v0 = key.0 ^ 0x736f_6d65_7073_6575
    v1 = key.1 ^ 0x646f_7261_6e64_6f6d
    v2 = key.0 ^ 0x6c79_6765_6e65_7261
    v3 = key.1 ^ 0x7465_6462_7974_6573
  }

  /// The 64-bit hash of the text's UTF-8 bytes; spellings that Unicode calls equal differ.
  static func hash64(_ text: String, key: (UInt64, UInt64)) -> UInt64 {
    var hash = SipHash(key)
    hash.absorb(text)
    return hash.squeeze(0xff)
  }

  /// The 128-bit hash: its first and its second word, of 8 bytes each.
  static func hash128(_ text: String, key: (UInt64, UInt64)) -> (UInt64, UInt64) {
    var hash = SipHash(key)
    hash.v1 ^= 0xee
    hash.absorb(text)
    let first = hash.squeeze(0xee)
    hash.v1 ^= 0xdd
    for _ in 0..<4 { hash.round() }
    return (first, hash.v0 ^ hash.v1 ^ hash.v2 ^ hash.v3)
  }

  private mutating func absorb(_ text: String) {
    var text = text
    text.withUTF8 { bytes in
      let whole = bytes.count & ~7
      for start in stride(from: 0, to: whole, by: 8) { absorb(Self.word(bytes[start..<start + 8])) }
      absorb(Self.word(bytes[whole...]) | UInt64(truncatingIfNeeded: bytes.count) << 56)
    }
  }

  /// Up to 8 bytes as a number, the first one least significant.
  private static func word(_ bytes: Slice<UnsafeBufferPointer<UInt8>>) -> UInt64 {
    bytes.reversed().reduce(0) { $0 << 8 | UInt64($1) }
  }

  private mutating func absorb(_ word: UInt64) {
    v3 ^= word
    round()
    round()
    v0 ^= word
  }

  private mutating func squeeze(_ mark: UInt64) -> UInt64 {
    v2 ^= mark
    for _ in 0..<4 { round() }
    return v0 ^ v1 ^ v2 ^ v3
  }

  private mutating func round() {
    v0 &+= v1
    v1 = Self.rotate(v1, 13) ^ v0
    v0 = Self.rotate(v0, 32)
    v2 &+= v3
    v3 = Self.rotate(v3, 16) ^ v2
    v0 &+= v3
    v3 = Self.rotate(v3, 21) ^ v0
    v2 &+= v1
    v1 = Self.rotate(v1, 17) ^ v2
    v2 = Self.rotate(v2, 32)
  }

  private static func rotate(_ word: UInt64, _ count: UInt64) -> UInt64 {
    word &<< count | word &>> (64 - count)
  }
}
