// SPDX-License-Identifier: Apache-2.0

extension Configuration {
  /// One row of the documentation.
  public struct Reference: Sendable, Hashable {
    /// `<name>` stands for any name, `[]` for each item of a list.
    public let path: String
    /// What the value must be.
    public let type: String
    /// YAML text; `nil` for a key that each element must have.
    public let `default`: String?
    public let description: String

    /// Environment variable of the key; `nil` for a key inside a list.
    public var variable: String? {
      if path.contains("[]") { return nil }
      return Configuration.variablePrefix
        + path.map { $0 == "." ? "_" : String($0).uppercased() }.joined()
    }
  }

  /// Every key, in the order of the documentation.
  public static let reference: [Reference] = {
    let defaults = Configuration()
    return keys.flatMap { $0.rows(defaults, $0.path) }
  }()

  /// ``reference`` as Markdown: a table for each section, and the usual variables.
  public static let referenceMarkdown: String = {
    var lines: [String] = []
    var section = ""
    for row in reference {
      let name = String(row.path.prefix { $0 != "." && $0 != "[" })
      if name != section {
        section = name
        lines += lines.isEmpty ? [] : [""]
        lines += ["### `\(name)`", "", "| key | value | default | variable | |", "|---|---|---|---|---|"]
      }
      let variable = row.variable.map { "`\($0)`" } ?? ""
      let standard = row.default.map { "`\($0)`" } ?? "required"
      lines.append("| `\(row.path)` | \(row.type) | \(standard) | \(variable) | \(row.description) |")
    }
    lines += ["", "### Other variables", "", "| variable | key |", "|---|---|"]
    lines += usualVariables.map { "| `\($0.name)` | `\($0.path)` |" }
    return lines.joined(separator: "\n") + "\n"
  }()
}
