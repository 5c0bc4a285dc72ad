// SPDX-License-Identifier: Apache-2.0
import Core
import JSONCodec

/// What an agent's or a tools file returns, read by the same code that reads it at load.
enum Definitions: FileRule {
  static let explanations: [Explanation] = []

  static func check(_ file: LintedFile, _ findings: inout Findings) {
    guard let value = file.value else { return }
    let problems = WorkspaceProblems()
    let list = ProblemList(file: file.path, table: { file.returned }, all: problems)
    switch file.kind {
    case .agent(let name):
      _ = AgentDefinition.decode(value, name: name, file: file.path, defaults: RunLimits(), problems: list)
    case .tools: _ = ToolDefinition.decode(value, file: file.path, problems: list)
    case .module, .evals, .other: break
    }
    findings.add(problems.diagnostics)
  }
}
