// SPDX-License-Identifier: Apache-2.0
import JSONCodec
import TestSupport
import Testing

@Suite("JSON")
struct JSONTests {
  @Test(
    "text that is one value is read",
    arguments: [
      ("null", JSON.null), (" true\n", true), ("-0", 0), ("12345678901", 12_345_678_901), ("1.5e2", 150.0),
      ("9223372036854775808", .number(9_223_372_036_854_775_808)), (#""a\n\u00e9\ud83d\ude00\/""#, "a\né😀/"),
      ("[1,[2],{}]", [1, [2], [:]]), (#"{"a":{"b":null}}"#, ["a": ["b": nil]]),
    ] as [(String, JSON)])
  func reads(text: String, value: JSON) throws {
    #expect(try JSON(parsing: text) == value)
  }

  @Test(
    "text that is no value is refused where it goes wrong",
    arguments: [
      ("", 0), ("nul", 0), ("01", 0), ("1.", 2), ("[1,]", 3), ("{\"a\"}", 4), ("{a:1}", 1), ("\"\n\"", 1),
      ("\"abc", 1),
      ("[1] 2", 4), ("\"\\ud800x\"", 7), ("\"\\q\"", 2), ("1e999", 0), ("+1", 0), ("'a'", 0),
    ])
  func refuses(text: String, offset: Int) {
    let error = #expect(throws: JSONError.self) { try JSON(parsing: text) }
    #expect(error?.offset == offset)
  }

  @Test("bytes that are not UTF-8 are refused")
  func refusesInvalidUTF8() {
    for bytes in [[0x22, 0xFF, 0x22], [0x22, 0xC0, 0x80, 0x22], [0x22, 0xED, 0xA0, 0x80, 0x22]] as [[UInt8]] {
      #expect(throws: JSONError.self) { try JSON(parsing: bytes) }
    }
  }

  @Test("nesting is bounded")
  func boundsNesting() throws {
    let depth = JSON.depthMax
    let deepest = String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
    _ = try JSON(parsing: deepest)
    #expect(throws: JSONError.self) { try JSON(parsing: "[" + deepest + "]") }
    #expect(throws: JSONError.self) { try JSON(parsing: String(repeating: "[", count: 1_000_000)) }
  }

  @Test("the last of a repeated key counts")
  func takesLastOfRepeatedKey() throws {
    #expect(try JSON(parsing: #"{"a":1,"a":2}"#)["a"] == 2)
  }

  @Test("canonical text is the same for equal values")
  func canonical() throws {
    let left = try JSON(parsing: #"{"b":[1.0,{"y":1,"x":2}],"a":"z"}"#)
    let right = try JSON(parsing: #"{ "a": "z", "b": [1, {"x": 2, "y": 1.0}] }"#)
    #expect(left.canonical == right.canonical)
    #expect(left.canonical.text == #"{"a":"z","b":[1,{"x":2,"y":1}]}"#)
  }

  @Test("what is written reads as what was written", arguments: 0..<200)
  func roundTrips(seed: Int) throws {
    var generator = SplitMix64(seed: UInt64(seed))
    let value = JSON.random(depth: 4, using: &generator)
    #expect(try JSON(parsing: RawJSON(value).bytes) == value)
  }

  @Test("random bytes never crash the parser", arguments: 0..<200)
  func survivesNoise(seed: Int) {
    var generator = SplitMix64(seed: UInt64(seed))
    let alphabet = Array("{}[]\",:\\u0123456789eE+-.truefalsn \u{00}\u{FF}".utf8)
    let bytes = (0..<Int.random(in: 0...64, using: &generator)).map { _ in
      alphabet.randomElement(using: &generator) ?? 0
    }
    _ = try? JSON(parsing: bytes)
  }
}

extension JSON {
  static func random(depth: Int, using generator: inout SplitMix64) -> JSON {
    switch Int.random(in: 0...(depth > 0 ? 7 : 5), using: &generator) {
    case 0: return .null
    case 1: return .bool(Bool.random(using: &generator))
    case 2: return .integer(Int64.random(in: .min ... .max, using: &generator))
    case 3: return .number(Double.random(in: -1e9...1e9, using: &generator) + 0.5e-3)
    case 4, 5:
      let scalars = (0..<Int.random(in: 0...12, using: &generator)).compactMap { _ in
        UnicodeScalar(UInt32.random(in: 0...0x1_0FFF, using: &generator))
      }
      return .string(String(String.UnicodeScalarView(scalars)))
    case 6: return .array((0..<3).map { _ in random(depth: depth - 1, using: &generator) })
    default:
      return .object(JSONObject((0..<3).map { ("k\($0)", random(depth: depth - 1, using: &generator)) }))
    }
  }
}
