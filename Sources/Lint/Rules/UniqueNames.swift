// SPDX-License-Identifier: Apache-2.0
import Core

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
    agents(workspace, files, &findings)
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

  /// `agent_a_b` may stand for `a.b` and `a_b`, or for a tool: one of them could never be called.
  private static func agents(
    _ workspace: LintWorkspace, _ tools: [String: String], _ findings: inout [Diagnostic]
  ) {
    var owners: [String: String] = [:]
    for file in workspace.sortedFiles() {
      guard case .agent(let agent) = file.kind else { continue }
      let name = Agent.toolName(of: agent)
      var found = Findings(file: file.path)
      if tools[name] != nil {
        found.add(
          DefinitionExplanations.duplicateName, at: SourceRange(.start, .start),
          "the agent's tool name '\(name)' is a tool's, too")
      } else if let other = owners.updateValue(agent, forKey: name) {
        found.add(
          DefinitionExplanations.duplicateName, at: SourceRange(.start, .start),
          "the agents '\(other)' and '\(agent)' have one tool name, '\(name)'")
      }
      findings += found.list
    }
  }
}
