// SPDX-License-Identifier: Apache-2.0

/// Groups of digits with one separator between each two, as they stand in a text.
struct Number {
  static let groupsMax = 8
  static let digitsMax = 24

  let start: Int
  private(set) var groups = 0
  private(set) var digits = 0
  private var lengths = SIMD8<UInt8>(repeating: 0)
  /// Offsets from the start.
  private var ends = SIMD8<UInt8>(repeating: 0)
  private var totals = SIMD8<UInt8>(repeating: 0)
  /// What stands before a group; nothing before the first.
  private var separators = SIMD8<UInt8>(repeating: 0)
  private var values = SIMD32<UInt8>(repeating: 0)
  /// Whether a letter, or a sign that ties numbers together, follows the last group.
  private var isTied = false

  /// Reads what begins at a digit; `nil` inside a longer word or number.
  init?(in reader: inout Reader, at start: Int) {
    self.start = start
    guard !Self.isTied(before: start, in: reader) else { return nil }
    var at = start
    while groups < Self.groupsMax {
      let group = at
      while reader[at].isDigit, digits < Self.digitsMax {
        values[digits] = reader[at] - 0x30
        digits += 1
        at += 1
      }
      if reader[at].isDigit {
        // A group too many: what stands before it may still be a number.
        if groups == 0 { return nil }
        isTied = separators[groups] != UInt8(ascii: " ")
        return
      }
      lengths[groups] = UInt8(at - group)
      ends[groups] = UInt8(at - start)
      totals[groups] = UInt8(digits)
      groups += 1
      guard groups < Self.groupsMax, digits < Self.digitsMax, Self.isSeparator(reader[at]),
        reader[at + 1].isDigit
      else { break }
      separators[groups] = reader[at]
      at += 1
    }
    isTied = Self.isTied(after: at, in: &reader)
  }

  private static func isSeparator(_ byte: UInt8) -> Bool {
    byte == UInt8(ascii: " ") || byte == UInt8(ascii: "-") || byte == UInt8(ascii: ".")
      || byte == UInt8(ascii: "/")
  }

  /// Whether a number that begins at an index belongs to something longer: a word, a date, a version,
  /// an address, a price.
  static func isTied(before start: Int, in reader: Reader) -> Bool {
    let last = reader.past(start - 1)
    if last == UInt8(ascii: " ") || last == 0 { return false }
    if last == UInt8(ascii: "_") || last == UInt8(ascii: "$") || reader.isWord(before: start) { return true }
    switch last {
    // What a mask left of a number; two stars are emphasis.
    case UInt8(ascii: "*") where reader.past(start - 2) == last && reader.past(start - 3) == last: return true
    case UInt8(ascii: "."), UInt8(ascii: "-"), UInt8(ascii: ","), UInt8(ascii: "+"), UInt8(ascii: "*"),
      UInt8(ascii: "/"), UInt8(ascii: "\\"):
      return reader.isWord(before: start - 1) || last == UInt8(ascii: "+") || last == UInt8(ascii: ".")
    case UInt8(ascii: ":"): return reader.past(start - 2).isDigit
    // The signs of the euro and the pound: E2 82 AC, C2 A3.
    case 0xAC: return reader.past(start - 2) == 0x82 && reader.past(start - 3) == 0xE2
    case 0xA3: return reader.past(start - 2) == 0xC2
    default: return false
    }
  }

  static func isTied(after end: Int, in reader: inout Reader) -> Bool {
    let next = reader[end]
    switch next {
    case UInt8(ascii: "_"), UInt8(ascii: "@"), UInt8(ascii: "%"): return true
    case UInt8(ascii: "."), UInt8(ascii: "-"), UInt8(ascii: ","), UInt8(ascii: "/"), UInt8(ascii: "+"):
      return reader[end + 1].isAlphanumeric
    case UInt8(ascii: ":"): return reader[end + 1].isDigit
    default: return reader.isWord(at: end)
    }
  }

  func length(_ group: Int) -> Int { Int(lengths[group]) }
  func separator(before group: Int) -> UInt8 { separators[group] }
  func digit(_ index: Int) -> Int { Int(values[index]) }

  /// Digits in the first groups.
  func digits(in count: Int) -> Int { Int(totals[count - 1]) }

  /// Where the first groups end.
  func end(of count: Int) -> Int { start + Int(ends[count - 1]) }

  /// Whether the number may be over after some groups: at its end, or at a space, which may
  /// stand between two numbers, too.
  func mayEnd(after count: Int) -> Bool {
    count == groups ? !isTied : separators[count] == UInt8(ascii: " ")
  }

  /// Lengths of the first groups, a hexadecimal digit each: 0x4444 for most cards.
  func shape(of count: Int) -> UInt32 {
    (0..<count).reduce(0) { $0 << 4 | UInt32(min(lengths[$1], 15)) }
  }

  /// The separator of the first groups when all are alike; 0 for one group.
  func separator(of count: Int) -> UInt8? {
    guard count > 1 else { return 0 }
    return (2..<max(count, 2)).allSatisfy { separators[$0] == separators[1] } ? separators[1] : nil
  }

  /// Value of some of the digits; at most 18 of them.
  func value(_ range: Range<Int>) -> Int { range.reduce(0) { $0 * 10 + digit($1) } }
}

extension Number {
  /// Source: ISO/IEC 7812-1, annex B.
  func passesLuhn(_ range: Range<Int>) -> Bool {
    var sum = 0
    var doubles = false
    for index in range.reversed() {
      let value = doubles ? digit(index) * 2 : digit(index)
      sum += value > 9 ? value - 9 : value
      doubles.toggle()
    }
    return sum % 10 == 0
  }

  /// Sum of digits, each with its weight.
  func weighted(_ weights: [Int], from first: Int = 0) -> Int {
    weights.indices.reduce(0) { $0 + weights[$1] * digit(first + $1) }
  }
}

/// Days that exist, near enough for numbers that are made from them.
func isDay(_ day: Int, month: Int, year: Int) -> Bool {
  guard (1...12).contains(month), day >= 1 else { return false }
  let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
  return day <= [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month - 1]
}
