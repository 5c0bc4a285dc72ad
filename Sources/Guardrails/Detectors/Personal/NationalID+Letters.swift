// SPDX-License-Identifier: Apache-2.0

extension NationalID {
  /// An identity number that begins with a letter.
  static func lettered(in reader: inout Reader, at start: Int) -> Match? {
    let last = reader.past(start - 1)
    if last == UInt8(ascii: "_") || last == UInt8(ascii: "-") { return nil }
    return insurance(in: &reader, at: start) ?? codiceFiscale(in: &reader, at: start)
      ?? foreigner(in: &reader, at: start)
  }

  /// An identity number that begins with a digit and has a letter, or two lengths of groups.
  static func mixed(in reader: inout Reader, at start: Int) -> Match? {
    if Number.isTied(before: start, in: reader) { return nil }
    return spanish(in: &reader, at: start) ?? french(in: &reader, at: start)
  }

  /// UK national insurance number, in one piece or in pairs; upper case, since lower is hexadecimal.
  /// Source: HMRC, NIM39110.
  private static func insurance(in reader: inout Reader, at start: Int) -> Match? {
    let first = reader[start]
    guard first.isUpper, !ByteSet("DFIQUV").contains(first) else { return nil }
    let second = reader[start + 1]
    guard second.isUpper, !ByteSet("DFIQUVO").contains(second) else { return nil }
    switch (first, second) {
    case (UInt8(ascii: "B"), UInt8(ascii: "G")), (UInt8(ascii: "G"), UInt8(ascii: "B")),
      (UInt8(ascii: "N"), UInt8(ascii: "K")), (UInt8(ascii: "K"), UInt8(ascii: "N")),
      (UInt8(ascii: "T"), UInt8(ascii: "N")), (UInt8(ascii: "N"), UInt8(ascii: "T")),
      (UInt8(ascii: "Z"), UInt8(ascii: "Z")):
      return nil
    default: break
    }
    var at = start + 2
    let isSpaced = reader[at] == UInt8(ascii: " ")
    for _ in 0..<3 {
      if isSpaced {
        guard reader[at] == UInt8(ascii: " ") else { return nil }
        at += 1
      }
      guard reader[at].isDigit, reader[at + 1].isDigit else { return nil }
      at += 2
    }
    if isSpaced, reader[at] == UInt8(ascii: " ") { at += 1 }
    guard (UInt8(ascii: "A")...UInt8(ascii: "D")).contains(reader[at]) else { return nil }
    return ends(in: &reader, start, at + 1)
  }

  /// Italian codice fiscale: sixteen characters, the last a check.
  /// Source: Decreto Ministeriale 23 December 1976; letters LMNPQRSTUV stand for digits of like names.
  private static func codiceFiscale(in reader: inout Reader, at start: Int) -> Match? {
    let forms: StaticString = "AAAAAA99M99A999A"
    var sum = 0
    for index in 0..<16 {
      let byte = reader[start + index].uppercased
      switch forms.utf8Start[index] {
      case UInt8(ascii: "9"):
        guard byte.isDigit || ByteSet("LMNPQRSTUV").contains(byte) else { return nil }
      case UInt8(ascii: "M"): guard ByteSet("ABCDEHLMPRST").contains(byte) else { return nil }
      default: guard byte.isUpper else { return nil }
      }
      if index == 15 { return sum % 26 == Int(byte) - 0x41 ? ends(in: &reader, start, start + 16) : nil }
      let value = byte.isDigit ? byte.digit : Int(byte) - 0x41
      sum += index.isMultiple(of: 2) ? oddValues[value] : value
    }
    return nil
  }

  private static let oddValues = [
    1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23,
  ]

  /// Spanish NIE: X, Y or Z stand for 0, 1 or 2 before a DNI of seven digits.
  private static func foreigner(in reader: inout Reader, at start: Int) -> Match? {
    let first = reader[start]
    guard (UInt8(ascii: "X")...UInt8(ascii: "Z")).contains(first) else { return nil }
    let digits = reader[start + 1] == UInt8(ascii: "-") ? start + 2 : start + 1
    return control(in: &reader, start, digits: digits, count: 7, prefix: Int(first) - 0x58)
  }

  private static func spanish(in reader: inout Reader, at start: Int) -> Match? {
    control(in: &reader, start, digits: start, count: 8, prefix: 0)
  }

  /// Digits whose remainder modulo 23 gives a letter. Source: Real Decreto 1553/2005, article 11.
  private static func control(
    in reader: inout Reader, _ start: Int, digits: Int, count: Int, prefix: Int
  ) -> Match? {
    var value = prefix
    for index in digits..<(digits + count) {
      guard reader[index].isDigit else { return nil }
      value = value * 10 + reader[index].digit
    }
    let letter = reader[digits + count] == UInt8(ascii: "-") ? digits + count + 1 : digits + count
    let letters: StaticString = "TRWAGMYFPDXBNJZSQVHLCKE"
    guard reader[letter] == letters.utf8Start[value % 23] else { return nil }
    return ends(in: &reader, start, letter + 1)
  }

  /// French NIR: sex, year, month, department, commune, order and a key of two digits.
  /// Source: INSEE, "Numéro d'inscription au répertoire"; key 97 - n mod 97, 2A counts 19, 2B 18.
  private static func french(in reader: inout Reader, at start: Int) -> Match? {
    guard ByteSet("123478").contains(reader[start]) else { return nil }
    // Where spaces stand when the number is written in parts.
    let parts = 1 << 1 | 1 << 3 | 1 << 5 | 1 << 7 | 1 << 10 | 1 << 13
    var at = start
    var isSpaced = false
    var value = 0
    var key = 0
    var month = 0
    for index in 0..<15 {
      if parts >> index & 1 == 1, index == 1 || isSpaced || index == 13, reader[at] == UInt8(ascii: " ") {
        isSpaced = isSpaced || index == 1
        at += 1
      }
      var byte = reader[at]
      if index == 6, byte == UInt8(ascii: "A") || byte == UInt8(ascii: "B"), value % 10 == 2 {
        value -= 1
        byte = byte == UInt8(ascii: "A") ? UInt8(ascii: "9") : UInt8(ascii: "8")
      }
      guard byte.isDigit else { return nil }
      if index < 13 { value = value * 10 + byte.digit } else { key = key * 10 + byte.digit }
      if index == 4 {
        month = value % 100
        guard (1...12).contains(month) || (20...42).contains(month) || month >= 50 else { return nil }
      }
      at += 1
    }
    return key == 97 - value % 97 ? ends(in: &reader, start, at) : nil
  }

  private static func ends(in reader: inout Reader, _ start: Int, _ end: Int) -> Match? {
    if reader[end] == UInt8(ascii: "-"), reader[end + 1].isWord { return nil }
    return reader[end].isWord || reader.isWord(at: end) ? nil : Match(start, end)
  }
}
