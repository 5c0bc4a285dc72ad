// SPDX-License-Identifier: Apache-2.0

/// Functions that return a value on one way and nothing on another.
enum MissingReturns: FileRule {
  static let missing = Explanation(
    "P132", .warning, "a return is missing on one way",
    "One branch returns a value and its neighbour ends without: the caller gets nil. A function that the contract calls for a value fails then, and it is an error. `if found then return value end` at the end of a helper is excused: that is how Lua says \"or nil\".",
    wrong:
      "return { sign = function(n)\n  if n < 0 then\n    return \"minus\"\n  else\n    log.info(\"plus\")\n  end\nend }\n",
    right:
      "return { sign = function(n)\n  if n < 0 then\n    return \"minus\"\n  else\n    return \"plus\"\n  end\nend }\n"
  )
  static let explanations = [missing]

  static func check(_ file: LintedFile, _ findings: inout Findings) {
    let flow = Flow(model: file.model)
    let contract = Dictionary(file.contract.map { ($0.function, $0) }) { first, _ in first }
    for (index, function) in file.model.functions.enumerated() {
      let block = function.body.block
      guard index > 0, !flow.hasGoto(block) else { continue }
      if let wanted = contract[index], let returns = wanted.returns, !file.api.resolved(returns).isOptional {
        guard flow.completes(block) else { continue }
        let end = function.body.range.end
        findings.add(
          missing, at: word(before: end),
          flow.returns(block)
            ? "'\(wanted.hook)' ends here without the value that it must return"
            : "'\(wanted.hook)' must return a value, and returns none", severity: .error)
        continue
      }
      guard let last = block.statements.last, case .if(let clauses, let otherwise?) = last.kind else {
        continue
      }
      let branches = clauses.map(\.block) + [otherwise]
      let silent = branches.filter { flow.completes($0) && !$0.statements.isEmpty && !flow.returns($0) }
      guard branches.contains(where: endsWithValue), let first = silent.first else { continue }
      findings.add(
        missing, at: SourceRange(first.range.start, first.range.start),
        "this branch returns nothing, where another returns a value", hint: "return nil, if that is meant")
    }
  }

  private static func endsWithValue(_ block: Block) -> Bool {
    if case .return(let values)? = block.statements.last?.kind { !values.isEmpty } else { false }
  }

  /// The `end` that closes a function.
  private static func word(before end: Position) -> SourceRange {
    SourceRange(Position(offset: max(0, end.offset - 3), line: end.line, column: max(1, end.column - 3)), end)
  }
}
