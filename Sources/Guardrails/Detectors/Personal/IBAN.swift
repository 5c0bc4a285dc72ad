// SPDX-License-Identifier: Apache-2.0

/// Bank account numbers, in one piece or in groups of four.
enum IBAN {
  /// Characters of a number by country. Source: SWIFT IBAN registry, release 100.
  private static let lengths: [UInt16: Int] = {
    let table: [(Int, StaticString)] = [
      (15, "NO"), (16, "BE"), (18, "DKFIFOFKGLNLSD"), (19, "MKSI"), (20, "ATBAKZLTLUXKEEMN"),
      (21, "CHHRLILV"), (22, "BGBHCRDEGBGEIEMERSVA"), (23, "AEGIILIQOMSOTL"),
      (24, "ADCZESMDPKROSASESKTNVG"), (25, "LYPTST"), (26, "ISTR"), (27, "BIDJFRGRITMCMRSM"),
      (28, "ALAZBYCYDOGTHNHULBNIPLSV"), (29, "BREGPSQAUA"), (30, "JOKWMUYE"), (31, "MTSC"), (32, "LC"),
      (33, "RU"),
    ]
    var lengths: [UInt16: Int] = [:]
    for (length, countries) in table {
      for offset in stride(from: 0, to: countries.utf8CodeUnitCount, by: 2) {
        lengths[pair(countries.utf8Start[offset], countries.utf8Start[offset + 1])] = length
      }
    }
    return lengths
  }()

  private static func pair(_ first: UInt8, _ second: UInt8) -> UInt16 { UInt16(first) << 8 | UInt16(second) }

  static func match(in reader: inout Reader, at start: Int) -> Match? {
    let country = pair(reader[start].uppercased, reader[start + 1].uppercased)
    guard reader[start + 2].isDigit, reader[start + 3].isDigit, let length = lengths[country] else {
      return nil
    }
    let last = reader.past(start - 1)
    guard last != UInt8(ascii: "_"), last != UInt8(ascii: "-") else { return nil }

    // The first four count last: their remainder is kept apart.
    var head = 0
    var rest = 0
    var at = start
    var isGrouped = false
    for index in 0..<length {
      if index > 0, index % 4 == 0, index == 4 || isGrouped, reader[at] == UInt8(ascii: " ") {
        isGrouped = true
        at += 1
      }
      let byte = reader[at].uppercased
      guard byte.isAlphanumeric else { return nil }
      let value = byte.isDigit ? byte.digit : Int(byte) - 0x41 + 10
      let remainder = ((index < 4 ? head : rest) * (value > 9 ? 100 : 10) + value) % 97
      if index < 4 { head = remainder } else { rest = remainder }
      at += 1
    }
    // Two letters and two digits make six digits: 10^6 is 27 modulo 97. Source: ISO 7064, MOD 97-10.
    guard (rest * 27 + head) % 97 == 1, !reader[at].isWord, !reader.isWord(at: at) else { return nil }
    return Match(start, at)
  }
}
