// SPDX-License-Identifier: Apache-2.0
import JSONCodec
import Testing

@testable import Telemetry

@Suite("OTLP in JSON", .timeLimit(.minutes(1)))
struct EncodingTests {
  private static func encode(_ spans: [Span], _ limits: OTLP.Limits = OTLP.Limits()) throws -> JSON {
    let bytes = OTLP.encode(
      spans, resource: Resource(["service.name": "t"]), scope: .init(version: "1"), limits: limits)
    return try JSON(parsing: bytes)
  }

  private static func first(_ span: Span, _ limits: OTLP.Limits = OTLP.Limits()) throws -> JSON {
    let resource = try encode([span], limits)["resourceSpans"]?.array?.first
    return try #require(resource?["scopeSpans"]?.array?.first?["spans"]?.array?.first)
  }

  private static func text(_ attribute: JSON?) -> String? { attribute?["value"]?["stringValue"]?.string }

  @Test("a request has this shape")
  func golden() throws {
    var span = Span(
      "chat m", kind: .client, traceID: try #require(TraceID(high: 1, low: 2)),
      spanID: try #require(SpanID(3)),
      parentID: SpanID(4), start: 1_700_000_000_000_000_001, end: 1_700_000_000_000_000_002,
      attributes: ["s": "a\"b", "b": true, "i": -9_007_199_254_740_993, "d": 0.5, "l": ["x", "y"]])
    span.status = .error("no")
    span.isParentRemote = true
    span.traceState = "c=d"
    let bytes = OTLP.encode(
      [span], resource: Resource(["service.name": "t"]), scope: .init(version: "1"))
    let expected = #"""
      {"resourceSpans":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"t"}}]},
      "scopeSpans":[{"scope":{"name":"perigee","version":"1"},"spans":[{
      "traceId":"00000000000000010000000000000002","spanId":"0000000000000003","traceState":"c=d",
      "parentSpanId":"0000000000000004","flags":769,"name":"chat m","kind":3,
      "startTimeUnixNano":"1700000000000000001","endTimeUnixNano":"1700000000000000002","attributes":[
      {"key":"s","value":{"stringValue":"a\"b"}},{"key":"b","value":{"boolValue":true}},
      {"key":"i","value":{"intValue":"-9007199254740993"}},{"key":"d","value":{"doubleValue":0.5}},
      {"key":"l","value":{"arrayValue":{"values":[{"stringValue":"x"},{"stringValue":"y"}]}}}],
      "status":{"message":"no","code":2}}]}]}]}
      """#
    let written = String(decoding: bytes, as: UTF8.self)
    #expect(
      written == expected.split(separator: "\n").joined())
  }

  @Test("no spans make a request all the same")
  func empty() throws {
    let scope = try Self.encode([])["resourceSpans"]?.array?.first?["scopeSpans"]?.array?.first
    #expect(scope?["spans"]?.array == [])
  }

  @Test("what is not set is not written")
  func unset() throws {
    let json = try Self.first(span("a"))
    #expect(
      json.object?.keys == [
        "traceId", "spanId", "flags", "name", "kind", "startTimeUnixNano", "endTimeUnixNano",
      ])
    #expect(json["flags"] == 0x101)
  }

  @Test("each status and kind has its number")
  func numbers() throws {
    var one = span("a")
    one.status = .ok
    #expect(try Self.first(one)["status"] == ["code": 1])
    for kind in Span.Kind.allCases {
      one.kind = kind
      #expect(try Self.first(one)["kind"]?.integer == Int64(kind.rawValue))
    }
    #expect(Span.Kind.allCases.map(\.rawValue) == [1, 2, 3, 4, 5])
  }

  @Test("numbers that JSON has no word for are written as texts")
  func notFinite() throws {
    var one = span("a")
    one.attributes = ["n": .double(.nan), "p": .double(.infinity), "m": .double(-.infinity), "i": .int(.min)]
    let values = try Self.first(one)["attributes"]?.array?.compactMap { $0["value"] }
    let expected: [JSON] = [
      ["doubleValue": "NaN"], ["doubleValue": "Infinity"], ["doubleValue": "-Infinity"],
      ["intValue": "-9223372036854775808"],
    ]
    #expect(values == expected)
  }

  @Test("a span does not end before it begins, nor begin before 1970")
  func times() throws {
    var one = span("a")
    one.startUnixNanoseconds = 10
    one.endUnixNanoseconds = 9
    #expect(try Self.first(one)["endTimeUnixNano"] == "10")
    one.startUnixNanoseconds = -5
    #expect(try Self.first(one)["startTimeUnixNano"] == "0")
  }

  @Test("long texts are cut between characters, and say how much was dropped")
  func cut() throws {
    var limits = OTLP.Limits()
    limits.valueBytesMax = 5
    limits.nameBytesMax = 3
    var one = span("name")
    one.attributes = ["fits": "12345", "cut": "123456", "é": "ééé", "wide": "1😀2"]
    one.status = .error("oh no!")
    let json = try Self.first(one, limits)
    #expect(json["name"] == "nam… (1 bytes dropped)")
    let attributes = try #require(json["attributes"]?.array)
    #expect(
      attributes.map(Self.text)
        == [
          "12345", "12345… (1 bytes dropped)", "éé… (2 bytes dropped)", "1😀… (1 bytes dropped)",
        ])
    #expect(attributes[0]["key"] == "fit… (1 bytes dropped)")
    #expect(json["status"]?["message"] == "oh no… (1 bytes dropped)")
    limits.valueBytesMax = 4
    #expect(Self.text(try Self.first(one, limits)["attributes"]?.array?.last) == "1… (5 bytes dropped)")
  }

  @Test("a list shares the room of one text")
  func lists() throws {
    var limits = OTLP.Limits()
    limits.valueBytesMax = 40
    var one = span("a")
    one.attributes = ["l": .strings(["1234", "1234", "1234", "1234"]), "e": .strings([])]
    let values = try Self.first(one, limits)["attributes"]?.array?.map { attribute in
      attribute["value"]?["arrayValue"]?["values"]?.array?.compactMap { $0["stringValue"]?.string }
    }
    #expect(values == [["1234", "1234", "… (2 elements dropped)"], []])
  }

  @Test("surplus attributes are counted, and names that are empty")
  func surplus() throws {
    var limits = OTLP.Limits()
    limits.attributesMax = 2
    var one = span("a")
    one.attributes = ["": "x", "a": 1, "b": 2, "c": 3]
    let json = try Self.first(one, limits)
    #expect(json["attributes"]?.array?.compactMap { $0["key"]?.string } == ["a", "b"])
    #expect(json["droppedAttributesCount"] == 2)
  }

  @Test("a span of any size makes a request of bounded size")
  func worst() throws {
    var limits = OTLP.Limits()
    limits.valueBytesMax = 1000
    limits.attributesMax = 20
    var one = span("a")
    let text = String(repeating: "\u{1}", count: 100_000)
    for number in 0..<30 { one.attributes["k\(number)"] = .string(text) }
    let bytes = OTLP.encode([one], resource: Resource([:]), scope: .init(version: "1"), limits: limits)
    // A control character takes six bytes.
    #expect(bytes.count < 20 * (6 * 1000 + 100) + 1000)
    #expect(one.approximateBytes > 3_000_000)
  }
}

@Suite("Attributes", .timeLimit(.minutes(1)))
struct AttributesTests {
  @Test("a name comes once, in its first place with its last value")
  func unique() {
    var attributes: Attributes = ["a": 1, "b": 2, "a": 3]
    #expect(attributes.members.map(\.name) == ["a", "b"])
    #expect(attributes["a"] == 3)
    attributes["a"] = nil
    attributes["x"] = nil
    attributes["c"] = "d"
    #expect(attributes.members.map(\.name) == ["b", "c"] && attributes.count == 2)
    attributes.merge(["c": false, "e": 0.5])
    #expect(attributes == ["b": 2, "c": false, "e": 0.5])
  }
}
