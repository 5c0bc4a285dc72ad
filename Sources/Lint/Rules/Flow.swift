// SPDX-License-Identifier: Apache-2.0

/// Whether statements come to their end.
struct Flow {
  let model: FileModel

  /// Whether what stands behind the statement may be reached from it.
  func completes(_ statement: Statement) -> Bool {
    switch statement.kind {
    case .return, .break, .goto: return false
    case .call(let call): return !neverReturns(call)
    case .do(let block): return completes(block)
    case .while(let condition, let block):
      guard case .boolean(true) = condition.core.kind else { return true }
      return hasBreak(block)
    case .repeat(let block, let condition):
      if hasBreak(block) || hasGoto(block) { return true }
      if case .boolean(false) = condition.core.kind { return false }
      return completes(block)
    case .if(let clauses, let otherwise):
      guard let otherwise else { return true }
      return clauses.contains { completes($0.block) } || completes(otherwise)
    default: return true
    }
  }

  func completes(_ block: Block) -> Bool {
    for statement in block.statements where !completes(statement) {
      // A label may be jumped to from anywhere in its block.
      return block.statements.contains { if case .label = $0.kind { true } else { false } }
    }
    return true
  }

  /// Whether a call raises whatever happens.
  private func neverReturns(_ call: Expression) -> Bool {
    guard case .suffixed(let first, let suffixes) = call.kind, suffixes.count == 1,
      case .call = suffixes[0].kind, case .name(let name) = first.kind
    else { return false }
    guard let variable = model.variable(first) else { return name == "error" || name == "reject" }
    guard let function = model.function(ofVariable: variable) else { return false }
    let block = model.functions[function].body.block
    // One that calls itself is not followed.
    guard let last = block.statements.last, case .call(let inner) = last.kind,
      case .suffixed(let callee, _) = inner.kind, case .name(let root) = callee.kind,
      model.variable(callee) == nil, root == "error" || root == "reject"
    else { return false }
    return !returns(block)
  }

  /// Whether a return stands in the block, functions in it left out.
  func returns(_ block: Block) -> Bool {
    any(block) { if case .return = $0.kind { true } else { false } }
  }

  func hasGoto(_ block: Block) -> Bool {
    any(block) { if case .goto = $0.kind { true } else { false } }
  }

  /// Whether a break of this loop stands in its body, or a goto that may leave it.
  private func hasBreak(_ block: Block) -> Bool {
    block.statements.contains { statement in
      switch statement.kind {
      case .break, .goto: true
      case .do(let inner): hasBreak(inner)
      case .if(let clauses, let otherwise):
        clauses.contains { hasBreak($0.block) } || otherwise.map(hasBreak) ?? false
      case .while(_, let inner), .repeat(let inner, _), .numericFor(_, _, _, _, let inner),
        .genericFor(_, _, let inner):
        hasGoto(inner)
      default: false
      }
    }
  }

  /// Whether some statement of the block or of one in it is of a kind; functions are not looked into.
  func any(_ block: Block, _ isWanted: (Statement) -> Bool) -> Bool {
    block.statements.contains { statement in
      if isWanted(statement) { return true }
      switch statement.kind {
      case .do(let inner), .while(_, let inner), .repeat(let inner, _), .numericFor(_, _, _, _, let inner),
        .genericFor(_, _, let inner):
        return any(inner, isWanted)
      case .if(let clauses, let otherwise):
        return clauses.contains { any($0.block, isWanted) } || otherwise.map { any($0, isWanted) } ?? false
      default: return false
      }
    }
  }
}
