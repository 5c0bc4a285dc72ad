// SPDX-License-Identifier: Apache-2.0
import JSONCodec

/// Finds the names in a file that lead to others.
package enum References {
  package static func all(in file: LintedFile) -> [Reference] {
    var references = calls(in: file)
    guard let value = file.value, let table = file.returned else { return references }
    switch file.kind {
    case .agent:
      references += list(value["tools"], ["tools"], .tool, table) + computedTools(in: file)
      references += list(value["agents"], ["agents"], .agent, table)
      for body in ["steps", "states"] {
        for step in value[body]?.object?.members ?? [] {
          references += text(step.value["agent"], [body, step.key, "agent"], .agent, table)
          references += text(step.value["tool"], [body, step.key, "tool"], .tool, table)
        }
      }
    case .evals: references += evals(value, table)
    case .tools, .module, .other: break
    }
    return references
  }

  private static func list(
    _ value: JSON?, _ path: [String], _ kind: Reference.Kind, _ table: ReturnedTable
  ) -> [Reference] {
    (value?.array ?? []).enumerated().compactMap { index, item in
      let path = path + [String(index + 1)]
      return item.string.map {
        Reference(
          kind: kind, name: $0, place: .list, range: table.position(of: path).range,
          literal: literal(at: path, table))
      }
    }
  }

  private static func text(
    _ value: JSON?, _ path: [String], _ kind: Reference.Kind, _ table: ReturnedTable
  ) -> [Reference] {
    guard let name = value?.string else { return [] }
    return [
      Reference(
        kind: kind, name: name, place: .definition, range: table.position(of: path, .value).range,
        literal: literal(at: path, table))
    ]
  }

  private static func literal(at path: [String], _ table: ReturnedTable) -> SourceRange? {
    table.expression(at: path).flatMap { $0.isString ? $0.core.range : nil }
  }

  private static func evals(_ value: JSON, _ table: ReturnedTable) -> [Reference] {
    var references: [Reference] = []
    for (index, eval) in (value.array ?? []).enumerated() {
      let path = [String(index + 1)]
      references += text(eval["agent"], path + ["agent"], .agent, table)
      for (turn, entry) in (eval["turns"]?.array ?? []).enumerated() {
        let expect = path + ["turns", String(turn + 1), "expect"]
        if let several = entry["expect"]?.array {
          for (index, one) in several.enumerated() {
            references += expectation(one, expect + [String(index + 1)], table)
          }
        } else if let one = entry["expect"] {
          references += expectation(one, expect, table)
        }
      }
    }
    return references
  }

  private static func expectation(_ value: JSON, _ path: [String], _ table: ReturnedTable) -> [Reference] {
    text(value["tool_called"], path + ["tool_called"], .tool, table)
      + text(value["tool_called"]?["name"], path + ["tool_called", "name"], .tool, table)
      + text(value["not_called"], path + ["not_called"], .tool, table)
  }

  /// Names in the lists that `tools = function(ctx) … end` returns, as far as they are written out.
  private static func computedTools(in file: LintedFile) -> [Reference] {
    file.contract.filter { $0.path == ["tools"] }.flatMap { entry in
      file.model.functions[entry.function].body.block.returned.flatMap(\.tables).flatMap { table in
        table.fields.compactMap { field in
          field.value.text.map {
            Reference(
              kind: .tool, name: $0, place: .computed, range: field.value.range,
              literal: field.value.core.range)
          }
        }
      }
    }
  }

  private static func calls(in file: LintedFile) -> [Reference] {
    var references: [Reference] = []
    for member in file.model.members where member.variable == nil {
      guard let first = member.arguments?.first else { continue }
      func add(_ kind: Reference.Kind, _ value: Expression) {
        guard let said = file.model.constant(value), let name = said.text else { return }
        references.append(
          Reference(kind: kind, name: name, place: .call, range: value.range, literal: said.core.range))
      }
      switch member.path {
      case "tools.call", "queue.publish": add(.tool, first)
      case "agents.run": add(.agent, first)
      case "require": add(.module, first)
      case "pcall" where (member.arguments?.count ?? 0) > 1:
        // pcall(tools.call, "name", …)
        guard let second = member.arguments?[1], let path = first.fieldPath, path.fields.count == 1 else {
          continue
        }
        switch "\(path.root).\(path.fields[0].text)" {
        case "tools.call", "queue.publish": add(.tool, second)
        case "agents.run": add(.agent, second)
        default: break
        }
      case "llm.chat", "llm.stream":
        guard case .table(let table) = first.core.kind,
          case .table(let names)? = table.fields.last(where: { $0.keyText == "tools" })?.value.core.kind
        else { continue }
        for field in names.fields { add(.tool, field.value) }
      default: break
      }
    }
    return references
  }
}

extension FileModel {
  /// The expression itself, or what the local that it names is declared with and stays.
  fileprivate func constant(_ expression: Expression) -> Expression? {
    guard let index = variable(expression.core) else { return expression }
    return variables[index].isReassigned ? nil : variables[index].value
  }
}

extension Block {
  /// What its function may return: first values, those of functions within it left out.
  fileprivate var returned: [Expression] {
    statements.flatMap { statement -> [Expression] in
      switch statement.kind {
      case .return(let values): Array(values.prefix(1))
      case .do(let block), .while(_, let block), .repeat(let block, _), .numericFor(_, _, _, _, let block),
        .genericFor(_, _, let block):
        block.returned
      case .if(let clauses, let otherwise):
        clauses.flatMap(\.block.returned) + (otherwise?.returned ?? [])
      default: []
      }
    }
  }
}

extension BinaryOperator {
  /// Whether one of its sides is the value.
  package var isChoice: Bool { self == .and || self == .or }
}

extension Expression {
  /// Tables that are written out as this value, or as one side of `and` and `or`.
  fileprivate var tables: [Table] {
    switch core.kind {
    case .table(let table): [table]
    case .binary(let first, let operations):
      (operations[0].operator.isChoice ? first.tables : [])
        + operations.filter(\.operator.isChoice).flatMap(\.operand.tables)
    default: []
    }
  }
}
