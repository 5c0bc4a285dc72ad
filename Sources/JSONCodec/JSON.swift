// SPDX-License-Identifier: Apache-2.0

/// A JSON value, its numbers split into integers and the rest as Lua splits them.
public enum JSON: Sendable, Hashable {
  case null
  case bool(Bool)
  case integer(Int64)
  case number(Double)
  case string(String)
  case array([JSON])
  case object(JSONObject)
}

extension JSON {
  public var string: String? {
    if case .string(let value) = self { value } else { nil }
  }

  public var bool: Bool? {
    if case .bool(let value) = self { value } else { nil }
  }

  /// The number, when it is whole and fits.
  public var integer: Int64? {
    switch self {
    case .integer(let value): value
    case .number(let value): Int64(exactly: value)
    default: nil
    }
  }

  public var double: Double? {
    switch self {
    case .integer(let value): Double(value)
    case .number(let value): value
    default: nil
    }
  }

  public var array: [JSON]? {
    if case .array(let value) = self { value } else { nil }
  }

  public var object: JSONObject? {
    if case .object(let value) = self { value } else { nil }
  }

  public var isNull: Bool { self == .null }

  /// The member of an object; `nil` for every other value and for an absent key.
  public subscript(key: String) -> JSON? { object?[key] }

  /// What JSON Schema calls the value: `integer` for a whole number.
  public var typeName: String {
    switch self {
    case .null: "null"
    case .bool: "boolean"
    case .integer: "integer"
    case .number: "number"
    case .string: "string"
    case .array: "array"
    case .object: "object"
    }
  }
}

extension JSON: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByBooleanLiteral,
  ExpressibleByFloatLiteral, ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral,
  ExpressibleByNilLiteral
{
  public init(stringLiteral value: String) { self = .string(value) }
  public init(integerLiteral value: Int64) { self = .integer(value) }
  public init(booleanLiteral value: Bool) { self = .bool(value) }
  public init(floatLiteral value: Double) { self = .number(value) }
  public init(arrayLiteral elements: JSON...) { self = .array(elements) }
  public init(dictionaryLiteral elements: (String, JSON)...) { self = .object(JSONObject(elements)) }
  public init(nilLiteral: ()) { self = .null }
}

/// The members of a JSON object, in the order in which they were written.
///
/// Look-up is linear: objects on the wire are small, and order matters to readers.
public struct JSONObject: Sendable, Hashable {
  public private(set) var members: [(key: String, value: JSON)]

  public init(_ members: [(String, JSON)] = []) {
    self.members = members.map { (key: $0.0, value: $0.1) }
  }

  mutating func reserveCapacity(_ count: Int) { members.reserveCapacity(count) }

  public var isEmpty: Bool { members.isEmpty }
  public var count: Int { members.count }
  public var keys: [String] { members.map(\.key) }

  /// Reads the last member of that name, as every decoder does with a repeated key; writing `nil` removes it.
  public subscript(key: String) -> JSON? {
    get {
      // By place: a closure would be given each member as a copy.
      for index in members.indices.reversed() where members[index].key == key { return members[index].value }
      return nil
    }
    set {
      guard let newValue else { return members.removeAll { $0.key == key } }
      if let index = members.lastIndex(where: { $0.key == key }) {
        members[index].value = newValue
      } else {
        members.append((key, newValue))
      }
    }
  }

  /// Adds a member that is known to be new, without the look-up.
  public mutating func append(_ key: String, _ value: JSON) { members.append((key, value)) }

  public static func == (left: JSONObject, right: JSONObject) -> Bool {
    left.members.count == right.members.count
      && left.members.allSatisfy { right[$0.key] == $0.value }
  }

  public func hash(into hasher: inout Hasher) {
    // Order does not count in equality, so it may not count here.
    var sum = 0
    for member in members {
      var one = Hasher()
      one.combine(member.key)
      one.combine(member.value)
      sum &+= one.finalize()
    }
    hasher.combine(sum)
  }
}

/// JSON text that is known to be well formed, passed on without being parsed again.
public struct RawJSON: Sendable, Hashable {
  public let bytes: [UInt8]

  /// Wraps bytes that a JSON encoder made; nothing is checked.
  public init(trusted bytes: [UInt8]) { self.bytes = bytes }

  /// Checks `bytes` first.
  ///
  /// - Throws: ``JSONError`` when they are not one JSON value.
  public init(checking bytes: [UInt8]) throws(JSONError) {
    _ = try JSON(parsing: bytes)
    self.bytes = bytes
  }

  public init(_ value: JSON) {
    var writer = JSONWriter()
    writer.write(value)
    bytes = writer.bytes
  }

  public static let null = RawJSON(trusted: Array("null".utf8))
  public static let emptyObject = RawJSON(trusted: Array("{}".utf8))

  public var isNull: Bool { self == .null }
  public var text: String { String(decoding: bytes, as: UTF8.self) }

  /// Parses the text.
  ///
  /// - Throws: ``JSONError`` when the bytes were wrapped by ``init(trusted:)`` without being JSON.
  public func value() throws(JSONError) -> JSON { try JSON(parsing: bytes) }
}

extension RawJSON: CustomStringConvertible {
  public var description: String { text }
}
