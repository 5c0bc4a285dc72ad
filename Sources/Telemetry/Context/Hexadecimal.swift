// SPDX-License-Identifier: Apache-2.0

extension UInt64 {
  /// Reads up to 16 lower-case hexadecimal digits; `nil` for any other character, and for none at all.
  init?(lowerHex digits: some Collection<UInt8>) {
    guard (1...16).contains(digits.count) else { return nil }
    var value: UInt64 = 0
    for digit in digits {
      switch digit {
      case UInt8(ascii: "0")...UInt8(ascii: "9"): value = value << 4 | UInt64(digit - UInt8(ascii: "0"))
      case UInt8(ascii: "a")...UInt8(ascii: "f"): value = value << 4 | UInt64(digit - UInt8(ascii: "a") + 10)
      default: return nil
      }
    }
    self = value
  }
}

extension String {
  /// 16 lower-case hexadecimal digits for each word, most significant first.
  init(lowerHex words: UInt64...) {
    self.init(unsafeUninitializedCapacity: words.count * 16) { buffer in
      for (place, word) in words.enumerated() {
        for digit in 0..<16 {
          let value = UInt8(truncatingIfNeeded: word >> UInt64(60 - 4 * digit)) & 15
          buffer[16 * place + digit] = value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "a") + value - 10
        }
      }
      return words.count * 16
    }
  }
}
