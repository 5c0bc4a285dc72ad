// SPDX-License-Identifier: Apache-2.0

/// Finds what begins where a word begins, in one pass.
enum WordScan {
  /// - Parameter find: What to put in place of so many bytes at the beginning of the rest; `nil` = they stay.
  static func replace(
    in text: String, _ find: (ArraySlice<UInt8>) -> (length: Int, label: String)?
  ) -> String {
    let bytes = Array(text.utf8)
    var kept: [UInt8] = []
    var clean = 0
    var at = 0
    while at < bytes.count {
      if isWordByte(bytes[at]), at == 0 || !isWordByte(bytes[at - 1]), let found = find(bytes[at...]) {
        kept += bytes[clean..<at]
        kept += found.label.utf8
        at += found.length
        clean = at
      } else {
        at += 1
      }
    }
    return clean == 0 ? text : String(decoding: kept + bytes[clean...], as: UTF8.self)
  }

  static func isDigit(_ byte: UInt8) -> Bool { byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9") }

  static func isWordByte(_ byte: UInt8) -> Bool {
    isDigit(byte) || (byte | 0x20 >= UInt8(ascii: "a") && byte | 0x20 <= UInt8(ascii: "z"))
  }

  /// Whether the rest begins with a pattern: `0` is a digit, `x` one of base 16, anything else itself.
  static func fits(_ rest: ArraySlice<UInt8>, _ pattern: StaticString) -> Bool {
    guard rest.count >= pattern.utf8CodeUnitCount else { return false }
    return pattern.withUTF8Buffer { pattern in
      zip(pattern, rest).allSatisfy { wanted, byte in
        switch wanted {
        case UInt8(ascii: "0"): isDigit(byte)
        case UInt8(ascii: "x"):
          isDigit(byte) || (byte | 0x20 >= UInt8(ascii: "a") && byte | 0x20 <= UInt8(ascii: "f"))
        default: wanted == byte
        }
      }
    }
  }
}
