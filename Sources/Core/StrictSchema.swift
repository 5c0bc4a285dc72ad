// SPDX-License-Identifier: Apache-2.0
import JSONCodec

/// Makes of a schema the form that a provider enforces while it writes.
///
/// Every object is closed and requires all its properties; an optional one may be `null`. A keyword that the
/// provider does not take goes into the description, in words: the model still reads it, and ``Schema/validate(_:)``
/// still enforces it. Source: OpenAI, Structured Outputs, "Supported schemas".
struct StrictSchema {
  /// Properties of all objects together.
  static let propertiesMax = 5000
  /// Objects inside one another.
  static let depthMax = 10
  /// Characters of all names, choices and constants together.
  static let charactersMax = 120_000
  /// What the first models that enforced schemas took, and some deployments still do.
  static let oldPropertiesMax = 100
  static let oldDepthMax = 5
  /// Choices of all `enum`s together.
  static let choicesMax = 1000
  /// An `enum` with more choices than this may have only ``longEnumCharactersMax`` characters.
  static let longEnumChoices = 250
  static let longEnumCharactersMax = 15_000

  /// The schema says what no strict one can.
  private struct Unfaithful: Error {}

  private let isShorthand: Bool
  private var properties = 0
  private var characters = 0
  private var choices = 0
  /// The first limit that was passed; it counts only if the whole can be strict.
  private var excess: SchemaError?
  /// The first limit that only some providers have.
  private var caution: SchemaError?

  /// - Parameter isShorthand: Whether the paths of the definition have no `properties` at the root.
  /// - Returns: The strict form, and where it is larger than some providers take; `nil` for a schema that is too open to be enforced: a map, a value of any type, a list of anything.
  /// - Throws: ``SchemaError`` when it could be enforced, but is larger than providers take.
  static func derive(from root: JSON, isShorthand: Bool) throws(SchemaError) -> (
    json: RawJSON, caution: SchemaError?
  )? {
    var maker = StrictSchema(isShorthand: isShorthand)
    guard root["anyOf"] == nil, root["oneOf"] == nil,
      let strict = try? maker.node(root, isOptional: false, depth: 0, at: [])
    else { return nil }
    if let excess = maker.excess { throw excess }
    return (RawJSON(strict), maker.caution)
  }

  private init(isShorthand: Bool) { self.isShorthand = isShorthand }

  // MARK: One node

  private mutating func node(
    _ schema: JSON, isOptional: Bool, depth: Int, at path: [String]
  ) throws(Unfaithful) -> JSON {
    guard let schema = schema.object else { throw Unfaithful() }
    if schema["anyOf"] != nil || schema["oneOf"] != nil {
      return try union(schema, isOptional: isOptional, depth: depth, at: path)
    }
    var strict = JSONObject()
    let types = try types(of: schema)
    let isNullable = isOptional && !types.contains("null")
    strict.append("type", isNullable ? .array((types + ["null"]).map { .string($0) }) : Self.type(types))
    if types.contains("object") { try object(schema, into: &strict, depth: depth + 1, at: path) }
    if types.contains("array") {
      guard let items = schema["items"] else { throw Unfaithful() }
      strict.append("items", try node(items, isOptional: false, depth: depth, at: path + ["items"]))
    }
    choices(of: schema, isNullable: isNullable, into: &strict, at: path)
    annotate(schema, into: &strict)
    return .object(strict)
  }

  private static func type(_ names: [String]) -> JSON {
    names.count == 1 ? .string(names[0]) : .array(names.map { .string($0) })
  }

  /// What `type` says, or what the choices are.
  private func types(of schema: JSONObject) throws(Unfaithful) -> [String] {
    if let name = schema["type"]?.string { return [name] }
    if let names = schema["type"]?.array { return names.compactMap(\.string) }
    var types: [String] = []
    for choice in schema["enum"]?.array ?? schema["const"].map({ [$0] }) ?? []
    where !types.contains(choice.typeName) {
      types.append(choice.typeName)
    }
    // A value of any type, or choices that are tables.
    if types.isEmpty || types.contains("object") || types.contains("array") { throw Unfaithful() }
    return types
  }

  /// `oneOf` is enforced here as `anyOf`, so that it may be sent as that.
  private mutating func union(
    _ schema: JSONObject, isOptional: Bool, depth: Int, at path: [String]
  ) throws(Unfaithful) -> JSON {
    let keyword = schema["anyOf"] == nil ? "oneOf" : "anyOf"
    let others = ["type", "properties", "items", "enum", "const", keyword == "anyOf" ? "oneOf" : "anyOf"]
    guard let branches = schema[keyword]?.array, !others.contains(where: { schema[$0] != nil }) else {
      throw Unfaithful()
    }
    var strict: [JSON] = []
    for (index, branch) in branches.enumerated() {
      let path = path + [keyword, String(index + 1)]
      strict.append(try node(branch, isOptional: false, depth: depth, at: path))
    }
    if isOptional, !strict.contains(where: { $0["type"] == "null" }) { strict.append(["type": "null"]) }
    var object = JSONObject([("anyOf", .array(strict))])
    annotate(schema, into: &object)
    return .object(object)
  }

  // MARK: Objects

  private mutating func object(
    _ schema: JSONObject, into strict: inout JSONObject, depth: Int, at path: [String]
  ) throws(Unfaithful) {
    switch schema["additionalProperties"] {
    case nil where schema["properties"] != nil, .bool(false): break
    // A map, or whatever one likes.
    default: throw Unfaithful()
    }
    if depth > Self.depthMax {
      exceed(path, "more than \(Self.depthMax) objects stand inside one another", "take a level out")
    } else if depth > Self.oldDepthMax {
      warn(path, "more than \(Self.oldDepthMax) objects stand inside one another")
    }
    let members = schema["properties"]?.object?.members ?? []
    let required = Set(schema["required"]?.array?.compactMap(\.string) ?? [])
    guard required.isSubset(of: members.map(\.key)) else { throw Unfaithful() }
    var properties = JSONObject()
    for (name, property) in members {
      let path = path + (path.isEmpty && isShorthand ? [name] : ["properties", name])
      self.properties += 1
      if self.properties > Self.propertiesMax {
        exceed(path, "a schema has at most \(Self.propertiesMax) properties", "split it")
      } else if self.properties > Self.oldPropertiesMax {
        warn(path, "the schema has more than \(Self.oldPropertiesMax) properties")
      }
      count(name, at: path)
      properties.append(
        name, try node(property, isOptional: !required.contains(name), depth: depth, at: path))
    }
    strict.append("properties", .object(properties))
    strict.append("required", .array(members.map { .string($0.key) }))
    strict.append("additionalProperties", false)
  }

  // MARK: Choices

  private mutating func choices(
    of schema: JSONObject, isNullable: Bool, into strict: inout JSONObject, at path: [String]
  ) {
    // A constant that may be absent is a choice of two.
    let list = schema["enum"]?.array ?? (isNullable ? schema["const"].map { [$0] } : nil)
    if let list {
      choices += list.count
      if choices > Self.choicesMax {
        exceed(
          path, "a schema has at most \(Self.choicesMax) choices", "shorten 'enum', or check in a function")
      }
      var length = 0
      for choice in list { length += count(choice.string ?? "", at: path) }
      if list.count > Self.longEnumChoices, length > Self.longEnumCharactersMax {
        exceed(
          path,
          "an enum of more than \(Self.longEnumChoices) choices has at most \(Self.longEnumCharactersMax) characters",
          "shorten 'enum', or check in a function")
      }
      strict.append("enum", .array(isNullable ? list + [.null] : list))
    } else if let constant = schema["const"] {
      count(constant.string ?? "", at: path)
      strict.append("const", constant)
    }
  }

  @discardableResult
  private mutating func count(_ text: String, at path: [String]) -> Int {
    let count = text.unicodeScalars.count
    characters += count
    if characters > Self.charactersMax {
      exceed(path, "names and choices have at most \(Self.charactersMax) characters together", "shorten them")
    }
    return count
  }

  private mutating func warn(_ path: [String], _ message: String) {
    caution = caution ?? SchemaError(path: path, message: "\(message): some models refuse the schema")
  }

  private mutating func exceed(_ path: [String], _ message: String, _ hint: String) {
    excess = excess ?? SchemaError(path: path, message: "\(message): models refuse the schema", hint: hint)
  }

  // MARK: What is told in words

  /// Keywords that are taken as they are, beside those that were read.
  private static let kept: Set<String> = [
    "title", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "minItems", "maxItems",
  ]
  private static let read: Set<String> = [
    "type", "properties", "required", "additionalProperties", "items", "anyOf", "oneOf", "enum", "const",
    "description", "$schema", "$id", "$comment", "$defs", "definitions",
  ]
  /// Source: as above, "Supported properties" of strings.
  private static let formats: Set<String> = [
    "date-time", "time", "date", "duration", "email", "hostname", "ipv4", "ipv6", "uuid",
  ]

  private func annotate(_ schema: JSONObject, into strict: inout JSONObject) {
    var words: [String] = []
    // Lua tables have no order: sorted, so that the same script always gives the same bytes.
    for (key, value) in schema.members.sorted(by: { $0.key < $1.key }) where !Self.read.contains(key) {
      switch key {
      case "format" where Self.formats.contains(value.string ?? ""): strict.append(key, value)
      case _ where Self.kept.contains(key) && strict["anyOf"] == nil: strict.append(key, value)
      case "minLength": words.append("at least \(RawJSON(value).text) characters")
      case "maxLength": words.append("at most \(RawJSON(value).text) characters")
      default: words.append("\(key): \(RawJSON(value).text)")
      }
    }
    let remarks = words.joined(separator: "; ")
    guard let text = schema["description"]?.string, !text.isEmpty else {
      if !remarks.isEmpty { strict.append("description", .string(remarks)) }
      return
    }
    strict.append("description", .string(remarks.isEmpty ? text : "\(text) (\(remarks))"))
  }
}
