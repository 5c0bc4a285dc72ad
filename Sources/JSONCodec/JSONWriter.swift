// SPDX-License-Identifier: Apache-2.0

/// Appends JSON text to a byte buffer, commas and escapes included.
///
/// ```swift
/// var writer = JSONWriter()
/// writer.object { $0.member("role", "user"); $0.member("content", text) }
/// ```
public struct JSONWriter: ~Copyable {
  private var output: OutputBuffer
  private var needsComma = false

  public init(reservingCapacity capacity: Int = 0) { output = OutputBuffer(capacity: capacity) }

  /// A copy of what is written so far.
  public var bytes: [UInt8] { output.bytes }

  /// What is written so far, for as long as `body` runs.
  public func withBytes(_ body: (UnsafeRawBufferPointer) -> Void) { output.withBytes(body) }

  public var raw: RawJSON { RawJSON(trusted: bytes) }

  /// Writes what stands around a value, such as the lines of an event.
  public mutating func literal(_ text: StaticString) {
    output.append(UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    needsComma = false
  }

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

  /// Writes a member's key, in which nothing has to be escaped; its value is written next.
  public mutating func key(_ key: StaticString) {
    let bytes = UnsafeBufferPointer(start: key.utf8Start, count: key.utf8CodeUnitCount)
    assert(JSONText.firstSpecial(in: bytes, from: 0) == bytes.count)
    separate()
    output.append(UInt8(ascii: "\""))
    output.append(bytes)
    output.append(UInt8(ascii: "\""))
    output.append(UInt8(ascii: ":"))
    needsComma = false
  }

  /// Writes a key that is not known beforehand.
  public mutating func key(named key: String) {
    separate()
    JSONText.quote(key, to: &output)
    output.append(UInt8(ascii: ":"))
    needsComma = false
  }

  public mutating func member(_ key: StaticString, _ value: String) {
    self.key(key)
    write(value)
  }

  public mutating func member(_ key: StaticString, _ value: Int) {
    self.key(key)
    write(Int64(value))
  }

  public mutating func member(_ key: StaticString, _ value: Int64) {
    self.key(key)
    write(value)
  }

  public mutating func member(_ key: StaticString, _ value: Double) {
    self.key(key)
    write(value)
  }

  public mutating func member(_ key: StaticString, _ value: Bool) {
    self.key(key)
    write(value)
  }

  public mutating func member(_ key: StaticString, _ value: JSON) {
    self.key(key)
    write(value)
  }

  public mutating func member(named key: String, _ value: String) {
    self.key(named: key)
    write(value)
  }

  public mutating func member(named key: String, _ value: JSON) {
    self.key(named: key)
    write(value)
  }

  public mutating func member(named key: String, _ value: RawJSON) {
    self.key(named: key)
    write(value)
  }

  public mutating func member(_ key: StaticString, _ value: RawJSON) {
    self.key(key)
    write(value)
  }

  public mutating func write(_ value: String) {
    separate()
    JSONText.quote(value, to: &output)
    needsComma = true
  }

  public mutating func write(_ value: Int64) { token(String(value)) }

  public mutating func write(_ value: Bool) { token(value ? "true" : "false") }

  /// Writes a number; one that JSON cannot write (infinite, not a number) becomes `null`.
  public mutating func write(_ value: Double) { token(value.isFinite ? "\(value)" : "null") }

  public mutating func writeNull() { token("null") }

  public mutating func write(_ value: RawJSON) {
    separate()
    value.bytes.withUnsafeBufferPointer { output.append($0) }
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
      self.object { for member in object.members { $0.member(named: member.key, member.value) } }
    }
  }

  private mutating func separate() {
    if needsComma { output.append(UInt8(ascii: ",")) }
  }

  private mutating func open(_ bracket: UInt8) {
    separate()
    output.append(bracket)
    needsComma = false
  }

  private mutating func close(_ bracket: UInt8) {
    output.append(bracket)
    needsComma = true
  }

  private mutating func token(_ text: String) {
    separate()
    text.withUTF8Bytes { output.append($0) }
    needsComma = true
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
