// SPDX-License-Identifier: Apache-2.0
import Glibc

/// The text of strings as it stands in JSON.
enum JSONText {
  static func isEqual(_ bytes: Slice<UnsafeBufferPointer<UInt8>>, _ text: StaticString) -> Bool {
    guard bytes.count == text.utf8CodeUnitCount, let start = bytes.base.baseAddress else { return false }
    return memcmp(start + bytes.startIndex, text.utf8Start, bytes.count) == 0
  }

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

  /// Appends the text in quotes, escaped where it has to be.
  static func quote(_ text: String, to output: inout OutputBuffer) {
    text.withUTF8Bytes { quote($0, to: &output) }
  }

  private static func quote(_ text: UnsafeBufferPointer<UInt8>, to output: inout OutputBuffer) {
    // Most texts have nothing to escape.
    let place = output.reserve(text.count + wordBytes + 2)
    place.pointee = UInt8(ascii: "\"")
    var index = copyPlain(text, from: 0, to: text.count, at: place + 1)
    output.commit(1 + index)
    while index < text.count {
      index = escape(text, from: index, to: min(index + pieceBytes, text.count), to: &output)
    }
    output.append(UInt8(ascii: "\""))
  }

  /// - Returns: `end`.
  private static func escape(
    _ text: UnsafeBufferPointer<UInt8>, from start: Int, to end: Int, to output: inout OutputBuffer
  ) -> Int {
    let place = output.reserve((end - start) * escapeBytesMax + wordBytes)
    var (index, written) = (start, 0)
    while true {
      let plain = copyPlain(text, from: index, to: end, at: place + written)
      index += plain
      written += plain
      if index == end { break }
      written += writeEscape(of: text[index], to: place + written)
      index += 1
    }
    output.commit(written)
    return end
  }

  /// Copies up to the first byte that has to be escaped; there has to be room for a word more.
  ///
  /// - Returns: How many bytes.
  private static func copyPlain(
    _ text: UnsafeBufferPointer<UInt8>, from start: Int, to end: Int, at place: UnsafeMutablePointer<UInt8>
  ) -> Int {
    var index = start
    while index + wordBytes <= end {
      // Eight are copied, as many are kept as stand before the first special one.
      let word = UnsafeRawBufferPointer(text).loadUnaligned(fromByteOffset: index, as: UInt64.self)
      UnsafeMutableRawPointer(place + (index - start)).storeBytes(of: word, as: UInt64.self)
      let found = specials(of: word)
      if found != 0 { return index - start + found.trailingZeroBitCount >> 3 }
      index += wordBytes
    }
    while index < end, !isSpecial(text[index]) {
      place[index - start] = text[index]
      index += 1
    }
    return index - start
  }

  private static let wordBytes = 8
  /// As much is escaped at once, with room for the most that can become of it.
  private static let pieceBytes = 512

  /// - Returns: How many bytes it takes.
  private static func writeEscape(
    of byte: UInt8, to place: UnsafeMutablePointer<UInt8>
  ) -> Int {
    place[0] = UInt8(ascii: "\\")
    let short: UInt8? =
      switch byte {
      case 0x20...: byte
      case 0x0A: UInt8(ascii: "n")
      case 0x0D: UInt8(ascii: "r")
      case 0x09: UInt8(ascii: "t")
      default: nil
      }
    if let short {
      place[1] = short
      return 2
    }
    place[1] = UInt8(ascii: "u")
    place[2] = UInt8(ascii: "0")
    place[3] = UInt8(ascii: "0")
    place[4] = hexDigit(byte >> 4)
    place[5] = hexDigit(byte & 15)
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
