// SPDX-License-Identifier: Apache-2.0

/// A type as annotations write it.
///
/// Source: LuaCATS, https://luals.github.io/wiki/annotations.
public indirect enum LuaType: Sendable, Hashable {
  /// `string`, `perigee.User`, …
  case named(String)
  /// `"read"`
  case literal(String)
  case list(LuaType)
  case map(LuaType, LuaType)
  /// `{ id: string, error?: table }`
  case record([LuaField])
  case function(parameters: [LuaField], returns: LuaType?)
  case union([LuaType])

  public static let any = LuaType.named("any")
  public static let `nil` = LuaType.named("nil")

  /// Reads a type at the beginning of a text; what follows it is a remark.
  public init(_ text: some StringProtocol) {
    var reader = LuaTypeReader(text)
    self = reader.union()
  }

  /// The kinds of the union, or the type alone.
  package var members: [LuaType] {
    if case .union(let members) = self { members } else { [self] }
  }

  /// Whether nil is one of its values.
  public var isOptional: Bool { members.contains(.nil) || members.contains(.any) }

  /// Without nil.
  package var present: LuaType {
    let rest = members.filter { $0 != .nil }
    return rest.count == 1 ? rest[0] : .union(rest)
  }
}

/// A field of a class, or a parameter.
public struct LuaField: Sendable, Hashable {
  public let name: String
  public let type: LuaType
  public let isOptional: Bool
  /// What the annotation says of it.
  public let summary: String

  public init(name: String, type: LuaType, isOptional: Bool = false, summary: String = "") {
    self.name = name
    self.type = type
    self.isOptional = isOptional || type.isOptional
    self.summary = summary
  }
}

/// `---@class (exact) name: parent`
public struct LuaClass: Sendable, Hashable {
  public let name: String
  public let parent: String?
  /// Whether it has no fields but those that are named.
  public let isExact: Bool
  public var fields: [LuaField]
}

/// Reads annotations.
struct LuaTypeReader {
  private var rest: Substring

  init(_ text: some StringProtocol) { rest = Substring(text) }

  private mutating func skipSpaces() { rest = rest.drop { $0 == " " } }

  private mutating func take(_ text: String) -> Bool {
    skipSpaces()
    guard rest.hasPrefix(text) else { return false }
    rest.removeFirst(text.count)
    return true
  }

  private mutating func word() -> String {
    skipSpaces()
    let word = rest.prefix { $0.isLetter || $0.isNumber || "_.*".contains($0) }
    rest.removeFirst(word.count)
    return String(word)
  }

  mutating func union() -> LuaType {
    var members: [LuaType] = []
    repeat { members += suffixed().members } while take("|")
    return members.count == 1 ? members[0] : .union(members)
  }

  private mutating func suffixed() -> LuaType {
    var type = single()
    while true {
      if rest.hasPrefix("[]") {
        rest.removeFirst(2)
        type = .list(type)
      } else if rest.hasPrefix("?") {
        rest.removeFirst()
        type = .union(type.members + [.nil])
      } else {
        return type
      }
    }
  }

  private mutating func single() -> LuaType {
    skipSpaces()
    if take("(") {
      let inner = union()
      _ = take(")")
      return inner
    }
    if take("\"") {
      let text = rest.prefix { $0 != "\"" }
      rest.removeFirst(text.count)
      _ = take("\"")
      return .literal(String(text))
    }
    if take("{") { return .record(fields(until: "}")) }
    let name = word()
    switch name {
    case "": return .any
    case "fun" where take("("):
      let parameters = fields(until: ")")
      return .function(parameters: parameters, returns: take(":") ? union() : nil)
    case "table" where rest.hasPrefix("<"):
      rest.removeFirst()
      let key = union()
      _ = take(",")
      let value = union()
      _ = take(">")
      return .map(key, value)
    default: return .named(name)
    }
  }

  /// `a: T, b?: T` up to a bracket.
  private mutating func fields(until end: String) -> [LuaField] {
    var fields: [LuaField] = []
    while !take(end), !rest.isEmpty {
      let isVariadic = take("...")
      let name = isVariadic ? "..." : word()
      let isOptional = take("?") || isVariadic
      let type = take(":") ? union() : .any
      fields.append(LuaField(name: name, type: type, isOptional: isOptional))
      if !take(","), !rest.hasPrefix(end), !take(end) { break }
    }
    return fields
  }

  /// Reads `name?: type remark` of a `---@field`.
  mutating func field() -> LuaField {
    let name = word()
    let isOptional = take("?")
    let type = union()
    // What a function returns beside its first value.
    while take(",") { _ = union() }
    skipSpaces()
    return LuaField(name: name, type: type, isOptional: isOptional, summary: String(rest))
  }

  /// Classes and aliases of a stub file.
  static func declarations(of stub: String) -> (classes: [LuaClass], aliases: [String: LuaType]) {
    var classes: [LuaClass] = []
    var aliases: [String: LuaType] = [:]
    var open = ""
    for line in stub.split(separator: "\n") {
      if line.hasPrefix("---@class ") {
        var reader = LuaTypeReader(line.dropFirst(10))
        let isExact = reader.take("(exact)")
        let name = reader.word()
        let parent = reader.take(":") ? reader.word() : nil
        classes.append(LuaClass(name: name, parent: parent, isExact: isExact, fields: []))
      } else if line.hasPrefix("---@field "), !classes.isEmpty {
        var reader = LuaTypeReader(line.dropFirst(10))
        classes[classes.count - 1].fields.append(reader.field())
      } else if line.hasPrefix("---@alias ") {
        var reader = LuaTypeReader(line.dropFirst(10))
        open = reader.word()
        aliases[open] = reader.union()
      } else if line.hasPrefix("---| ") {
        // A member on a line of its own, with what it means behind it.
        var reader = LuaTypeReader(line.dropFirst(5))
        let members = [aliases[open], reader.union()].compactMap { $0 }.flatMap(\.members)
        aliases[open] = .union(members.filter { $0 != .any })
      }
    }
    return (classes, aliases)
  }
}
