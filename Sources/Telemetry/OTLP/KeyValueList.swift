// SPDX-License-Identifier: Apache-2.0

/// Reads `k=v,k2=v2`, as the environment variables of OpenTelemetry have it.
///
/// Source: OpenTelemetry specification, "Resource SDK" and "OTLP exporter" (W3C Baggage without properties:
/// names and values are percent-encoded, white space around them does not count).
enum KeyValueList {
  /// - Parameter variable: What the text is the value of, for messages.
  /// - Returns: In order, repeated names included; empty for an empty text and between commas without
  ///   anything.
  /// - Throws: ``TelemetryError`` for an entry without `=` or without a name, and for a wrong percent
  ///   sequence. All of it is then refused, as the specification asks; the message has the entry's number,
  ///   for its text may be a secret.
  static func parse(
    _ text: String, of variable: String
  ) throws(TelemetryError) -> [(name: String, value: String)] {
    var pairs: [(name: String, value: String)] = []
    let entries = Substring(text).utf8.split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false)
    for (place, entry) in entries.enumerated() {
      let entry = entry.trimmed
      if entry.isEmpty { continue }
      let number = place + 1
      guard let equals = entry.firstIndex(of: UInt8(ascii: "=")) else {
        throw TelemetryError(
          "\(variable): entry \(number) has no '='", hint: "write name=value,name2=value2; a comma is %2C")
      }
      guard let name = decoded(entry[..<equals].trimmed),
        let value = decoded(entry[entry.index(after: equals)...].trimmed)
      else {
        throw TelemetryError(
          "\(variable): entry \(number) has a '%' that is not followed by the two digits of a UTF-8 byte",
          hint: "a percent sign is %25")
      }
      if name.isEmpty { throw TelemetryError("\(variable): entry \(number) has no name before its '='") }
      pairs.append((name, value))
    }
    return pairs
  }

  /// - Returns: `nil` for a wrong percent sequence, or when what comes out is not UTF-8.
  private static func decoded(_ text: Substring.UTF8View) -> String? {
    var bytes: [UInt8] = []
    var rest = text
    while let byte = rest.popFirst() {
      guard byte == UInt8(ascii: "%") else {
        bytes.append(byte)
        continue
      }
      guard let high = rest.popFirst().flatMap(digit), let low = rest.popFirst().flatMap(digit) else {
        return nil
      }
      bytes.append(high << 4 | low)
    }
    return String(validating: bytes, as: UTF8.self)
  }

  private static func digit(_ byte: UInt8) -> UInt8? {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
    default: nil
    }
  }
}
