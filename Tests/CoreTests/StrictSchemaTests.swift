// SPDX-License-Identifier: Apache-2.0
import JSONCodec
import Testing

@testable import Core

@Suite("Strict schemas")
struct StrictSchemaTests {
  private func strict(_ definition: JSON) throws -> JSON? { try Schema(definition).strict?.value() }

  @Test("every object is closed and requires everything; what may be left out may be null")
  func closes() throws {
    let schema = try Schema([
      "title": "string", "note": "string?",
      "size": ["type": "string", "enum": ["s", "m"], "optional": true],
      "limit": ["type": "integer", "minimum": 1, "default": 10],
      "owner": ["type": "object", "optional": true, "properties": ["name": "string", "age": "integer?"]],
    ])
    #expect(
      try schema.strict?.value() == [
        "type": "object", "required": ["limit", "note", "owner", "size", "title"],
        "additionalProperties": false,
        "properties": [
          "title": ["type": "string"], "note": ["type": ["string", "null"]],
          "size": ["type": ["string", "null"], "enum": ["s", "m", nil]],
          "limit": ["type": ["integer", "null"], "minimum": 1, "description": "default: 10"],
          "owner": [
            "type": ["object", "null"], "required": ["age", "name"], "additionalProperties": false,
            "properties": ["name": ["type": "string"], "age": ["type": ["integer", "null"]]],
          ],
        ],
      ])
    // What is sent changes nothing for the rest of us.
    #expect(try schema.json.value()["required"] == ["title"])
    let nulls: JSON = ["title": "a", "note": nil, "size": nil, "limit": nil, "owner": nil]
    #expect(try schema.validate(nulls) == ["title": "a", "limit": 10])
    #expect(
      try schema.validate(["title": "a", "owner": ["name": "b", "age": nil]])
        == ["title": "a", "limit": 10, "owner": ["name": "b"]])
  }

  @Test("what the provider does not take is said in words, and still enforced")
  func saysInWords() throws {
    let schema = try Schema([
      "title": ["type": "string", "description": "a title", "minLength": 1, "maxLength": 9],
      "site": ["type": "string", "format": "uri"], "day": ["type": "string", "format": "date"],
    ])
    #expect(
      try schema.strict?.value()["properties"] == [
        "day": ["type": "string", "format": "date"],
        "site": ["type": "string", "description": "format: \"uri\""],
        "title": ["type": "string", "description": "a title (at most 9 characters; at least 1 characters)"],
      ])
    #expect(throws: SchemaViolation.self) { try schema.validate(["title": "", "site": "x", "day": "y"]) }
  }

  @Test("a list and a union are strict in their parts; oneOf is sent as anyOf")
  func nests() throws {
    #expect(
      try strict([
        "list": [
          "type": "array", "items": ["type": "object", "properties": ["a": "string?"]], "minItems": 1,
        ],
        "either": [
          "oneOf": [["type": "string"], ["type": "object", "properties": ["b": "string"]]], "optional": true,
        ],
        "fixed": ["const": "x", "optional": true],
      ])?["properties"] == [
        "list": [
          "type": "array", "minItems": 1,
          "items": [
            "type": "object", "properties": ["a": ["type": ["string", "null"]]], "required": ["a"],
            "additionalProperties": false,
          ],
        ],
        "either": [
          "anyOf": [
            ["type": "string"],
            [
              "type": "object", "properties": ["b": ["type": "string"]], "required": ["b"],
              "additionalProperties": false,
            ],
            ["type": "null"],
          ]
        ],
        "fixed": ["type": ["string", "null"], "enum": ["x", nil]],
      ])
  }

  @Test("a full schema that names its properties is closed, and one that takes null keeps it")
  func full() throws {
    let schema = try Schema([
      "type": "object",
      "properties": ["a": ["type": ["string", "null"]], "b": ["anyOf": [["type": "null"]]]],
    ])
    #expect(
      try schema.strict?.value() == [
        "type": "object", "required": ["a", "b"], "additionalProperties": false,
        "properties": ["a": ["type": ["string", "null"]], "b": ["anyOf": [["type": "null"]]]],
      ])
    #expect(try schema.validate(["a": nil, "b": nil]) == ["a": nil, "b": nil])
  }

  @Test(
    "what is too open to be enforced is not strict",
    arguments: [
      ["type": "object"], ["type": "object", "properties": [:], "additionalProperties": true],
      ["m": ["type": "object", "additionalProperties": ["type": "string"]]], ["m": ["type": "object"]],
      ["m": ["type": "array"]], ["m": ["description": "anything"]],
      ["m": ["type": "array", "items": ["type": "object"]]],
      ["m": ["type": "object", "properties": ["a": "string"], "anyOf": [["required": ["a"]]]]],
      ["type": "object", "properties": ["a": ["type": "string"]], "required": ["b"]],
      ["type": "object", "properties": ["a": ["type": "string"]], "anyOf": [["type": "object"]]],
    ] as [JSON])
  func leavesOpen(definition: JSON) throws {
    #expect(try strict(definition) == nil)
  }

  private static func nested(_ depth: Int, inside: JSON = "string") -> JSON {
    (1..<depth).reduce(["leaf": inside] as JSON) { inner, _ in
      ["a": ["type": "object", "properties": inner]]
    }
  }

  @Test("ten objects may stand inside one another, and the eleventh is refused where it stands")
  func depth() throws {
    #expect(try strict(Self.nested(10)) != nil)
    let error = #expect(throws: SchemaError.self) { try Schema(Self.nested(11)) }
    #expect(error?.path == ["a"] + Array(repeating: ["properties", "a"], count: 9).flatMap(\.self))
    #expect(error?.hint != nil)
    // Nobody enforces an open schema, however deep.
    #expect(try strict(Self.nested(11, inside: ["type": "object"])) == nil)
  }

  @Test("more than five levels, or a hundred properties, are told with their place, and sent")
  func caution() throws {
    let deep = try Schema(Self.nested(6))
    #expect(deep.strict != nil)
    #expect(deep.caution?.path == ["a"] + Array(repeating: ["properties", "a"], count: 4).flatMap(\.self))
    #expect(try Schema(Self.nested(5)).caution == nil)
    func wide(_ count: Int) throws -> SchemaError? {
      try Schema(.object(JSONObject((0..<count).map { ("p\($0)", "string") }))).caution
    }
    #expect(try wide(100) == nil)
    #expect(try wide(101)?.path.count == 1)
    // What is not enforced has no limits.
    #expect(try Schema(Self.nested(6, inside: ["type": "object"])).caution == nil)
  }

  @Test("schemas that are too large for a provider are refused with the place", arguments: 0..<4)
  func size(which: Int) throws {
    func object(_ count: Int, _ value: (Int) -> JSON) -> JSON {
      .object(JSONObject((0..<count).map { ("p\($0)", value($0)) }))
    }
    func choices(_ count: Int, length: Int) -> JSON {
      .array((0..<count).map { .string("\($0)".padded(to: length)) })
    }
    let good = [
      object(5000) { _ in "string" }, object(4) { _ in ["type": "string", "enum": choices(250, length: 4)] },
      object(1) { _ in ["type": "string", "enum": choices(300, length: 50)] },
      object(8) { _ in ["const": .string("".padded(to: 14_000))] },
    ][which]
    let bad = [
      object(5001) { _ in "string" }, object(5) { _ in ["type": "string", "enum": choices(250, length: 4)] },
      object(1) { _ in ["type": "string", "enum": choices(300, length: 51)] },
      object(9) { _ in ["const": .string("".padded(to: 14_000))] },
    ][which]
    #expect(try strict(good) != nil)
    let error = #expect(throws: SchemaError.self) { try Schema(bad) }
    #expect(error?.path.count == 1)
  }
}

extension String {
  fileprivate func padded(to length: Int) -> String { self + String(repeating: "x", count: length - count) }
}
