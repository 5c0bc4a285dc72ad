// SPDX-License-Identifier: Apache-2.0
public import JSONCodec

/// The shape of an object: the arguments of a tool, or the structured output of an agent.
///
/// Source: JSON Schema 2020-12. Enforced are `type`, `enum`, `const`, bounds of numbers and lengths, `items`,
/// `properties`, `required`, `additionalProperties`, `anyOf` and `oneOf`; other keywords only reach the model.
public struct Schema: Sendable, Hashable {
  /// JSON Schema whose root is an object.
  public let json: RawJSON
  /// The same in the form that a provider enforces while it writes, an optional property as a required one that may
  /// be `null`; `nil` when that form cannot say what the schema says.
  public let strict: RawJSON?
  /// Where ``strict`` is larger than some providers take, though not all refuse it.
  public let caution: SchemaError?
  let root: JSON

  /// Takes a JSON Schema, or the shorthand of scripts, `{ title = "string", limit = { type = "integer" } }`.
  ///
  /// - Throws: ``SchemaError`` with the path of the fault, one that providers would refuse included.
  public init(_ definition: JSON) throws(SchemaError) {
    root = try Schema.expand(definition)
    json = RawJSON(root)
    let derived = try StrictSchema.derive(
      from: root, isShorthand: !Schema.isFull(definition.object ?? JSONObject()))
    strict = derived?.json
    caution = derived?.caution
  }

  /// Takes a JSON Schema of a caller as it is: keywords that are not enforced here are the provider's to keep.
  ///
  /// - Parameter isStrict: Whether it has the strict form already.
  public init(passingOn root: JSONObject, isStrict: Bool) {
    self.root = .object(root)
    json = RawJSON(self.root)
    strict = isStrict ? json : nil
    caution = nil
  }

  /// Any object at all, as a caller asks for JSON without saying which.
  public static let anyObject = Schema(root: ["type": "object", "description": "Any JSON object."])

  /// Takes no arguments.
  public static let empty: Schema = Schema(root: [
    "type": "object", "properties": [:], "required": [], "additionalProperties": false,
  ])

  /// Takes a schema of ours.
  init(root: JSON) {
    self.root = root
    json = RawJSON(root)
    strict = (try? StrictSchema.derive(from: root, isShorthand: false))?.json
    caution = nil
  }

  /// Checks `value` and fills in the defaults of absent properties.
  ///
  /// - Throws: ``SchemaViolation`` that names every fault, for the model to mend.
  public func validate(_ value: JSON) throws(SchemaViolation) -> JSON {
    var faults: [SchemaViolation.Fault] = []
    let filled = Validator.validate(value, against: root, at: "", into: &faults)
    if !faults.isEmpty { throw SchemaViolation(faults: faults) }
    return filled
  }
}

/// Why a definition is no schema.
public struct SchemaError: Error, Sendable, Hashable, CustomStringConvertible {
  /// Keys from the definition's root.
  public let path: [String]
  public let message: String
  /// How to mend it.
  public let hint: String?

  public init(path: [String], message: String, hint: String? = nil) {
    self.path = path
    self.message = message
    self.hint = hint
  }

  public var description: String { path.isEmpty ? message : "\(path.joined(separator: ".")): \(message)" }
}

/// Why a value does not fit a schema.
public struct SchemaViolation: Error, Sendable, Hashable, CustomStringConvertible {
  public struct Fault: Sendable, Hashable, CustomStringConvertible {
    /// `items[2].title`; empty for the value itself.
    public let path: String
    public let message: String

    public var description: String { path.isEmpty ? message : "\(path): \(message)" }
  }

  public let faults: [Fault]

  public var description: String { faults.map(\.description).joined(separator: "; ") }
}
