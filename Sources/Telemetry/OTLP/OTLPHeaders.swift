// SPDX-License-Identifier: Apache-2.0

/// Headers that the collector wants, a key mostly.
///
/// They are secrets: there is no description that shows a value.
public struct OTLPHeaders: Sendable, Hashable, CustomStringConvertible, CustomDebugStringConvertible {
  public struct Header: Sendable, Hashable {
    public let name: String
    public let value: String
  }

  /// In order; a name comes once, in whichever case it was written last.
  public let headers: [Header]

  /// Names that belong to the request as such.
  private static let reserved: Set = ["content-type", "content-length", "host", "transfer-encoding"]

  /// Reads `OTEL_EXPORTER_OTLP_HEADERS`.
  ///
  /// - Parameter text: `k=v,k2=v2`, percent-encoded; of a repeated name the last counts.
  /// - Throws: ``TelemetryError`` for a text that cannot be read, and for what is no header: a name that is
  ///   not a token, a value with control characters. The message shows no value.
  ///
  /// Source: OpenTelemetry specification, "OTLP exporter"; RFC 9110, 5.1 and 5.5.
  public init(parsing text: String) throws(TelemetryError) {
    let variable = "OTEL_EXPORTER_OTLP_HEADERS"
    var headers: [Header] = []
    for (place, pair) in try KeyValueList.parse(text, of: variable).enumerated() {
      guard Self.isToken(pair.name) else {
        throw TelemetryError("\(variable): the name of header \(place + 1) is not a header's name")
      }
      guard pair.value.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7F || $0 == 0x09 }) else {
        throw TelemetryError("\(variable): the value of '\(pair.name)' has control characters")
      }
      let name = pair.name.lowercased()
      if Self.reserved.contains(name) {
        throw TelemetryError("\(variable): '\(pair.name)' cannot be set")
      }
      headers.removeAll { $0.name.lowercased() == name }
      headers.append(Header(name: pair.name, value: pair.value))
    }
    self.headers = headers
  }

  private static func isToken(_ name: String) -> Bool {
    name.utf8.allSatisfy { byte in
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"):
        true
      default: "!#$%&'*+-.^_`|~".utf8.contains(byte)
      }
    }
  }

  public var description: String { headers.map { "\($0.name): ***" }.joined(separator: ", ") }
  public var debugDescription: String { description }
}
