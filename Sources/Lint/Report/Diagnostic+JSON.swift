// SPDX-License-Identifier: Apache-2.0

extension Diagnostic {
  /// One line of JSON: `findings`, a list of `file`, `line`, `column`, `end_line`, `end_column`, `severity`,
  /// `code`, `message` and `hint`, and a `summary` with the counts.
  ///
  /// - Parameters:
  ///   - findings: In the order in which they are printed.
  ///   - files: Number of files that were looked at.
  public static func json(_ findings: [Diagnostic], files: Int) -> String {
    let counts = Severity.allCases.map { severity in
      "\"\(severity.rawValue)s\":\(findings.count { $0.severity == severity })"
    }
    let list = findings.map(\.json).joined(separator: ",")
    return "{\"findings\":[\(list)],\"summary\":{\"files\":\(files),\(counts.joined(separator: ","))}}"
  }

  private var json: String {
    let fields = [
      "\"file\":\(Self.quoted(file))", "\"line\":\(line)", "\"column\":\(column)", "\"end_line\":\(endLine)",
      "\"end_column\":\(endColumn)", "\"severity\":\"\(severity.rawValue)\"",
      "\"code\":\(Self.quoted(code.rawValue))",
      "\"message\":\(Self.quoted(message))", "\"hint\":\(hint.map(Self.quoted) ?? "null")",
    ]
    return "{\(fields.joined(separator: ","))}"
  }

  private static func quoted(_ text: String) -> String {
    var result = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": result += "\\\""
      case "\\": result += "\\\\"
      case "\n": result += "\\n"
      case "\r": result += "\\r"
      case "\t": result += "\\t"
      case _ where scalar.value < 0x20:
        let digits = String(scalar.value, radix: 16)
        result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result + "\""
  }
}
