// SPDX-License-Identifier: Apache-2.0
import JSONCodec
import Testing

@testable import Core

@Suite("Schema")
struct SchemaTests {
  @Test("shorthand becomes JSON Schema with sorted properties")
  func expandsShorthand() throws {
    let schema = try Schema([
      "title": "string", "note": "string?", "limit": ["type": "integer", "minimum": 1, "default": 10],
      "tags": ["type": "array", "items": "string", "optional": true],
    ])
    #expect(
      schema.json.text
        == #"{"type":"object","properties":{"limit":{"type":"integer","minimum":1,"default":10},"note":{"type":"string"},"#
        + #""tags":{"type":"array","items":{"type":"string"}},"title":{"type":"string"}},"required":["title"],"#
        + #""additionalProperties":false}"#)
  }

  @Test("a full JSON Schema is taken as it is")
  func takesFullSchema() throws {
    let schema = try Schema([
      "type": "object", "properties": ["a": ["type": ["string", "null"]]], "required": ["a"],
    ])
    #expect(try schema.validate(["a": nil]) == ["a": nil])
    #expect(throws: SchemaViolation.self) { try schema.validate([:]) }
  }

  @Test("an empty table takes no arguments", arguments: [JSON.array([]), .object(JSONObject())])
  func takesEmptyTable(definition: JSON) throws {
    let schema = try Schema(definition)
    #expect(try schema.validate([:]) == [:])
    #expect(throws: SchemaViolation.self) { try schema.validate(["a": 1]) }
  }

  @Test(
    "what is no schema is refused with its path",
    arguments: [
      (["a": "strng"], ["a", "type"]), (["a": 1], ["a"]),
      (["a": ["type": "integer", "minimum": "1"]], ["a", "minimum"]),
      (["a": ["type": "string", "enum": []]], ["a", "enum"]),
      (["a": ["type": "integer", "default": "x"]], ["a", "default"]),
      (["a": ["type": "object", "properties": ["b": "in"]]], ["a", "properties", "b", "type"]),
    ] as [(JSON, [String])])
  func refuses(definition: JSON, path: [String]) {
    let error = #expect(throws: SchemaError.self) { try Schema(definition) }
    #expect(error?.path == path)
  }

  @Test("every fault of a value is named")
  func namesEveryFault() throws {
    let schema = try Schema([
      "n": ["type": "integer", "minimum": 1, "maximum": 5], "s": ["type": "string", "maxLength": 2],
      "list": ["type": "array", "items": ["type": "boolean"], "optional": true],
    ])
    let error = #expect(throws: SchemaViolation.self) {
      try schema.validate(["n": 9, "s": "abc", "list": [true, 1], "x": 1])
    }
    #expect(error?.faults.map(\.path).sorted() == ["list[1]", "n", "s", "x"])
  }

  @Test("defaults are filled in, whole floats become integers, and null leaves an optional out")
  func fillsDefaults() throws {
    let schema = try Schema([
      "limit": ["type": "integer", "default": 10], "page": ["type": "integer"], "done": "boolean?",
    ])
    #expect(try schema.validate(["page": 2.0, "done": nil]) == ["limit": 10, "page": 2])
    #expect(try schema.validate(["page": 1, "limit": nil]) == ["limit": 10, "page": 1])
  }

  @Test("in a full schema a property is optional unless it is required, listed or not")
  func fullSchema() throws {
    let schema = try Schema([
      "type": "object", "properties": ["a": ["type": "string"]], "required": ["b"],
    ])
    #expect(try schema.validate(["b": 1, "c": 2]) == ["b": 1, "c": 2])
    let error = #expect(throws: SchemaViolation.self) { try schema.validate(["a": "x"]) }
    #expect(error?.faults.map(\.path) == ["b"])
    #expect(try Schema(["type": "object"]).validate(["x": 1]) == ["x": 1])
  }

  @Test("anyOf does not hide what stands beside it, and its branches are schemas")
  func anyOf() throws {
    let schema = try Schema([
      "n": ["anyOf": [["type": "integer"], ["type": "null"]], "maximum": 5]
    ])
    #expect(try schema.validate(["n": 5]) == ["n": 5])
    #expect(throws: SchemaViolation.self) { try schema.validate(["n": 6]) }
    #expect(throws: SchemaViolation.self) { try schema.validate(["n": "x"]) }
    #expect(throws: SchemaError.self) { try Schema(["n": ["anyOf": [["type": "strnig"]]]]) }
  }

  @Test("a keyword that would not be enforced is refused", arguments: ["pattern", "$ref", "allOf", "not"])
  func refusesKeywords(keyword: String) {
    let error = #expect(throws: SchemaError.self) {
      try Schema(.object(JSONObject([("a", .object(JSONObject([("type", "string"), (keyword, "x")])))])))
    }
    #expect(error?.path == ["a", keyword])
  }

  @Test("numbers of an enum are compared by their value")
  func enumOfNumbers() throws {
    #expect(try Schema(["n": ["enum": [1, 2]]]).validate(["n": 1.0]) == ["n": 1.0])
  }
}
