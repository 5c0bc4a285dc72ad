// SPDX-License-Identifier: Apache-2.0

/// A set of ASCII characters.
struct ByteSet: Sendable, Hashable {
  private var low: UInt64 = 0
  private var high: UInt64 = 0

  init(_ characters: StaticString) {
    for offset in 0..<characters.utf8CodeUnitCount { insert(characters.utf8Start[offset]) }
  }

  private mutating func insert(_ byte: UInt8) {
    if byte < 64 { low |= 1 << UInt64(byte) } else { high |= 1 << UInt64(byte & 63) }
  }

  func contains(_ byte: UInt8) -> Bool {
    let half = byte < 64 ? low : high
    return byte < 0x80 && half >> UInt64(byte & 63) & 1 == 1
  }

  func union(_ other: ByteSet) -> ByteSet {
    var union = self
    union.low |= other.low
    union.high |= other.high
    return union
  }

  /// Every printable character but these and the space.
  static func graphic(except others: ByteSet) -> ByteSet {
    var set = ByteSet("")
    for byte in UInt8(0x21)...0x7E where !others.contains(byte) { set.insert(byte) }
    return set
  }

  static let digits = ByteSet("0123456789")
  static let upper = ByteSet("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
  static let letters = upper.union(ByteSet("abcdefghijklmnopqrstuvwxyz"))
  static let alphanumerics = letters.union(digits)
  static let identifier = alphanumerics.union(ByteSet("_"))
  static let base64URL = alphanumerics.union(ByteSet("-_"))
  static let spaces = ByteSet(" \t")
  static let whitespace = ByteSet(" \t\r\n")
}

extension UInt8 {
  var isDigit: Bool { self &- 0x30 < 10 }
  var isUpper: Bool { self &- 0x41 < 26 }
  var isLetter: Bool { (self | 0x20) &- 0x61 < 26 }
  var isAlphanumeric: Bool { isDigit || isLetter }
  /// What an identifier of a program consists of.
  var isWord: Bool { isAlphanumeric || self == UInt8(ascii: "_") }
  var isSpace: Bool { self == 0x20 || self &- 0x09 < 5 }
  var lowercased: UInt8 { isUpper ? self | 0x20 : self }
  var uppercased: UInt8 { isLetter ? self & 0xDF : self }
  /// Value of an ASCII digit.
  var digit: Int { Int(self) - 0x30 }
}
