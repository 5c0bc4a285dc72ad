// SPDX-License-Identifier: Apache-2.0

/// Statements that nothing leads to.
enum UnreachableCode: FileRule {
  static let unreachable = Explanation(
    "P131", .warning, "unreachable code", "What stands before it always returns, raises, or goes elsewhere.",
    wrong: "return { pick = function(list)\n  error(\"empty\")\n  return list[1]\nend }\n",
    right:
      "return { pick = function(list)\n  if #list == 0 then error(\"empty\") end\n  return list[1]\nend }\n")
  static let explanations = [unreachable]

  static func check(_ file: LintedFile, _ findings: inout Findings) {
    let flow = Flow(model: file.model)
    for block in file.model.blocks {
      guard let end = block.statements.firstIndex(where: { !flow.completes($0) }) else { continue }
      let rest = block.statements[(end + 1)...].prefix { statement in
        if case .label = statement.kind { false } else { true }
      }
      guard
        let first = rest.first(where: { if case .empty = $0.kind { false } else { true } }),
        let last = rest.last
      else { continue }
      findings.add(
        unreachable, at: first.range.extended(to: last.range), "this is never reached",
        hint: "the statement at line \(block.statements[end].range.start.line) does not let anything through")
    }
  }
}
