// SPDX-License-Identifier: Apache-2.0

/// The text of strings as it stands in JSON.
enum JSONText {
  /// Where the first byte is that may not stand in a string as it is, looked for eight at a time; the end where none is.
  static func firstSpecial(in buffer: UnsafeBufferPointer<UInt8>, from start: Int) -> Int {
    let raw = UnsafeRawBufferPointer(buffer)
    var index = start
    while index + 8 <= raw.count {
      let found = specials(of: raw.loadUnaligned(fromByteOffset: index, as: UInt64.self))
      if found != 0 { return index + found.trailingZeroBitCount >> 3 }
      index += 8
    }
    while index < buffer.count, !isSpecial(buffer[index]) { index += 1 }
    return index
  }

  /// The most bytes that one of a string takes.
  private static let escapeBytesMax = 6

  /// Hands over the text as it has to stand between quotes, in pieces.
  static func escape(_ text: UnsafeBufferPointer<UInt8>, _ body: (UnsafeBufferPointer<UInt8>) -> Void) {
    withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 1024) { piece in
      var (index, count) = (0, 0)
      while index < text.count {
        if count + 8 + escapeBytesMax > piece.count {
          body(UnsafeBufferPointer(rebasing: piece[..<count]))
          count = 0
        }
        if index + 8 <= text.count {
          // Eight are copied, as many are kept as stand before the first special one.
          let word = UnsafeRawBufferPointer(text).loadUnaligned(fromByteOffset: index, as: UInt64.self)
          UnsafeMutableRawBufferPointer(piece).storeBytes(of: word, toByteOffset: count, as: UInt64.self)
          let plain = specials(of: word).trailingZeroBitCount >> 3
          index += plain
          count += plain
          if plain == 8 { continue }
        } else if !isSpecial(text[index]) {
          piece[count] = text[index]
          index += 1
          count += 1
          continue
        }
        count += writeEscape(of: text[index], to: piece, at: count)
        index += 1
      }
      body(UnsafeBufferPointer(rebasing: piece[..<count]))
    }
  }

  /// - Returns: How many bytes it takes.
  private static func writeEscape(
    of byte: UInt8, to piece: UnsafeMutableBufferPointer<UInt8>, at index: Int
  ) -> Int {
    piece[index] = UInt8(ascii: "\\")
    let short: UInt8? =
      switch byte {
      case 0x20...: byte
      case 0x0A: UInt8(ascii: "n")
      case 0x0D: UInt8(ascii: "r")
      case 0x09: UInt8(ascii: "t")
      default: nil
      }
    if let short {
      piece[index + 1] = short
      return 2
    }
    piece[index + 1] = UInt8(ascii: "u")
    piece[index + 2] = UInt8(ascii: "0")
    piece[index + 3] = UInt8(ascii: "0")
    piece[index + 4] = hexDigit(byte >> 4)
    piece[index + 5] = hexDigit(byte & 15)
    return escapeBytesMax
  }

  private static func hexDigit(_ value: UInt8) -> UInt8 {
    value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "a") + value - 10
  }

  /// The top bit of the first special byte of eight, and of none before it; what follows may be suspected for nothing.
  ///
  /// Source: Warren, Hacker's Delight, 6-1: a byte of a word that is 0 has its top bit set in `(word - 0x01…) & ~word`,
  /// and only what borrows from a neighbour before it has it as well.
  private static func specials(of bytes: UInt64) -> UInt64 {
    let word = UInt64(littleEndian: bytes)
    let ones: UInt64 = 0x0101_0101_0101_0101
    let quote = word ^ (ones &* 0x22)
    let backslash = word ^ (ones &* 0x5C)
    let suspects =
      (word &- (ones &* 0x20)) & ~word | (quote &- ones) & ~quote | (backslash &- ones) & ~backslash
    return suspects & (ones &* 0x80)
  }

  private static func isSpecial(_ byte: UInt8) -> Bool { byte < 0x20 || byte == 0x22 || byte == 0x5C }
}
