// SPDX-License-Identifier: Apache-2.0
import JSONCodec

/// Finds the names in a file that lead to others.
enum References {
  static func all(in file: LintedFile) -> [Reference] {
    var references = calls(in: file)
    if let value = file.value, let table = file.returned {
      switch file.kind {
      case .agent:
        references +=
          list(value["tools"], ["tools"], .tool, table) + list(value["agents"], ["agents"], .agent, table)
        for body in ["steps", "states"] {
          for step in value[body]?.object?.members ?? [] {
            references += text(step.value["agent"], [body, step.key, "agent"], .agent, table)
            references += text(step.value["tool"], [body, step.key, "tool"], .tool, table)
          }
        }
      case .evals: references += evals(value, table)
      case .tools, .module, .other: break
      }
    }
    return references
  }

  private static func list(
    _ value: JSON?, _ path: [String], _ kind: Reference.Kind, _ table: ReturnedTable
  ) -> [Reference] {
    (value?.array ?? []).enumerated().compactMap { index, item in
      item.string.map {
        Reference(
          kind: kind, name: $0, place: .list, range: table.position(of: path + [String(index + 1)]).range)
      }
    }
  }

  private static func text(
    _ value: JSON?, _ path: [String], _ kind: Reference.Kind, _ table: ReturnedTable
  ) -> [Reference] {
    guard let name = value?.string else { return [] }
    return [
      Reference(kind: kind, name: name, place: .definition, range: table.position(of: path, .value).range)
    ]
  }

  private static func evals(_ value: JSON, _ table: ReturnedTable) -> [Reference] {
    var references: [Reference] = []
    for (index, eval) in (value.array ?? []).enumerated() {
      let path = [String(index + 1)]
      references += text(eval["agent"], path + ["agent"], .agent, table)
      for (turn, entry) in (eval["turns"]?.array ?? []).enumerated() {
        let expect = path + ["turns", String(turn + 1), "expect"]
        references += text(
          entry["expect"]?["tool_called"]?["name"], expect + ["tool_called", "name"], .tool, table)
        references += text(entry["expect"]?["not_called"], expect + ["not_called"], .tool, table)
      }
    }
    return references
  }

  private static func calls(in file: LintedFile) -> [Reference] {
    var references: [Reference] = []
    for member in file.model.members where member.variable == nil {
      guard let first = member.arguments?.first else { continue }
      func add(_ kind: Reference.Kind, _ value: Expression) {
        guard let name = value.text else { return }
        references.append(Reference(kind: kind, name: name, place: .call, range: value.range))
      }
      switch member.path {
      case "tools.call": add(.tool, first)
      case "agents.run": add(.agent, first)
      case "require": add(.module, first)
      case "pcall" where (member.arguments?.count ?? 0) > 1:
        // pcall(tools.call, "name", …)
        guard let second = member.arguments?[1], let path = first.fieldPath, path.fields.count == 1 else {
          continue
        }
        switch "\(path.root).\(path.fields[0].text)" {
        case "tools.call": add(.tool, second)
        case "agents.run": add(.agent, second)
        default: break
        }
      case "llm.chat":
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
