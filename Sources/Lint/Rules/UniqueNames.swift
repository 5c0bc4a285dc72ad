// SPDX-License-Identifier: Apache-2.0

/// Names that may be there once in a workspace.
enum UniqueNames: WorkspaceRule {
  static let explanations: [Explanation] = []

  static func check(_ workspace: LintWorkspace, _ findings: inout [Diagnostic]) {
    var files: [String: String] = [:]
    for tool in workspace.tools {
      guard let other = files[tool.name] else {
        files[tool.name] = tool.file
        continue
      }
      var found = Findings(file: tool.file)
      found.add(
        DefinitionExplanations.duplicateName, at: tool.range,
        "the tool '\(tool.name)' is already in \(other)",
        hint: "tool names are unique in a workspace")
      findings += found.list
    }
    // A key that stands twice in one table: the last one wins, and the first is never seen.
    for file in workspace.sortedFiles() where file.kind == .tools {
      guard let table = file.linted?.returned else { continue }
      var found = Findings(file: file.path)
      for (name, range) in table.repeatedKeys {
        found.add(
          DefinitionExplanations.duplicateName, at: range, "the tool '\(name)' stands here a second time",
          hint: "the last one wins")
      }
      findings += found.list
    }
  }
}
