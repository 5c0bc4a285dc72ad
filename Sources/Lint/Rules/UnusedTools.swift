// SPDX-License-Identifier: Apache-2.0

/// Tools that no agent, script or eval names.
enum UnusedTools: WorkspaceRule {
  static let unused = Explanation(
    "W210", .info, "tool that nobody uses",
    "No agent lists it, so no model can call it. It is told only where every agent's list is written out.",
    wrong: "return { add = { description = \"Adds.\", run = function() end } }\n",
    right:
      "return { add = { description = \"Adds.\", run = function() end } }\n-- agents/notes.lua: tools = { \"add\" }\n",
    path: "tools/notes.lua")
  static let explanations = [unused]

  static func check(_ workspace: LintWorkspace, _ findings: inout [Diagnostic]) {
    let files = workspace.sortedFiles()
    let isOpen = files.contains { file in
      if case .agent = file.kind { file.isOpen } else { false }
    }
    guard !isOpen else { return }
    let used = Set(
      files.flatMap { $0.references.lazy.filter { $0.kind == .tool && $0.place != .definition }.map(\.name) }
    )
    .union(
      files.flatMap { file -> [String] in
        if case .agent = file.kind { return file.references.filter { $0.kind == .tool }.map(\.name) }
        return []
      })
    for tool in workspace.tools where !used.contains(tool.name) {
      var found = Findings(file: tool.file)
      found.add(
        unused, at: tool.range, "no agent lists the tool '\(tool.name)'", hint: "add it to an agent's tools")
      findings += found.list
    }
  }
}
