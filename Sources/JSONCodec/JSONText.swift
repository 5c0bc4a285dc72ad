// SPDX-License-Identifier: Apache-2.0

/// The text of strings as it stands in JSON.
enum JSONText {
  /// Where the first byte is that may not stand in a string as it is, looked for eight at a time; the end where none is.
  ///
  /// Source: Warren, Hacker's Delight, 6-1: a byte of a word that is 0 has its top bit set in `(word - 0x01…) & ~word`.
  static func firstSpecial(in buffer: UnsafeBufferPointer<UInt8>, from start: Int) -> Int {
    let ones: UInt64 = 0x0101_0101_0101_0101
    let raw = UnsafeRawBufferPointer(buffer)
    var index = start
    while index + 8 <= raw.count {
      let word = raw.loadUnaligned(fromByteOffset: index, as: UInt64.self)
      let quote = word ^ (ones &* 0x22)
      let backslash = word ^ (ones &* 0x5C)
      let suspects =
        (word &- (ones &* 0x20)) & ~word | (quote &- ones) & ~quote | (backslash &- ones) & ~backslash
      // What borrows from its neighbour may be suspected for nothing.
      if suspects & (ones &* 0x80) != 0,
        let found = (index..<index + 8).first(where: { isSpecial(buffer[$0]) })
      {
        return found
      }
      index += 8
    }
    while index < buffer.count, !isSpecial(buffer[index]) { index += 1 }
    return index
  }

  private static func isSpecial(_ byte: UInt8) -> Bool { byte < 0x20 || byte == 0x22 || byte == 0x5C }
}
