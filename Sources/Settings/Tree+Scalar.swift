// SPDX-License-Identifier: Apache-2.0

extension Tree.Value {
  /// What an unquoted scalar means in YAML's core schema: `yes`, `on` and dates are strings.
  ///
  /// Source: yaml.org/spec/1.2.2, 10.3.2.
  init(plainScalar text: String) {
    switch text {
    case "", "~", "null", "Null", "NULL": self = .null
    case "true", "True", "TRUE": self = .bool(true)
    case "false", "False", "FALSE": self = .bool(false)
    default: self = Self.number(text) ?? .string(text)
    }
  }

  private static func number(_ text: String) -> Self? {
    if text.hasPrefix("0x"), let value = Int(text.dropFirst(2), radix: 16) { return .integer(value) }
    if text.hasPrefix("0o"), let value = Int(text.dropFirst(2), radix: 8) { return .integer(value) }
    let decimal = text.utf8.allSatisfy { byte in
      (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || "+-.eE".utf8.contains(byte)
    }
    guard decimal, text.utf8.contains(where: { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) })
    else { return nil }
    if let value = Int(text) { return .integer(value) }
    // Swift's parser wants a digit before the point, YAML's does not.
    let padded = text.hasPrefix(".") ? "0" + text : text
    return Double(padded.hasSuffix(".") ? padded + "0" : padded).map { .number($0) }
  }
}
