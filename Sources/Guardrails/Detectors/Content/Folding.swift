// SPDX-License-Identifier: Apache-2.0

/// Reads a text as its plain letters: case, accents, width and lookalikes are folded away, and
/// characters that nobody sees are passed over.
enum Folding {
  enum Character {
    /// A lower-case ASCII letter, or a digit.
    case letter(UInt8)
    case ignored
    case other
  }

  /// The character at an index, and how many bytes it has.
  static func character(in reader: inout Reader, at index: Int) -> (Character, Int) {
    let byte = reader[index]
    if byte < 0x80 {
      if byte.isAlphanumeric { return (.letter(byte.lowercased), 1) }
      return (byte == UInt8(ascii: "'") ? .ignored : .other, 1)
    }
    if let length = Invisible.length(in: &reader, at: index) { return (.ignored, length) }
    switch byte {
    case 0xC2: return (reader[index + 1] == 0xAD ? .ignored : .other, 2)
    case 0xC3:
      let plain = latin.utf8Start[Int(reader[index + 1] & 0x1F)]
      return (plain == UInt8(ascii: "-") ? .other : .letter(plain), 2)
    case 0xCC: return (.ignored, 2)
    case 0xCD: return (reader[index + 1] < 0xB0 ? .ignored : .other, 2)
    case 0xD0, 0xD1: return (cyrillic(byte, reader[index + 1]).map { .letter($0) } ?? .other, 2)
    case 0xE2:
      // The typographic apostrophe.
      return (reader[index + 1] == 0x80 && reader[index + 2] == 0x99 ? .ignored : .other, 3)
    case 0xEF:
      let code = Int(reader[index + 1] & 0x3F) << 6 | Int(reader[index + 2] & 0x3F)
      // Fullwidth forms, U+FF21 and U+FF41; the lead byte stands for U+F000.
      if (0xF21...0xF3A).contains(code) { return (.letter(UInt8(code - 0xF21) + 0x61), 3) }
      if (0xF41...0xF5A).contains(code) { return (.letter(UInt8(code - 0xF41) + 0x61), 3) }
      return ((0xE00...0xE0F).contains(code) ? .ignored : .other, 3)
    case 0xF0: return (mathematical(in: &reader, at: index), 4)
    default: return (.other, byte < 0xE0 ? 2 : byte < 0xF0 ? 3 : 4)
    }
  }

  /// U+00C0 to U+00DF without their accents; the lower case follows in the same order.
  private static let latin: StaticString = "aaaaaaaceeeeiiiidnooooo-ouuuuyps"

  private static func cyrillic(_ lead: UInt8, _ second: UInt8) -> UInt8? {
    let letters: [(UInt8, UInt8, UInt8)] = [
      (0xD0, 0x90, 0x61), (0xD0, 0xB0, 0x61), (0xD0, 0x95, 0x65), (0xD0, 0xB5, 0x65), (0xD0, 0x9E, 0x6F),
      (0xD0, 0xBE, 0x6F), (0xD0, 0xA0, 0x70), (0xD1, 0x80, 0x70), (0xD0, 0xA1, 0x63), (0xD1, 0x81, 0x63),
      (0xD1, 0x83, 0x79), (0xD0, 0xA5, 0x78), (0xD1, 0x85, 0x78), (0xD0, 0x86, 0x69), (0xD1, 0x96, 0x69),
      (0xD1, 0x95, 0x73), (0xD0, 0x9C, 0x6D), (0xD0, 0xA2, 0x74), (0xD0, 0x9A, 0x6B), (0xD1, 0x98, 0x6A),
    ]
    return letters.first { $0.0 == lead && $0.1 == second }?.2
  }

  /// Letters of mathematical alphabets, U+1D400 to U+1D6A3: thirteen times upper and lower case.
  private static func mathematical(in reader: inout Reader, at index: Int) -> Character {
    guard reader[index + 1] == 0x9D else { return .other }
    let code = 0x1D000 | Int(reader[index + 2] & 0x3F) << 6 | Int(reader[index + 3] & 0x3F)
    guard (0x1D400...0x1D6A3).contains(code) else { return .other }
    return .letter(UInt8((code - 0x1D400) % 26) + 0x61)
  }
}

/// Characters that have no shape, or turn the direction of others.
enum Invisible {
  /// The bytes of the invisible character at an index; `nil` for any other.
  static func length(in reader: inout Reader, at index: Int) -> Int? {
    switch reader[index] {
    case 0xE2:
      let second = reader[index + 1]
      let third = reader[index + 2]
      let isGeneral = second == 0x80 && ((0x8B...0x8F).contains(third) || (0xAA...0xAE).contains(third))
      return isGeneral || second == 0x81 && (0xA0...0xAF).contains(third) ? 3 : nil
    case 0xEF: return reader[index + 1] == 0xBB && reader[index + 2] == 0xBF ? 3 : nil
    // Tags, U+E0000 to U+E007F, and variation selectors, U+E0100 to U+E01EF.
    case 0xF3:
      guard reader[index + 1] == 0xA0 else { return nil }
      return (0x80...0x87).contains(reader[index + 2]) ? 4 : nil
    default: return nil
    }
  }

  /// Runs of at least three, any tag, and any override of direction.
  ///
  /// A joiner in an emoji, a mark in Arabic or a byte order mark stands alone; the flags of England,
  /// Scotland and Wales are spelled in tags after a black flag. Source: UTS 51, 1.4.6.
  static func match(in reader: inout Reader, at start: Int) -> Match? {
    // A run was judged where it began.
    if reader.past(start - 4) == 0xF3, reader.past(start - 3) == 0xA0 { return nil }
    var at = start
    var count = 0
    var isHostile = false
    while count < 64, let length = length(in: &reader, at: at) {
      let isTag = length == 4 && reader.past(at + 2) < 0x82
      let isOverride =
        length == 3 && reader.past(at + 1) == 0x80 && (0xAD...0xAE).contains(reader.past(at + 2))
      isHostile = isHostile || isTag || isOverride
      at += length
      count += 1
    }
    guard isHostile || count > 2 else { return nil }
    let isFlag =
      reader.past(start - 4) == 0xF0 && reader.past(start - 3) == 0x9F && reader.past(start - 2) == 0x8F
      && reader.past(start - 1) == 0xB4
    if isFlag, count <= 7 { return nil }
    return Match(start, at, tail: count == 64 ? .invisible : nil)
  }
}
