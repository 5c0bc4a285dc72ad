// SPDX-License-Identifier: Apache-2.0

extension Lexer {
  // MARK: Numerals

  /// Reads all that could belong to a numeral, as the stock lexer does, then judges it whole.
  mutating func numeral() -> Token.Kind {
    let start = position
    let isHexadecimal = peek() == UInt8(ascii: "0") && (peek(1).map { $0 | 0x20 } == UInt8(ascii: "x"))
    let exponent = isHexadecimal ? UInt8(ascii: "p") : UInt8(ascii: "e")
    if isHexadecimal { advance(2) }
    while let byte = peek() {
      if byte | 0x20 == exponent {
        advance()
        if peek() == UInt8(ascii: "+") || peek() == UInt8(ascii: "-") { advance() }
      } else if byte.hexadecimalValue != nil || byte == UInt8(ascii: ".") {
        advance()
      } else {
        break
      }
    }
    while let byte = peek(), byte.isNamePart { advance() }
    let text = String(decoding: source.bytes[start.offset..<offset], as: UTF8.self)
    if let kind = isHexadecimal ? hexadecimal(text) : decimal(text) { return kind }
    refuse(
      start, .malformedNumber, "malformed number '\(text)'",
      hint: text.contains("..") ? "put spaces around '..'" : nil)
    return .number(0)
  }

  private func decimal(_ text: String) -> Token.Kind? {
    if let value = Int64(text) { return .integer(value) }
    let parts = text.lowercased().split(separator: "e", omittingEmptySubsequences: false)
    guard parts.count <= 2, isMantissa(parts[0], { $0.isDigit }), parts.count == 1 || isExponent(parts[1])
    else { return nil }
    // Swift's parser wants digits on both sides of the point.
    let mantissa = parts[0].split(separator: ".", omittingEmptySubsequences: false)
    let whole = mantissa[0].isEmpty ? "0" : mantissa[0]
    let fraction = mantissa.count == 2 && !mantissa[1].isEmpty ? mantissa[1] : "0"
    return Double("\(whole).\(fraction)e\(parts.count == 2 ? parts[1] : "0")").map { .number($0) }
      ?? .number(.infinity)
  }

  private func hexadecimal(_ text: String) -> Token.Kind? {
    let parts = text.dropFirst(2).lowercased().split(separator: "p", omittingEmptySubsequences: false)
    guard parts.count <= 2, isMantissa(parts[0], { $0.hexadecimalValue != nil }),
      parts.count == 1 || isExponent(parts[1])
    else { return nil }
    if parts.count == 1, !parts[0].contains(".") {
      // Integers wrap around.
      return .integer(
        Int64(
          bitPattern: parts[0].utf8.reduce(UInt64(0)) { value, byte in
            value &* 16 &+ UInt64(byte.hexadecimalValue ?? 0)
          }))
    }
    var value = 0.0
    var scale = 1.0
    var seenPoint = false
    for byte in parts[0].utf8 {
      guard let digit = byte.hexadecimalValue else {
        seenPoint = true
        continue
      }
      value = value * 16 + Double(digit)
      if seenPoint { scale /= 16 }
    }
    let exponent = parts.count == 2 ? max(-5000, min(5000, Int(parts[1]) ?? 0)) : 0
    return .number(value * scale * Double(sign: .plus, exponent: exponent, significand: 1))
  }

  private func isMantissa(_ text: Substring, _ isDigit: (UInt8) -> Bool) -> Bool {
    let points = text.utf8.count { $0 == UInt8(ascii: ".") }
    return points <= 1 && text.utf8.count > points
      && text.utf8.allSatisfy { isDigit($0) || $0 == UInt8(ascii: ".") }
  }

  private func isExponent(_ text: Substring) -> Bool {
    let digits = text.hasPrefix("+") || text.hasPrefix("-") ? text.dropFirst() : text
    return !digits.isEmpty && digits.utf8.allSatisfy(\.isDigit)
  }

  // MARK: Strings

  /// Reads a quoted string; one that its line does not close ends there.
  mutating func string(delimiter: UInt8) -> Token.Kind {
    let start = position
    var text: [UInt8] = []
    advance()
    while let byte = peek() {
      switch byte {
      case delimiter:
        advance()
        return .string(text)
      case UInt8(ascii: "\n"), UInt8(ascii: "\r"):
        refuse(
          start, .unfinished, "this string is never closed",
          hint: "close it on its line, or write it in [[ and ]]")
        return .string(text)
      case UInt8(ascii: "\\"):
        escape(into: &text)
      default:
        text.append(byte)
        advance()
      }
    }
    refuse(start, .unfinished, "this string is never closed")
    return .string(text)
  }

  private mutating func escape(into text: inout [UInt8]) {
    let start = position
    advance()
    guard let byte = peek() else { return }
    if let plain = Self.escapes[byte] {
      text.append(plain)
      advance()
      return
    }
    switch byte {
    case UInt8(ascii: "\n"), UInt8(ascii: "\r"):
      text.append(UInt8(ascii: "\n"))
      advance()
    case UInt8(ascii: "z"):
      advance()
      while let next = peek(), next == 0x20 || (next >= 0x09 && next <= 0x0D) { advance() }
    case UInt8(ascii: "x"):
      advance()
      hexadecimalEscape(start, into: &text)
    case UInt8(ascii: "u"):
      advance()
      unicodeEscape(start, into: &text)
    case _ where byte.isDigit:
      decimalEscape(start, into: &text)
    default:
      advance()
      while let next = peek(), next & 0xC0 == 0x80 { advance() }
      refuse(
        start, .invalidEscape,
        "invalid escape '\(String(decoding: source.bytes[start.offset..<offset], as: UTF8.self))'",
        hint: "a backslash itself is written \\\\")
    }
  }

  private static let escapes: [UInt8: UInt8] = [
    UInt8(ascii: "a"): 7, UInt8(ascii: "b"): 8, UInt8(ascii: "f"): 12, UInt8(ascii: "n"): 10,
    UInt8(ascii: "r"): 13, UInt8(ascii: "t"): 9, UInt8(ascii: "v"): 11,
    UInt8(ascii: "\\"): UInt8(ascii: "\\"), UInt8(ascii: "\""): UInt8(ascii: "\""),
    UInt8(ascii: "'"): UInt8(ascii: "'"),
  ]

  private mutating func hexadecimalEscape(_ start: Position, into text: inout [UInt8]) {
    guard let high = peek()?.hexadecimalValue, let low = peek(1)?.hexadecimalValue else {
      return refuse(start, .invalidEscape, "\\x needs two hexadecimal digits")
    }
    text.append(high << 4 | low)
    advance(2)
  }

  private mutating func decimalEscape(_ start: Position, into text: inout [UInt8]) {
    var value = 0
    for _ in 0..<3 {
      guard let byte = peek(), byte.isDigit else { break }
      value = value * 10 + Int(byte - UInt8(ascii: "0"))
      advance()
    }
    guard let byte = UInt8(exactly: value) else {
      return refuse(start, .invalidEscape, "\\\(value) is larger than a byte", hint: "at most \\255")
    }
    text.append(byte)
  }

  private mutating func unicodeEscape(_ start: Position, into text: inout [UInt8]) {
    guard peek() == UInt8(ascii: "{"), peek(1)?.hexadecimalValue != nil else {
      return refuse(
        start, .invalidEscape, "\\u needs hexadecimal digits in braces", hint: "such as \\u{1F600}")
    }
    advance()
    var value: UInt64 = 0
    while let digit = peek()?.hexadecimalValue {
      value = min(value << 4 | UInt64(digit), 1 << 40)
      advance()
    }
    guard peek() == UInt8(ascii: "}") else {
      return refuse(start, .invalidEscape, "'}' is missing after \\u{")
    }
    advance()
    guard value < 1 << 31 else {
      return refuse(start, .invalidEscape, "\\u{} is larger than 7FFFFFFF")
    }
    text += Self.utf8(UInt32(value))
  }

  /// UTF-8 in its first definition, up to six bytes. Source: Lua 5.4 manual, 3.1.
  private static func utf8(_ value: UInt32) -> [UInt8] {
    if value < 0x80 { return [UInt8(value)] }
    var rest = value
    var bytes: [UInt8] = []
    var room: UInt32 = 0x3F
    repeat {
      bytes.insert(UInt8(0x80 | rest & 0x3F), at: 0)
      rest >>= 6
      room >>= 1
    } while rest > room
    bytes.insert(UInt8(truncatingIfNeeded: ~room << 1 | rest), at: 0)
    return bytes
  }
}
