// SPDX-License-Identifier: Apache-2.0

/// Phone numbers: international with a plus, or national in a form that nothing else has.
///
/// Any other form counts only where a word such as "tel" or "call" stands before it.
enum Phone {
  private static let labels: [StaticString] = [
    "tel", "phone", "telephone", "telefon", "telefono", "telefonnummer", "mobile", "mobil", "cell",
    "call", "fax", "handy", "handynummer", "rufnummer", "whatsapp", "sms", "portable", "movil", "celular",
    "dial", "ring", "phone_number", "phonenumber",
  ]

  /// The most digits of a number, its country's code included, where the country is strict.
  /// Source: ITU-T E.164 and the national numbering plans.
  private static let digitsMaxByCountry: [Int: Int] = [
    1: 11, 7: 11, 31: 11, 32: 11, 33: 11, 34: 11, 41: 11, 44: 12, 45: 10, 46: 12, 47: 10, 48: 11, 55: 13,
    61: 11, 81: 12, 86: 13, 91: 12,
  ]

  /// The number that begins at a plus. Source: ITU-T E.164: at most 15 digits.
  static func international(in reader: inout Reader, at start: Int) -> Match? {
    guard reader[start + 1].isDigit, reader[start + 1] != UInt8(ascii: "0") else { return nil }
    let last = reader.past(start - 1)
    if reader.isWord(before: start) || last == UInt8(ascii: "+") || last == UInt8(ascii: "_") { return nil }

    var at = start + 1
    var digits = 0
    var digitsMax = 15
    var country = 0
    var end: Int?
    var parted: Int?
    var hasSeparator = false
    while true {
      let group = at
      while reader[at].isDigit, at - group <= 15 {
        if digits + at - group < 2 {
          country = country * 10 + reader[at].digit
          digitsMax = digitsMaxByCountry[country] ?? digitsMax
        }
        at += 1
      }
      digits += at - group
      guard at > group, digits <= digitsMax else { break }
      end = at
      // Nothing is written after a long group but the next number of a list.
      if at - group > 5, reader[at] == UInt8(ascii: " ") { break }
      guard let next = separatorEnd(in: &reader, at: at) else { break }
      hasSeparator = true
      if reader[at] == UInt8(ascii: " ") { parted = at }
      at = next
    }
    // A list may go on in other forms: the number then ends before the last space.
    if let last = end, isTied(after: last, in: &reader) { end = parted }
    guard let end else { return nil }
    let kept = (start..<end).reduce(0) { $0 + (reader.past($1).isDigit ? 1 : 0) }
    return kept >= (hasSeparator ? 8 : 9) ? Match(start, end) : nil
  }

  /// Where the next group begins: after a separator, "(0)", or brackets around the area.
  private static func separatorEnd(in reader: inout Reader, at start: Int) -> Int? {
    var at = start
    let first = reader[at]
    if first == UInt8(ascii: " ") || first == UInt8(ascii: "-") || first == UInt8(ascii: ".")
      || first == UInt8(ascii: "/")
    {
      at += 1
    }
    if reader[at] == UInt8(ascii: "(") {
      at += 1
    } else if reader[at] == UInt8(ascii: ")"), at == start {
      at += 1
      if reader[at] == UInt8(ascii: " ") || reader[at] == UInt8(ascii: "-") { at += 1 }
    }
    return at > start && reader[at].isDigit ? at : nil
  }

  private static func isTied(after end: Int, in reader: inout Reader) -> Bool {
    reader[end].isDigit || Number.isTied(after: end, in: &reader)
  }

  /// The number whose area stands in brackets: (415) 555-2671, (030) 1234567.
  static func bracketed(in reader: inout Reader, at start: Int) -> Match? {
    let area = reader.run(of: .digits, from: start + 1, bytesMax: 6)
    guard (2...5).contains(area - start - 1), reader[area] == UInt8(ascii: ")") else { return nil }
    if reader.isWord(before: start) { return nil }
    var at = area + 1
    if reader[at] == UInt8(ascii: " ") || reader[at] == UInt8(ascii: "-") { at += 1 }
    guard reader[at].isDigit, let number = Number(in: &reader, at: at) else { return nil }
    let isAmerican = area - start == 4 && reader[start + 1] >= UInt8(ascii: "2")
    for count in stride(from: min(number.groups, 4), to: 0, by: -1) where number.mayEnd(after: count) {
      let shape = number.shape(of: count)
      let fits =
        isAmerican
        ? shape == 0x34 || shape == 0x7
        : reader[start + 1] == UInt8(ascii: "0") && (6...8).contains(number.digits(in: count))
      if fits { return Match(start, number.end(of: count)) }
    }
    return nil
  }

  /// The number that begins at a digit.
  static func national(_ number: Number, in reader: Reader) -> Match? {
    for count in stride(from: number.groups, to: 0, by: -1) where number.mayEnd(after: count) {
      let fits =
        number.digit(0) == 0
        ? isEuropean(number, groups: count) : isAmerican(number, groups: count, in: reader)
      if fits || isLabelled(number, groups: count, in: reader) {
        return Match(number.start, number.end(of: count))
      }
    }
    return nil
  }

  private static func isAmerican(_ number: Number, groups: Int, in reader: Reader) -> Bool {
    let first: Int
    switch number.shape(of: groups) {
    case 0x334: first = 0
    case 0x1334 where number.digit(0) == 1: first = 1
    default: return false
    }
    guard number.digit(first) >= 2, number.digit(first + 3) >= 2, let separator = number.separator(of: groups)
    else { return false }
    return separator == UInt8(ascii: "-") || separator == UInt8(ascii: ".")
  }

  /// A trunk zero, an area and the rest, as in most of Europe: 030 1234567, 020 7946 0958, 01 23 45 67 89.
  private static func isEuropean(_ number: Number, groups: Int) -> Bool {
    guard groups > 1, number.length(0) >= 2, number.digit(1) != 0 else { return false }
    guard (9...12).contains(number.digits(in: groups)) else { return false }
    let separator = number.separator(before: 1)
    if number.shape(of: groups) == 0x22222 {
      return number.separator(of: groups) != nil && separator != UInt8(ascii: "/")
    }
    // After the area, numbers are parted by spaces; a point would make it a version or a date.
    let isParted = (2..<max(groups, 2)).allSatisfy {
      number.separator(before: $0) == UInt8(ascii: " ") || number.separator(before: $0) == UInt8(ascii: "-")
    }
    guard isParted, separator != UInt8(ascii: "."), number.length(0) <= 5 else { return false }
    switch (groups, number.length(0)) {
    case (2, 2...5): return (5...8).contains(number.length(1))
    case (3, 2...5): return (3...4).contains(number.length(1)) && (3...4).contains(number.length(2))
    case (4, 3...4): return number.shape(of: groups) & 0xFFF == 0x322
    default: return false
    }
  }

  private static func isLabelled(_ number: Number, groups: Int, in reader: Reader) -> Bool {
    guard (7...15).contains(number.digits(in: groups)), number.shape(of: groups) != 0x422 else {
      return false
    }
    let isPlain = (1..<max(groups, 1)).allSatisfy {
      number.separator(before: $0) == UInt8(ascii: " ") || number.separator(before: $0) == UInt8(ascii: "-")
    }
    return isPlain && reader.hasLabel(labels, before: number.start)
  }
}
