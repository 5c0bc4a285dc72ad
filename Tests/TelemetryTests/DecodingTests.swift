// SPDX-License-Identifier: Apache-2.0
import Glibc
import JSONCodec
import TestSupport
import Testing

@testable import Telemetry

/// The Python of the tests, which has opentelemetry-proto; passed over without it, but in CI.
private let python: String? = {
  let repository = #filePath.split(separator: "/").dropLast(3).map { "/" + $0 }.joined()
  let path = repository + "/.build/python/bin/python"
  return access(path, X_OK) == 0 || getenv("CI") != nil ? path : nil
}()

@Suite(
  "OTLP as the published messages decode it", .timeLimit(.minutes(2)),
  .enabled(if: python != nil, "make test installs it"))
struct DecodingTests {
  /// What the Python program prints of a request: each field that is set; `nil` when it is refused.
  private static func decoded(_ request: [UInt8]) throws -> [String]? {
    let python = try #require(python)
    let script = #filePath.split(separator: "/").dropLast().map { "/" + $0 }.joined() + "/decode_request.py"
    let output = try withFile(request) { path -> [UInt8]? in
      let pipe = try #require(popen("'\(python)' '\(script)' '\(path)'", "r"))
      var output: [UInt8] = []
      var buffer = [UInt8](repeating: 0, count: 65_536)
      while true {
        let count = fread(&buffer, 1, buffer.count, pipe)
        if count == 0 { break }
        output += buffer[..<count]
      }
      return pclose(pipe) == 0 ? output : nil
    }
    return output.map { String(decoding: $0, as: UTF8.self).split(separator: "\n").map(String.init) }
  }

  private static func withFile<Result>(_ bytes: [UInt8], _ body: (String) throws -> Result) throws -> Result {
    var template = Array("/tmp/otlp-XXXXXX".utf8CString)
    let descriptor = mkstemp(&template)
    try #require(descriptor >= 0)
    let path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    defer { unlink(path) }
    var sent = 0
    while sent < bytes.count {
      let count = bytes[sent...].withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
      try #require(count > 0)
      sent += count
    }
    close(descriptor)
    return try body(path)
  }

  @Test("every field of random spans arrives, and no other")
  func random() throws {
    let seed: UInt64 = 0x5452_4143
    var random = SplitMix64(seed: seed)
    let spans = (0..<300).map { _ in Span.random(&random) }
    let resource = try Resource(
      serviceVersion: "1.2", instanceID: "ä\"\\\n\0",
      environmentAttributes: "deployment.environment.name=a%2Cb")
    let request = OTLP.encode(spans, resource: resource, scope: .init(version: "0.9"))
    let lines = try #require(try Self.decoded(request))
    var expected = Fields()
    expected.request(spans, resource)
    for (place, pair) in zip(lines, expected.lines).enumerated() where pair.0 != pair.1 {
      Issue.record("SEED=\(seed) line \(place): \(pair.0) for \(pair.1)")
      break
    }
    #expect(lines.count == expected.lines.count)
    #expect(lines.count > 3000)
  }

  @Test("what was cut and dropped arrives as such")
  func bounded() throws {
    var limits = OTLP.Limits()
    limits.attributesMax = 1
    limits.valueBytesMax = 4
    var one = span("a")
    one.attributes = ["k": .strings(["äää", "x"]), "l": .double(.nan)]
    let request = OTLP.encode([one], resource: Resource([:]), scope: .init(version: "1"), limits: limits)
    let lines = try #require(try Self.decoded(request))
    let path = ".resourceSpans.0.scopeSpans.0.spans.0."
    #expect(lines.contains("\(path)droppedAttributesCount=1"))
    let value = "\(path)attributes.0.value.arrayValue.values.0.stringValue="
    #expect(lines.contains(value + Fields.hex("ää… (2 bytes dropped)")))
  }

  @Test("numbers that are not finite arrive")
  func notFinite() throws {
    var one = span("a")
    one.attributes = ["p": .double(.infinity), "m": .double(-.infinity)]
    let request = OTLP.encode([one], resource: Resource([:]), scope: .init(version: "1"))
    let lines = try #require(try Self.decoded(request))
    let path = ".resourceSpans.0.scopeSpans.0.spans.0.attributes."
    #expect(lines.contains("\(path)0.value.doubleValue=7ff0000000000000"))
    #expect(lines.contains("\(path)1.value.doubleValue=fff0000000000000"))
  }

  @Test("a field that is not of the message is refused")
  func strict() throws {
    #expect(try Self.decoded(Array(#"{"resourceSpans":[],"x":1}"#.utf8)) == nil)
    #expect(try Self.decoded(Array(#"{"resourceSpans":[]}"#.utf8)) == ["={}"])
  }
}

/// The lines that the Python program prints, made from the spans themselves.
private struct Fields {
  var lines: [String] = []

  static func hex(_ text: String) -> String {
    text.utf8.map { String(lowerHex: UInt64($0)).suffix(2) }.joined()
  }

  mutating func request(_ spans: [Span], _ resource: Resource) {
    attributes(resource.attributes, ".resourceSpans.0.resource")
    text(".resourceSpans.0.scopeSpans.0.scope.name", "perigee")
    text(".resourceSpans.0.scopeSpans.0.scope.version", "0.9")
    for (place, span) in spans.enumerated() {
      self.span(span, ".resourceSpans.0.scopeSpans.0.spans.\(place)")
    }
  }

  /// In the order of the fields' numbers.
  private mutating func span(_ span: Span, _ path: String) {
    lines.append("\(path).traceId=\(span.traceID)")
    lines.append("\(path).spanId=\(span.spanID)")
    text("\(path).traceState", span.traceState)
    if let parent = span.parentID { lines.append("\(path).parentSpanId=\(parent)") }
    text("\(path).name", span.name)
    lines.append("\(path).kind=\(span.kind.rawValue)")
    lines.append("\(path).startTimeUnixNano=\(span.startUnixNanoseconds)")
    lines.append("\(path).endTimeUnixNano=\(span.endUnixNanoseconds)")
    attributes(span.attributes, path)
    switch span.status {
    case .unset: break
    case .ok: lines.append("\(path).status.code=1")
    case .error(let message):
      text("\(path).status.message", message)
      lines.append("\(path).status.code=2")
    }
    lines.append("\(path).flags=\(Int(span.flags.rawValue) + (span.isParentRemote ? 0x300 : 0x100))")
  }

  private mutating func attributes(_ attributes: Attributes, _ path: String) {
    for (place, member) in attributes.members.enumerated() {
      let path = "\(path).attributes.\(place)"
      text("\(path).key", member.name)
      switch member.value {
      // Of a choice even the empty text is set.
      case .string(let text): lines.append("\(path).value.stringValue=\(Self.hex(text))")
      case .bool(let bool): lines.append("\(path).value.boolValue=\(bool)")
      case .int(let int): lines.append("\(path).value.intValue=\(int)")
      case .double(let double):
        lines.append("\(path).value.doubleValue=\(String(lowerHex: double.bitPattern))")
      case .strings(let texts):
        if texts.isEmpty { lines.append("\(path).value.arrayValue={}") }
        for (index, text) in texts.enumerated() {
          lines.append("\(path).value.arrayValue.values.\(index).stringValue=\(Self.hex(text))")
        }
      }
    }
  }

  private mutating func text(_ path: String, _ value: String) {
    if !value.isEmpty { lines.append("\(path)=\(Self.hex(value))") }
  }
}

extension Span {
  fileprivate static func random(_ random: inout SplitMix64) -> Span {
    let trace = TraceID(ofRun: text(&random))
    let start = Int64.random(in: 1...Int64.max / 2, using: &random)
    var span = Span(
      text(&random), kind: Kind.allCases.randomElement(using: &random) ?? .internal, traceID: trace,
      spanID: SpanID(of: text(&random), in: trace),
      parentID: Bool.random(using: &random) ? SpanID(of: text(&random), in: trace) : nil, start: start,
      end: start + Int64.random(in: 0...1_000_000_000_000, using: &random), attributes: attributes(&random))
    span.isParentRemote = Bool.random(using: &random)
    span.flags = TraceFlags(rawValue: UInt8.random(in: 0...3, using: &random))
    span.traceState = Bool.random(using: &random) ? "a=b,c@d=e f" : ""
    span.status = [.unset, .ok, .error(text(&random)), .error("")].randomElement(using: &random) ?? .ok
    return span
  }

  private static func attributes(_ random: inout SplitMix64) -> Attributes {
    var attributes = Attributes()
    for place in 0..<Int.random(in: 0..<5, using: &random) {
      attributes["k\(place)" + text(&random)] =
        switch Int.random(in: 0..<5, using: &random) {
        case 0: .string(text(&random))
        case 1: .bool(Bool.random(using: &random))
        case 2: .int(Int64(bitPattern: random.next()))
        case 3: .double(finite(&random))
        default: .strings((0..<Int.random(in: 0..<4, using: &random)).map { _ in text(&random) })
        }
    }
    return attributes
  }

  private static func finite(_ random: inout SplitMix64) -> Double {
    let double = Double(bitPattern: random.next())
    return double.isFinite ? double : 0
  }

  private static func text(_ random: inout SplitMix64) -> String {
    let pool = Array(
      "abcXYZ 0\"\\/\n\r\t\0\u{1}\u{1F}\u{7F}\u{80}é…\u{2028}😀\u{FFFF}\u{10FFFF}".unicodeScalars)
    var text = String.UnicodeScalarView()
    for _ in 0..<Int.random(in: 0..<12, using: &random) {
      text.append(pool.randomElement(using: &random) ?? "x")
    }
    return String(text)
  }
}
