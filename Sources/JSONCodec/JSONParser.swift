// SPDX-License-Identifier: Apache-2.0
import Glibc

/// Why bytes are not one JSON value.
public struct JSONError: Error, Sendable, Hashable, CustomStringConvertible {
  public let message: String
  /// Bytes before the fault.
  public let offset: Int

  public var description: String { "\(message) at byte \(offset)" }
}

extension JSON {
  /// Nesting beyond this is refused: it is an attack, not a document.
  public static let depthMax = 128

  /// Parses one RFC 8259 value, surrounded by white space at most; the last of a repeated key counts.
  ///
  /// - Throws: ``JSONError`` for anything else, invalid UTF-8 and lone surrogates included.
  public init(parsing bytes: [UInt8]) throws(JSONError) {
    self = try bytes.withUnsafeBufferPointer { buffer throws(JSONError) in
      var parser = JSONParser(bytes: buffer)
      return try parser.document()
    }
  }

  public init(parsing text: String) throws(JSONError) { try self.init(parsing: Array(text.utf8)) }
}

/// Source: RFC 8259.
struct JSONParser {
  let bytes: UnsafeBufferPointer<UInt8>
  var at = 0
  var depth = 0
  /// Of objects that have more than one: they grow once. More for those with one would make many small ones too large.
  private static let usualMembers = 6

  init(bytes: UnsafeBufferPointer<UInt8>) { self.bytes = bytes }

  mutating func document() throws(JSONError) -> JSON {
    skipSpace()
    let value = try value()
    skipSpace()
    guard at == bytes.count else { throw fault("unexpected text after the value") }
    return value
  }

  func fault(_ message: String, at offset: Int? = nil) -> JSONError {
    JSONError(message: message, offset: offset ?? at)
  }

  var next: UInt8? { at < bytes.count ? bytes[at] : nil }

  mutating func skipSpace() {
    while let byte = next, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 { at += 1 }
  }

  mutating func value() throws(JSONError) -> JSON {
    guard let byte = next else { throw fault("unexpected end") }
    switch byte {
    case UInt8(ascii: "{"): return try object()
    case UInt8(ascii: "["): return try array()
    case UInt8(ascii: "\""): return .string(try string())
    case UInt8(ascii: "t"): return try word("true", .bool(true))
    case UInt8(ascii: "f"): return try word("false", .bool(false))
    case UInt8(ascii: "n"): return try word("null", .null)
    case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return try number()
    default: throw fault("unexpected character")
    }
  }

  mutating func word(_ text: StaticString, _ value: JSON) throws(JSONError) -> JSON {
    let length = text.utf8CodeUnitCount
    guard at + length <= bytes.count, JSONText.isEqual(bytes[at..<(at + length)], text) else {
      throw fault("unexpected word")
    }
    at += length
    return value
  }

  mutating func enter() throws(JSONError) {
    depth += 1
    if depth > JSON.depthMax { throw fault("nested deeper than \(JSON.depthMax)") }
    at += 1
    skipSpace()
  }

  private mutating func array() throws(JSONError) -> JSON {
    try enter()
    defer { depth -= 1 }
    var elements: [JSON] = []
    if next == UInt8(ascii: "]") {
      at += 1
      return .array(elements)
    }
    while true {
      elements.append(try value())
      if try closes(UInt8(ascii: "]")) { return .array(elements) }
    }
  }

  private mutating func object() throws(JSONError) -> JSON {
    try enter()
    defer { depth -= 1 }
    if next == UInt8(ascii: "}") {
      at += 1
      return .object(JSONObject())
    }
    var object = JSONObject()
    while true {
      guard next == UInt8(ascii: "\"") else { throw fault("expected a key in quotes") }
      let key = try string()
      skipSpace()
      guard next == UInt8(ascii: ":") else { throw fault("expected ':'") }
      at += 1
      skipSpace()
      object.append(key, try value())
      if try closes(UInt8(ascii: "}")) { return .object(object) }
      if object.count == 1 { object.reserveCapacity(Self.usualMembers) }
    }
  }

  /// Passes the comma (false) or the closing bracket (true) after an element.
  mutating func closes(_ bracket: UInt8) throws(JSONError) -> Bool {
    skipSpace()
    if next == bracket {
      at += 1
      return true
    }
    guard next == UInt8(ascii: ",") else {
      throw fault("expected ',' or '\(Character(UnicodeScalar(bracket)))'")
    }
    at += 1
    skipSpace()
    return false
  }

  mutating func number() throws(JSONError) -> JSON {
    let start = at
    if next == UInt8(ascii: "-") { at += 1 }
    let whole = at
    let magnitude = try digits()
    if bytes[whole] == UInt8(ascii: "0"), at > whole + 1 {
      throw fault("a number may not start with 0", at: whole)
    }
    var isWhole = true
    if next == UInt8(ascii: ".") {
      isWhole = false
      at += 1
      try digits()
    }
    if next == UInt8(ascii: "e") || next == UInt8(ascii: "E") {
      isWhole = false
      at += 1
      if next == UInt8(ascii: "+") || next == UInt8(ascii: "-") { at += 1 }
      try digits()
    }
    if isWhole, let magnitude { return .integer(whole == start ? magnitude : -magnitude) }
    let text = String(decoding: UnsafeBufferPointer(rebasing: bytes[start..<at]), as: UTF8.self)
    if isWhole, let integer = Int64(text) { return .integer(integer) }
    guard let double = Double(text), double.isFinite else { throw fault("number out of range", at: start) }
    return .number(double)
  }

  /// - Returns: The number that they make, of up to 18.
  @discardableResult
  private mutating func digits() throws(JSONError) -> Int64? {
    let start = at
    var number: Int64 = 0
    while let byte = next, byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") {
      number = number &* 10 &+ Int64(byte &- UInt8(ascii: "0"))
      at += 1
    }
    if at == start { throw fault("expected a digit") }
    return at - start <= 18 ? number : nil
  }

  mutating func string() throws(JSONError) -> String {
    at += 1
    let start = at
    at = JSONText.firstSpecial(in: bytes, from: at)
    // Most strings have no escape: they are copied once.
    if next == UInt8(ascii: "\"") {
      let text = JSONParser.utf8(UnsafeBufferPointer(rebasing: bytes[start..<at]))
      guard let text else { throw fault("string is not UTF-8", at: start) }
      at += 1
      return text
    }
    var unescaped = Array(bytes[start..<at])
    while true {
      switch next {
      case nil: throw fault("string without an end", at: start)
      case UInt8(ascii: "\""):
        at += 1
        guard let text = unescaped.withUnsafeBufferPointer({ JSONParser.utf8($0) }) else {
          throw fault("string is not UTF-8", at: start)
        }
        return text
      case UInt8(ascii: "\\"): try escape(into: &unescaped)
      case .some(let byte) where byte < 0x20: throw fault("control character in a string")
      case .some:
        let end = JSONText.firstSpecial(in: bytes, from: at)
        unescaped.append(contentsOf: UnsafeBufferPointer(rebasing: bytes[at..<end]))
        at = end
      }
    }
  }

  /// `nil` = it is not UTF-8.
  static func utf8(_ buffer: UnsafeBufferPointer<UInt8>) -> String? {
    // Those that fit into the string itself are most, keys above all.
    if buffer.count <= 15, buffer.allSatisfy({ $0 < 0x80 }) {
      return String(unsafeUninitializedCapacity: buffer.count) { $0.initialize(fromContentsOf: buffer) }
    }
    // What is not UTF-8 is mended here, and is not what it was then: a quarter of the way that `validating` takes.
    let text = String(decoding: buffer, as: UTF8.self)
    let isSame = text.withUTF8Bytes { mended in
      guard mended.count == buffer.count else { return false }
      guard let mended = mended.baseAddress, let given = buffer.baseAddress else { return true }
      return memcmp(mended, given, buffer.count) == 0
    }
    return isSame ? text : nil
  }

  private mutating func escape(into unescaped: inout [UInt8]) throws(JSONError) {
    at += 1
    guard let byte = next else { throw fault("unexpected end") }
    at += 1
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): unescaped.append(byte)
    case UInt8(ascii: "b"): unescaped.append(0x08)
    case UInt8(ascii: "f"): unescaped.append(0x0C)
    case UInt8(ascii: "n"): unescaped.append(0x0A)
    case UInt8(ascii: "r"): unescaped.append(0x0D)
    case UInt8(ascii: "t"): unescaped.append(0x09)
    case UInt8(ascii: "u"):
      var code = try hex4()
      if (0xD800..<0xDC00).contains(code) {
        guard next == UInt8(ascii: "\\"), at + 1 < bytes.count, bytes[at + 1] == UInt8(ascii: "u") else {
          throw fault("lone surrogate")
        }
        at += 2
        let low = try hex4()
        guard (0xDC00..<0xE000).contains(low) else { throw fault("lone surrogate") }
        code = 0x10000 + (code - 0xD800) << 10 + (low - 0xDC00)
      }
      guard let scalar = UnicodeScalar(code) else { throw fault("lone surrogate") }
      unescaped.append(contentsOf: UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter)
    default: throw fault("unknown escape", at: at - 1)
    }
  }

  private mutating func hex4() throws(JSONError) -> UInt32 {
    guard at + 4 <= bytes.count else { throw fault("unexpected end") }
    var code: UInt32 = 0
    for _ in 0..<4 {
      guard let digit = Character(UnicodeScalar(bytes[at])).hexDigitValue else {
        throw fault("expected four hexadecimal digits")
      }
      code = code << 4 | UInt32(digit)
      at += 1
    }
    return code
  }
}
