// SPDX-License-Identifier: Apache-2.0

/// Finds personal data by its shape and, where it has one, its checksum.
public enum Redaction {
  /// It takes some 100 ns a byte, in which its thread cannot pause.
  static let bytesMax = 128 << 10

  /// Puts `[email]`, `[card]`, `[iban]` or `[phone]` in place of what looks like one.
  public static func redact(_ text: String) -> String {
    let words = Array(text.utf8)
    var kept: [UInt8] = []
    kept.reserveCapacity(words.count)
    var at = 0
    while at < words.count {
      // A find may only begin where no word is under way.
      let isStart = at == 0 || !isWordByte(words[at - 1])
      if isStart, let (length, label) = find(words[at...]) {
        kept += Array(label.utf8)
        at += length
      } else {
        kept.append(words[at])
        at += 1
      }
    }
    return String(decoding: kept, as: UTF8.self)
  }

  /// Bytes that a number may have with its spaces: the scan from each place is bounded, so the whole is linear.
  private static let lengthMax = 48

  private static func find(_ rest: ArraySlice<UInt8>) -> (length: Int, label: String)? {
    if let length = email(rest) { return (length, "[email]") }
    if let length = iban(rest) { return (length, "[iban]") }
    return number(rest)
  }

  private static func isDigit(_ byte: UInt8) -> Bool {
    byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9")
  }

  private static func isLetter(_ byte: UInt8) -> Bool {
    byte | 0x20 >= UInt8(ascii: "a") && byte | 0x20 <= UInt8(ascii: "z")
  }

  private static func isWordByte(_ byte: UInt8) -> Bool { isDigit(byte) || isLetter(byte) || byte >= 0x80 }

  private static func email(_ rest: ArraySlice<UInt8>) -> Int? {
    // Longest local part by RFC 5321.
    let local = rest.prefix(65).prefix {
      isDigit($0) || isLetter($0) || ".!#$%&'*+/=?^_`{|}~-".utf8.contains($0)
    }
    guard !local.isEmpty, local.endIndex < rest.endIndex, rest[local.endIndex] == UInt8(ascii: "@") else {
      return nil
    }
    var domain = rest[(local.endIndex + 1)...].prefix(255)
      .prefix { isDigit($0) || isLetter($0) || $0 == UInt8(ascii: ".") || $0 == UInt8(ascii: "-") }
    while domain.last == UInt8(ascii: ".") || domain.last == UInt8(ascii: "-") { domain.removeLast() }
    guard let dot = domain.lastIndex(of: UInt8(ascii: ".")), dot > domain.startIndex,
      domain.endIndex - dot > 2
    else {
      return nil
    }
    return domain.endIndex - rest.startIndex
  }

  /// Source of the checksum: ISO 13616 (ISO 7064, mod 97-10).
  private static func iban(_ rest: ArraySlice<UInt8>) -> Int? {
    guard rest.count >= 15, rest.prefix(2).allSatisfy({ isLetter($0) && $0 & 0x20 == 0 }),
      rest.dropFirst(2).prefix(2).allSatisfy(isDigit)
    else { return nil }
    var characters: [UInt8] = []
    var end = rest.startIndex
    var at = rest.startIndex
    while at < rest.endIndex, characters.count < 34, at - rest.startIndex < lengthMax {
      let byte = rest[at]
      if isDigit(byte) || (isLetter(byte) && byte & 0x20 == 0) {
        characters.append(byte)
        end = at + 1
        // The longest prefix with a right checksum is the number; a word may follow it.
        if characters.count >= 15, at + 1 == rest.endIndex || !isWordByte(rest[at + 1]), isRight(characters) {
          return end - rest.startIndex
        }
      } else if byte != UInt8(ascii: " ") {
        break
      }
      at += 1
    }
    return nil
  }

  private static func isRight(_ iban: [UInt8]) -> Bool {
    var remainder = 0
    for byte in iban[4...] + iban[..<4] {
      let value = isDigit(byte) ? Int(byte) - 48 : Int(byte) - 55
      remainder = (remainder * (value > 9 ? 100 : 10) + value) % 97
    }
    return remainder == 1
  }

  /// A card by the checksum of ISO/IEC 7812 (Luhn), else a telephone number by its length and its `+` or `0`.
  private static func number(_ rest: ArraySlice<UInt8>) -> (length: Int, label: String)? {
    var digits: [UInt8] = []
    var end = rest.startIndex
    var at = rest.startIndex
    let isInternational = rest.first == UInt8(ascii: "+")
    if isInternational { at += 1 }
    while at < rest.endIndex, digits.count < 20, at - rest.startIndex < lengthMax {
      if isDigit(rest[at]) {
        digits.append(rest[at] - 48)
        end = at + 1
      } else if digits.isEmpty && rest[at] != UInt8(ascii: "(") || !" -()./".utf8.contains(rest[at]) {
        break
      }
      at += 1
    }
    guard end == rest.endIndex || !isWordByte(rest[end]) else { return nil }
    if !isInternational, (13...19).contains(digits.count), hasLuhnSum(digits) {
      return (end - rest.startIndex, "[card]")
    }
    let isPhone =
      isInternational ? (8...15).contains(digits.count) : (9...12).contains(digits.count) && digits.first == 0
    return isPhone ? (end - rest.startIndex, "[phone]") : nil
  }

  private static func hasLuhnSum(_ digits: [UInt8]) -> Bool {
    var sum = 0
    for (index, digit) in digits.reversed().enumerated() {
      let doubled = Int(digit) * (index % 2 == 1 ? 2 : 1)
      sum += doubled > 9 ? doubled - 9 : doubled
    }
    return sum % 10 == 0
  }
}
