// SPDX-License-Identifier: Apache-2.0
import JSONCodec

extension Diagnostic {
  /// A log that code scanning services read.
  ///
  /// Source: SARIF 2.1.0, https://docs.oasis-open.org/sarif/sarif/v2.1.0.
  public static func sarif(_ findings: [Diagnostic], version: String) -> String {
    let codes = Set(findings.map(\.code)).sorted { $0.rawValue < $1.rawValue }
    let rules = codes.map { code -> JSON in
      let page = Explanation.byCode[code]
      var rule: [(String, JSON)] = [("id", .string(code.rawValue))]
      if let page {
        rule.append(("shortDescription", ["text": .string(page.title)]))
        rule.append(("fullDescription", ["text": .string(page.reason)]))
        rule.append(("defaultConfiguration", ["level": .string(page.severity.sarif)]))
      }
      return .object(JSONObject(rule))
    }
    let driver: JSON = ["name": "perigee", "version": .string(version), "rules": .array(rules)]
    let results = findings.map { $0.result(codes.firstIndex(of: $0.code) ?? 0) }
    return RawJSON([
      "$schema": "https://json.schemastore.org/sarif-2.1.0.json", "version": "2.1.0",
      "runs": [
        ["tool": ["driver": driver], "columnKind": "unicodeCodePoints", "results": .array(results)]
      ],
    ]).text
  }

  private func result(_ rule: Int) -> JSON {
    let region: JSON = [
      "startLine": .integer(Int64(line)), "startColumn": .integer(Int64(column)),
      "endLine": .integer(Int64(endLine)),
      "endColumn": .integer(Int64(endColumn)),
    ]
    return [
      "ruleId": .string(code.rawValue), "ruleIndex": .integer(Int64(rule)), "level": .string(severity.sarif),
      "message": ["text": .string(message + (hint.map { " (\($0))" } ?? ""))],
      "locations": [
        ["physicalLocation": ["artifactLocation": ["uri": .string(Self.uri(file))], "region": region]]
      ],
    ]
  }

  /// A path as a relative reference. Source: RFC 3986, 3.3.
  private static func uri(_ path: String) -> String {
    var text = ""
    for byte in path.utf8 {
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
        UInt8(ascii: "~"), UInt8(ascii: "/"):
        text.unicodeScalars.append(UnicodeScalar(byte))
      default:
        let digits = String(byte, radix: 16, uppercase: true)
        text += "%" + (digits.count == 1 ? "0" : "") + digits
      }
    }
    return text
  }
}

extension Diagnostic.Severity {
  /// SARIF's word.
  fileprivate var sarif: String { self == .info ? "note" : rawValue }
}
