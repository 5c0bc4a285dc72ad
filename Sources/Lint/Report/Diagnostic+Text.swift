// SPDX-License-Identifier: Apache-2.0

extension Diagnostic: CustomStringConvertible {
  /// `file:line:column: severity: message [CODE]`
  public var description: String {
    "\(file):\(line):\(column): \(severity.rawValue): \(message) [\(code)]"
  }

  /// ``description``, the source line with a caret under the place, and the hint.
  ///
  /// - Parameter source: The file that the finding is about.
  public func rendered(from source: SourceText) -> String {
    let scalars = Array(source.line(line).unicodeScalars)
    var text = description
    if !scalars.isEmpty {
      // Long lines are cut around the place.
      let first = column > 100 ? column - 60 : 1
      let shown = scalars.dropFirst(first - 1).prefix(120)
      // Tabs stay tabs, so that the caret stands under its character.
      let margin = scalars.dropFirst(first - 1).prefix(column - first).map { $0 == "\t" ? "\t" : " " }
      let last = endLine == line ? endColumn : scalars.count + 1
      let width = max(1, min(last - column, first + shown.count - column))
      var line = String.UnicodeScalarView()
      line.append(contentsOf: shown)
      text += "\n    \(String(line))\n    \(margin.joined())^\(String(repeating: "~", count: width - 1))"
    }
    if let hint { text += "\n    hint: \(hint)" }
    return text
  }
}
