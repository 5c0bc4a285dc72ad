// SPDX-License-Identifier: Apache-2.0
import JSONCodec

/// Walks a value along a schema that ``Schema`` has checked.
enum Validator {
  static func validate(
    _ value: JSON, against schema: JSON, at path: String, into faults: inout [SchemaViolation.Fault]
  )
    -> JSON
  {
    guard case .object(let schema) = schema else { return value }
    func fault(_ message: String) { faults.append(.init(path: path, message: message)) }
    var value = value
    if let branches = schema["anyOf"]?.array ?? schema["oneOf"]?.array {
      let count = faults.count
      value = anyOf(value, branches, at: path, into: &faults)
      if faults.count > count { return value }
    }
    if let type = schema["type"], !matches(value, type: type) {
      fault("expected \(typeText(type)), got \(value.typeName)")
      return value
    }
    if let choices = schema["enum"]?.array, !choices.contains(where: { isEqual($0, value) }) {
      fault("must be one of \(RawJSON(.array(choices)).text)")
    }
    if let constant = schema["const"], !isEqual(constant, value) {
      fault("must be \(RawJSON(constant).text)")
    }
    switch value {
    case .integer, .number:
      checkNumber(value, schema, fault)
      if schema["type"]?.string == "integer", let whole = value.integer { return .integer(whole) }
      return value
    case .string(let text):
      let length = text.unicodeScalars.count
      if let bound = schema["minLength"]?.integer, length < bound {
        fault("must have at least \(bound) characters")
      }
      if let bound = schema["maxLength"]?.integer, length > bound {
        fault("must have at most \(bound) characters")
      }
      return value
    case .array(let elements):
      if let bound = schema["minItems"]?.integer, elements.count < bound {
        fault("must have at least \(bound) items")
      }
      if let bound = schema["maxItems"]?.integer, elements.count > bound {
        fault("must have at most \(bound) items")
      }
      guard let items = schema["items"] else { return value }
      return .array(
        elements.enumerated().map { validate($1, against: items, at: "\(path)[\($0)]", into: &faults) })
    case .object(let object):
      return .object(self.object(object, schema, at: path, into: &faults))
    case .null, .bool:
      return value
    }
  }

  /// Numbers are equal by their value: a model may write 1.0 for 1.
  private static func isEqual(_ left: JSON, _ right: JSON) -> Bool {
    if let left = left.double, let right = right.double { return left == right }
    return left == right
  }

  private static func object(
    _ object: JSONObject, _ schema: JSONObject, at path: String, into faults: inout [SchemaViolation.Fault]
  ) -> JSONObject {
    let properties = schema["properties"]?.object ?? JSONObject()
    func inside(_ key: String) -> String { path.isEmpty ? key : "\(path).\(key)" }
    let required = Set(schema["required"]?.array?.compactMap(\.string) ?? [])
    var filled = JSONObject()
    for (key, schema) in properties.members {
      switch object[key] {
      case .some(.null) where !required.contains(key) && !fits(.null, schema):
        // A model writes null for what it leaves out: a strict schema wants every property.
        if let value = schema["default"] { filled.append(key, value) }
      case .some(let value):
        filled.append(key, validate(value, against: schema, at: inside(key), into: &faults))
      case nil:
        if let value = schema["default"] {
          filled.append(key, value)
        } else if required.contains(key) {
          faults.append(.init(path: inside(key), message: "is missing"))
        }
      }
    }
    for key in required.sorted() where properties[key] == nil && object[key] == nil {
      faults.append(.init(path: inside(key), message: "is missing"))
    }
    for (key, value) in object.members where properties[key] == nil {
      switch schema["additionalProperties"] {
      case .bool(false):
        let known =
          properties.keys.isEmpty ? "there are none" : "known: \(properties.keys.joined(separator: ", "))"
        faults.append(.init(path: inside(key), message: "is not a known property (\(known))"))
      case .some(let extra):
        filled.append(key, validate(value, against: extra, at: inside(key), into: &faults))
      case nil: filled.append(key, value)
      }
    }
    return filled
  }

  private static func fits(_ value: JSON, _ schema: JSON) -> Bool {
    var faults: [SchemaViolation.Fault] = []
    _ = validate(value, against: schema, at: "", into: &faults)
    return faults.isEmpty
  }

  private static func anyOf(
    _ value: JSON, _ branches: [JSON], at path: String, into faults: inout [SchemaViolation.Fault]
  ) -> JSON {
    for branch in branches {
      var inner: [SchemaViolation.Fault] = []
      let filled = validate(value, against: branch, at: path, into: &inner)
      if inner.isEmpty { return filled }
    }
    faults.append(.init(path: path, message: "fits none of the \(branches.count) forms that are allowed"))
    return value
  }

  private static func checkNumber(_ value: JSON, _ schema: JSONObject, _ fault: (String) -> Void) {
    guard let number = value.double else { return }
    if let bound = schema["minimum"]?.double, number < bound { fault("must be at least \(plain(bound))") }
    if let bound = schema["maximum"]?.double, number > bound { fault("must be at most \(plain(bound))") }
    if let bound = schema["exclusiveMinimum"]?.double, number <= bound {
      fault("must be more than \(plain(bound))")
    }
    if let bound = schema["exclusiveMaximum"]?.double, number >= bound {
      fault("must be less than \(plain(bound))")
    }
  }

  private static func plain(_ bound: Double) -> String {
    Int64(exactly: bound).map(String.init) ?? "\(bound)"
  }

  private static func matches(_ value: JSON, type: JSON) -> Bool {
    switch type {
    case .array(let several): several.contains { matches(value, type: $0) }
    case .string("integer"): value.integer != nil
    case .string("number"): value.double != nil
    // An empty Lua table is both the empty list and the empty object.
    case .string("object"): value.object != nil || value == .array([])
    case .string("array"): value.array != nil || value.object?.isEmpty == true
    case .string(let name): value.typeName == name
    default: false
    }
  }

  private static func typeText(_ type: JSON) -> String {
    type.array.map { $0.compactMap(\.string).joined(separator: " or ") } ?? type.string ?? "another type"
  }
}
