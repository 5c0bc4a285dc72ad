// SPDX-License-Identifier: Apache-2.0

/// Finds the functions of a file that the contract calls, and what it calls them with.
///
/// Signatures come from the classes of the editors' stubs: `---@field prompt? string|fun(ctx: perigee.Context): string`.
struct ContractFunctions {
  let kind: ScriptKind
  let api: HostAPI
  let model: FileModel
  let returned: ReturnedTable?

  var all: [ContractFunction] {
    guard let returned else { return [] }
    switch kind {
    case .agent:
      return functions(of: "perigee.Agent", at: [], in: returned) + steps(in: returned) + guards(in: returned)
    case .tools:
      return returned.keys().flatMap { functions(of: "perigee.Tool", at: [$0], in: returned) }
    case .evals: return checks(in: returned)
    case .module, .other: return []
    }
  }

  private func functions(of name: String, at path: [String], in table: ReturnedTable) -> [ContractFunction] {
    guard let declared = api.classes[name] else { return [] }
    return declared.fields.compactMap { field in
      let signature = api.resolved(field.type).members.lazy.compactMap { member in
        if case .function(let parameters, let returns) = member { (parameters, returns) } else { nil }
      }.first
      guard let (parameters, returns) = signature else { return nil }
      return function(at: path + [field.name], in: table, parameters, returns)
    }
  }

  private func function(
    at path: [String], in table: ReturnedTable, _ parameters: [LuaField], _ returns: LuaType?
  ) -> ContractFunction? {
    guard let body = table.function(at: path), let index = model.function(body) else { return nil }
    return ContractFunction(function: index, path: path, parameters: parameters, returns: returns)
  }

  /// `check` of each expectation.
  private func checks(in table: ReturnedTable) -> [ContractFunction] {
    table.keys().flatMap { eval in
      table.keys(at: [eval, "turns"]).flatMap { turn in
        functions(of: "perigee.Expectation", at: [eval, "turns", turn, "expect"], in: table)
      }
    }
  }

  /// Functions among the guardrails.
  private func guards(in table: ReturnedTable) -> [ContractFunction] {
    guard
      case .function(let parameters, let returns)? = api.resolved(.named("perigee.GuardFunction")).members
        .first
    else { return [] }
    return ["input", "output", "tools", "tools.check"].flatMap { stage in
      let list = ["guardrails"] + stage.split(separator: ".").map(String.init)
      return table.keys(at: list).flatMap { entry in
        [[entry], [entry, "run"]].compactMap {
          function(at: list + $0, in: table, parameters, returns)
        }
      }
    }
  }

  /// Functions of a workflow's steps and states.
  private func steps(in table: ReturnedTable) -> [ContractFunction] {
    let context = LuaField(name: "ctx", type: .named("perigee.Context"))
    let results = LuaField(name: "results", type: .any)
    return ["steps", "states"].flatMap { body in
      table.keys(at: [body]).flatMap { step in
        ["run", "when", "input", "for_each", "next"].compactMap {
          function(at: [body, step, $0], in: table, [context, results], nil)
        }
      }
    }
  }
}
