// SPDX-License-Identifier: Apache-2.0
import Core

/// Agents that may delegate to one another in a circle.
enum HandoffCycles: WorkspaceRule {
  static let cycle = Explanation(
    "W211", .warning, "agents delegate in a circle",
    "Each lists the next, and the last the first: their models can hand a task round until a limit ends it. Take one of the names out.",
    wrong: "return { prompt = \"p\", agents = { \"sales\" } }\n",
    right: "return { prompt = \"p\", agents = {} }\n",
    path: "agents/support.lua",
    beside: ["agents/sales.lua": "return { prompt = \"p\", agents = { \"support\" } }"])
  static let explanations = [cycle]

  static func check(_ workspace: LintWorkspace, _ findings: inout [Diagnostic]) {
    var next: [String: [Reference]] = [:]
    var paths: [String: String] = [:]
    for file in workspace.sortedFiles() {
      guard case .agent(let name) = file.kind else { continue }
      next[name] = file.references.filter { $0.kind == .agent && $0.place == .list }
      paths[name] = file.path
    }
    for agent in next.keys.sorted() {
      // Told once, at the agent that comes first by name.
      guard let circle = Circle.through(agent, { (next[$0] ?? []).map(\.name) }), circle.min() == agent,
        let path = paths[agent],
        let reference = next[agent]?.first(where: { $0.name == (circle.count > 1 ? circle[1] : agent) })
      else { continue }
      var found = Findings(file: path)
      let way = (circle + [agent]).joined(separator: " → ")
      found.add(
        cycle, at: reference.range,
        circle.count == 1 ? "the agent '\(agent)' delegates to itself" : "agents delegate in a circle: \(way)"
      )
      findings += found.list
    }
  }
}
