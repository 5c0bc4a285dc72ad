// SPDX-License-Identifier: Apache-2.0

/// One YAML value, and where it stands.
public struct Tree: Sendable, Hashable {
  public enum Value: Sendable, Hashable {
    case null
    case bool(Bool)
    case integer(Int)
    case number(Double)
    case string(String)
    case list([Tree])
    /// In the order of the file.
    case map([Entry])
  }

  /// One key of a map.
  public struct Entry: Sendable, Hashable {
    public let key: String
    /// Where the key stands.
    public let source: Configuration.Source
    public let value: Tree
  }

  public let value: Value
  public let source: Configuration.Source
  /// A scalar as it was written, without its quotes.
  let text: String?

  init(_ value: Value, source: Configuration.Source, text: String? = nil) {
    self.value = value
    self.source = source
    self.text = text
  }

  static let empty = Tree(.map([]), source: .default)
}

extension Tree {
  /// Value of one key of a map; `nil` when it is absent or this is no map.
  public subscript(key: String) -> Tree? {
    guard case .map(let entries) = value else { return nil }
    return entries.first { $0.key == key }?.value
  }

  /// Keys and values of a map; empty when this is no map.
  public var entries: [Entry] {
    if case .map(let entries) = value { entries } else { [] }
  }

  /// Items of a list; `nil` when this is no list.
  public var items: [Tree]? {
    if case .list(let items) = value { items } else { nil }
  }

  public var string: String? {
    if case .string(let string) = value { string } else { nil }
  }

  public var bool: Bool? {
    if case .bool(let bool) = value { bool } else { nil }
  }

  public var integer: Int? {
    if case .integer(let integer) = value { integer } else { nil }
  }

  /// A number with or without a fraction.
  public var number: Double? {
    switch value {
    case .integer(let integer): Double(integer)
    case .number(let number): number
    default: nil
    }
  }

  /// Bytes of a size such as `10MB` (units of 1024) or a plain count of bytes.
  public var byteCount: Int? {
    switch value {
    case .integer(let bytes): bytes >= 0 ? bytes : nil
    case .string(let text): Quantity.bytes(text)
    default: nil
    }
  }

  /// A duration such as `500ms`, `30s`, `5m`, `48h` or `2d`, or a plain count of seconds.
  public var duration: Duration? {
    switch value {
    case .integer, .number: number.flatMap { Quantity.duration(seconds: $0) }
    case .string(let text): Quantity.duration(text)
    default: nil
    }
  }

  /// What a person would call this value, for a message: `'abc'`, `12`, `a list`, `nothing`.
  var found: String {
    switch value {
    case .null: "nothing"
    case .bool, .integer, .number: text ?? "another value"
    case .string(let string): string.count > 60 ? "'\(string.prefix(57))…'" : "'\(string)'"
    case .list: "a list"
    case .map: "a map"
    }
  }
}
