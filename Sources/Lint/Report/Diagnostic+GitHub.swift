// SPDX-License-Identifier: Apache-2.0

extension Diagnostic {
  /// A workflow command, which GitHub shows beside the line.
  ///
  /// Source: https://docs.github.com/actions/reference/workflow-commands-for-github-actions, "Setting an error message".
  public var workflowCommand: String {
    let command =
      switch severity {
      case .error: "error"
      case .warning: "warning"
      case .info: "notice"
      }
    // A column's end is told only within one line.
    let end = endLine == line ? ",endColumn=\(max(column, endColumn))" : ",endLine=\(endLine)"
    let text = message + (hint.map { "\n\($0)" } ?? "")
    return
      "::\(command) file=\(Self.property(file)),line=\(line),col=\(column)\(end),title=\(Self.property(code.rawValue))::\(Self.data(text))"
  }

  private static func data(_ text: String) -> String {
    escaped(text, ["%": "%25", "\r": "%0D", "\n": "%0A"])
  }

  private static func property(_ text: String) -> String {
    escaped(text, ["%": "%25", "\r": "%0D", "\n": "%0A", ":": "%3A", ",": "%2C"])
  }

  /// By scalars: a line break of two is one character.
  private static func escaped(_ text: String, _ escapes: [Unicode.Scalar: String]) -> String {
    text.unicodeScalars.reduce(into: "") { result, scalar in
      if let escape = escapes[scalar] { result += escape } else { result.unicodeScalars.append(scalar) }
    }
  }
}
