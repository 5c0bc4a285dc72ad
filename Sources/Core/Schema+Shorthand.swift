// SPDX-License-Identifier: Apache-2.0
import JSONCodec

extension Schema {
  static let typeNames: Set<String> = ["string", "integer", "number", "boolean", "array", "object", "null"]

  /// Turns a definition into JSON Schema: a full schema is checked, a shorthand is expanded.
  static func expand(_ definition: JSON) throws(SchemaError) -> JSON {
    guard case .object(let object) = definition else {
      if definition == .array([]) { return Schema.empty.root }
      throw SchemaError(path: [], message: "a schema is a table, not \(definition.typeName)")
    }
    if object.isEmpty { return Schema.empty.root }
    return isFull(object) ? try node(definition, at: [], isFull: true) : try properties(object, at: [])
  }

  /// Whether a definition is a JSON Schema. A parameter may be named `type`, too: beside other parameters it is one.
  static func isFull(_ object: JSONObject) -> Bool {
    object["type"]?.string == "object"
      && (object.count == 1 || object["properties"]?.object != nil || object["properties"] == .array([])
        || object["additionalProperties"] != nil)
  }

  /// Keywords that would have to be enforced and are not: a check that is not made may not be promised.
  private static let unsupported: Set<String> = [
    "$ref", "$dynamicRef", "allOf", "contains", "dependentRequired", "dependentSchemas", "else", "if",
    "maxProperties",
    "minProperties", "multipleOf", "not", "pattern", "patternProperties", "prefixItems", "propertyNames",
    "then",
    "unevaluatedItems", "unevaluatedProperties", "uniqueItems",
  ]

  /// A table of property names, each with a type name or a node; all are required but those marked `optional` or with a default.
  private static func properties(_ object: JSONObject, at path: [String]) throws(SchemaError) -> JSON {
    var properties = JSONObject()
    var required: [JSON] = []
    // Lua tables have no order: sorted, so that the same script always gives the same prompt.
    for (name, definition) in object.members.sorted(by: { $0.key < $1.key }) {
      let (schema, isOptional) = try property(definition, at: path + [name])
      properties.append(name, schema)
      if !isOptional { required.append(.string(name)) }
    }
    return [
      "type": "object", "properties": .object(properties), "required": .array(required),
      "additionalProperties": false,
    ]
  }

  private static func property(
    _ definition: JSON, at path: [String]
  ) throws(SchemaError) -> (schema: JSON, isOptional: Bool) {
    switch definition {
    case .string(let name):
      let isOptional = name.hasSuffix("?")
      return (try node(["type": .string(isOptional ? String(name.dropLast()) : name)], at: path), isOptional)
    case .object(var object):
      let isOptional = object["optional"]?.bool ?? false
      if let optional = object["optional"], optional.bool == nil {
        throw SchemaError(path: path + ["optional"], message: "optional is true or false")
      }
      object["optional"] = nil
      return (try node(.object(object), at: path), isOptional || object["default"] != nil)
    default:
      throw SchemaError(path: path, message: "a type name or a table is wanted, not \(definition.typeName)")
    }
  }

  /// One schema: checked, its nested shorthand expanded.
  ///
  /// - Parameter isFull: Inside a full JSON Schema, where a property is optional unless `required` names it.
  private static func node(
    _ definition: JSON, at path: [String], isFull: Bool = false
  ) throws(SchemaError) -> JSON {
    guard case .object(var object) = definition else {
      if case .string = definition { return try property(definition, at: path).schema }
      throw SchemaError(path: path, message: "a schema is a table, not \(definition.typeName)")
    }
    try checkType(object["type"], at: path)
    if let keyword = object.keys.first(where: unsupported.contains) {
      throw SchemaError(path: path + [keyword], message: "the keyword '\(keyword)' is not supported")
    }
    for keyword in ["anyOf", "oneOf"] {
      guard let value = object[keyword] else { continue }
      guard let branches = value.array, !branches.isEmpty else {
        throw SchemaError(path: path + [keyword], message: "\(keyword) is a list of at least one schema")
      }
      var checked: [JSON] = []
      for (index, branch) in branches.enumerated() {
        checked.append(try node(branch, at: path + [keyword, String(index + 1)], isFull: isFull))
      }
      object[keyword] = .array(checked)
    }
    for keyword in ["minimum", "maximum", "minLength", "maxLength", "minItems", "maxItems"] {
      if let bound = object[keyword], bound.double == nil {
        throw SchemaError(path: path + [keyword], message: "\(keyword) is a number")
      }
    }
    if let choices = object["enum"], choices.array?.isEmpty ?? true {
      throw SchemaError(path: path + ["enum"], message: "enum is a list of at least one value")
    }
    if let items = object["items"] { object["items"] = try node(items, at: path + ["items"], isFull: isFull) }
    if let properties = object["properties"] {
      try expandProperties(properties, in: &object, at: path, isFull: isFull)
    }
    let schema = JSON.object(object)
    if let value = object["default"] {
      var faults: [SchemaViolation.Fault] = []
      _ = Validator.validate(value, against: schema, at: "", into: &faults)
      if let fault = faults.first {
        throw SchemaError(path: path + ["default"], message: "the default does not fit: \(fault)")
      }
    }
    return schema
  }

  private static func checkType(_ type: JSON?, at path: [String]) throws(SchemaError) {
    let names: [JSON]
    switch type {
    case nil: return
    case .array(let several): names = several
    case .some(let one): names = [one]
    }
    for name in names {
      guard let text = name.string else {
        throw SchemaError(path: path + ["type"], message: "type is a name")
      }
      if !typeNames.contains(text) {
        throw SchemaError(
          path: path + ["type"],
          message: "unknown type '\(text)'; one of \(typeNames.sorted().joined(separator: ", "))")
      }
    }
  }

  /// A nested object: full schema when it names `required`, else shorthand like the root.
  private static func expandProperties(
    _ properties: JSON, in object: inout JSONObject, at path: [String], isFull: Bool
  ) throws(SchemaError) {
    guard let members = properties.object ?? (properties == .array([]) ? JSONObject() : nil) else {
      throw SchemaError(path: path + ["properties"], message: "properties is a table of schemas")
    }
    if object["required"] == nil, !isFull {
      let expanded = try Schema.properties(members, at: path + ["properties"])
      object["properties"] = expanded["properties"]
      object["required"] = expanded["required"]
    } else {
      var checked = JSONObject()
      for (name, definition) in members.members.sorted(by: { $0.key < $1.key }) {
        checked.append(name, try node(definition, at: path + ["properties", name], isFull: isFull))
      }
      object["properties"] = .object(checked)
      if let required = object["required"] {
        guard let names = required.list, names.allSatisfy({ $0.string != nil }) else {
          throw SchemaError(path: path + ["required"], message: "required is a list of property names")
        }
        object["required"] = .array(names)
      }
    }
    if object["additionalProperties"] == nil, !isFull { object["additionalProperties"] = false }
  }
}

extension JSON {
  /// A list; Lua's empty table is one too.
  var list: [JSON]? { array ?? (object?.isEmpty == true ? [] : nil) }
}
