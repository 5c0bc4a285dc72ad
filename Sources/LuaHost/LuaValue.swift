// SPDX-License-Identifier: Apache-2.0
public import JSONCodec

/// A value that crosses between a script and the host: binary-safe, integers and floats kept apart.
public enum LuaValue: Sendable, Hashable {
  case `nil`
  case bool(Bool)
  case integer(Int64)
  case number(Double)
  /// A Lua string that is valid UTF-8.
  case string(String)
  /// A Lua string that is not UTF-8; towards Lua any bytes.
  case bytes([UInt8])
  /// A sequence 1...n, or an empty table marked by `json.array`.
  case array([LuaValue])
  /// A table whose keys are all strings; an unmarked empty table.
  case table([LuaField])
  /// Towards Lua only: decoded straight into tables.
  case json(RawJSON)
  /// `json.null`.
  case null
}

/// One entry of a Lua table.
public struct LuaField: Sendable, Hashable {
  public let key: String
  public let value: LuaValue

  public init(_ key: String, _ value: LuaValue) {
    self.key = key
    self.value = value
  }
}

extension LuaValue {
  /// Makes a table from its fields, in the order written.
  public static func table(_ fields: (String, LuaValue)...) -> LuaValue {
    .table(fields.map { LuaField($0.0, $0.1) })
  }

  /// The string; `nil` for every other value, bytes that are no UTF-8 too.
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

  /// The elements; those of an empty table too, which Lua does not tell from an empty list.
  public var array: [LuaValue]? {
    switch self {
    case .array(let elements): elements
    case .table(let fields) where fields.isEmpty: []
    default: nil
    }
  }

  /// The fields; those of an empty array too.
  public var fields: [LuaField]? {
    switch self {
    case .table(let fields): fields
    case .array(let elements) where elements.isEmpty: []
    default: nil
    }
  }

  /// Says whether the value is `nil` or `json.null`.
  public var isAbsent: Bool { self == .nil || self == .null }

  /// The value of a table's field; `nil` for every other value and for an absent key.
  public subscript(key: String) -> LuaValue? {
    guard case .table(let fields) = self else { return nil }
    return fields.first { $0.key == key }?.value
  }

  /// What Lua's `type` calls the value, and `null` for `json.null`.
  public var typeName: String {
    switch self {
    case .nil: "nil"
    case .bool: "boolean"
    case .integer, .number: "number"
    case .string, .bytes: "string"
    case .array, .table, .json: "table"
    case .null: "null"
    }
  }
}
