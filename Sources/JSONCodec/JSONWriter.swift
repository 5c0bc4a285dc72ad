// SPDX-License-Identifier: Apache-2.0

/// Appends JSON text to a byte buffer, commas and escapes included.
///
/// ```swift
/// var writer = JSONWriter()
/// writer.object { $0.member("role", "user"); $0.member("content", text) }
/// ```
public struct JSONWriter: Sendable {
  public private(set) var bytes: [UInt8] = []
  private var needsComma = false

  public init(reservingCapacity capacity: Int = 0) { bytes.reserveCapacity(capacity) }

  public var raw: RawJSON { RawJSON(trusted: bytes) }

  public mutating func object(_ body: (inout JSONWriter) throws -> Void) rethrows {
    open(UInt8(ascii: "{"))
    try body(&self)
    close(UInt8(ascii: "}"))
  }

  public mutating func array(_ body: (inout JSONWriter) throws -> Void) rethrows {
    open(UInt8(ascii: "["))
    try body(&self)
    close(UInt8(ascii: "]"))
  }

  /// Writes a member's key; its value is written next.
  public mutating func key(_ key: String) {
    separate()
    quote(key)
    bytes.append(UInt8(ascii: ":"))
    needsComma = false
  }

  public mutating func member(_ key: String, _ value: String) {
    self.key(key)
    write(value)
  }

  public mutating func member(_ key: String, _ value: some BinaryInteger) {
    self.key(key)
    write(Int64(clamping: value))
  }

  public mutating func member(_ key: String, _ value: Double) {
    self.key(key)
    write(value)
  }

  public mutating func member(_ key: String, _ value: Bool) {
    self.key(key)
    write(value)
  }

  public mutating func member(_ key: String, _ value: JSON) {
    self.key(key)
    write(value)
  }

  public mutating func member(_ key: String, _ value: RawJSON) {
    self.key(key)
    write(value)
  }

  public mutating func write(_ value: String) {
    separate()
    quote(value)
    needsComma = true
  }

  public mutating func write(_ value: Int64) { token(String(value)) }

  public mutating func write(_ value: Bool) { token(value ? "true" : "false") }

  /// Writes a number; one that JSON cannot write (infinite, not a number) becomes `null`.
  public mutating func write(_ value: Double) { token(value.isFinite ? "\(value)" : "null") }

  public mutating func writeNull() { token("null") }

  public mutating func write(_ value: RawJSON) {
    separate()
    bytes.append(contentsOf: value.bytes)
    needsComma = true
  }

  public mutating func write(_ value: JSON) {
    switch value {
    case .null: writeNull()
    case .bool(let value): write(value)
    case .integer(let value): write(value)
    case .number(let value): write(value)
    case .string(let value): write(value)
    case .array(let elements): array { for element in elements { $0.write(element) } }
    case .object(let object):
      self.object { for member in object.members { $0.member(member.key, member.value) } }
    }
  }

  private mutating func separate() {
    if needsComma { bytes.append(UInt8(ascii: ",")) }
  }

  private mutating func open(_ bracket: UInt8) {
    separate()
    bytes.append(bracket)
    needsComma = false
  }

  private mutating func close(_ bracket: UInt8) {
    bytes.append(bracket)
    needsComma = true
  }

  private mutating func token(_ text: String) {
    separate()
    bytes.append(contentsOf: text.utf8)
    needsComma = true
  }

  private mutating func quote(_ text: String) {
    var text = text
    bytes.append(UInt8(ascii: "\""))
    text.withUTF8 { buffer in
      if JSONText.firstSpecial(in: buffer, from: 0) == buffer.count {
        bytes.append(contentsOf: buffer)
      } else {
        JSONText.escape(buffer) { bytes.append(contentsOf: $0) }
      }
    }
    bytes.append(UInt8(ascii: "\""))
  }
}

extension JSON {
  /// The same value with every object's keys sorted and whole numbers as integers: equal values have equal text.
  public var canonical: RawJSON { RawJSON(sorted) }

  private var sorted: JSON {
    switch self {
    case .array(let elements): .array(elements.map(\.sorted))
    case .object(let object):
      .object(
        JSONObject(
          object.members.map { ($0.key, $0.value.sorted) }.sorted {
            $0.0.utf8.lexicographicallyPrecedes($1.0.utf8)
          }))
    case .number(let value): Int64(exactly: value).map(JSON.integer) ?? self
    default: self
    }
  }
}
