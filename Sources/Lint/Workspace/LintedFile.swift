// SPDX-License-Identifier: Apache-2.0
package import JSONCodec

/// What a script is, by the folder that it stands in.
public enum ScriptKind: Sendable, Hashable {
  /// With the agent's name.
  case agent(String)
  case tools, module, evals
  /// Not part of a workspace: only what holds for any Lua is checked.
  case other

  /// - Parameter path: In the workspace, `agents/market/title.lua`.
  public init(path: String) {
    let parts = path.split(separator: "/")
    guard parts.count > 1, path.hasSuffix(".lua") else {
      self = .other
      return
    }
    switch parts[0] {
    case "agents":
      self = .agent(parts.dropFirst().joined(separator: ".").dropLast(".lua".count).description)
    case "tools": self = .tools
    case "lib": self = .module
    case "evals": self = .evals
    default: self = .other
    }
  }
}

/// A function that the contract gives a place, and calls with values of its own.
package struct ContractFunction: Sendable {
  /// Index in the model.
  package let function: Int
  /// Keys from the returned table.
  package let path: [String]
  package let parameters: [LuaField]
  package let returns: LuaType?

  /// `prompt`, `run`, …
  package var hook: String { path.last ?? "" }
}

/// A file with everything that its rules ask about it.
package struct LintedFile: Sendable {
  package let path: String
  package let kind: ScriptKind
  package let api: HostAPI
  package let settings: LintSettings
  package let model: FileModel
  package let returned: ReturnedTable?
  /// What the file returns, as far as its text tells; nil when nothing is known.
  package let value: JSON?
  package let contract: [ContractFunction]
  package let typing: Typing

  /// - Parameter place: As ``FileModel/init(_:namesAt:)`` takes it.
  package init(
    path: String, kind: ScriptKind, api: HostAPI, settings: LintSettings, parsed: ParsedFile,
    namesAt place: Int? = nil
  ) {
    self.path = path
    self.kind = kind
    self.api = api
    self.settings = settings
    let model = FileModel(parsed, namesAt: place)
    self.model = model
    returned = kind == .other || kind == .module ? nil : ReturnedTable(parsed.chunk)
    value = Self.value(kind, parsed, model, returned)
    let contract = ContractFunctions(kind: kind, api: api, model: model, returned: returned).all
    self.contract = contract
    var types: [Int: LuaType] = [:]
    for entry in contract {
      for (variable, field) in zip(model.functions[entry.function].parameters, entry.parameters) {
        types[variable] = field.type
      }
    }
    typing = Typing(model, api, parameters: types)
  }

  package var chunk: Chunk { model.file.chunk }

  package var source: SourceText { model.file.source }

  package func contract(ofFunction index: Int) -> ContractFunction? {
    contract.first { model.isFunction(index, in: $0.function) }
  }

  private static func value(
    _ kind: ScriptKind, _ parsed: ParsedFile, _ model: FileModel, _ returned: ReturnedTable?
  ) -> JSON? {
    if kind == .other || kind == .module { return JSON?.none }
    if let returned { return returned.value(open: openLocals(model, returned)) }
    guard case .return(let values)? = parsed.chunk.block.statements.last?.kind else {
      let returnsElsewhere = Flow(model: model).returns(parsed.chunk.block)
      let ends = Flow(model: model).completes(parsed.chunk.block)
      return returnsElsewhere || !ends ? JSON?.none : JSON.null
    }
    guard let value = values.first else { return .null }
    return StaticValue.constant(value)
  }

  /// Locals of the file that are changed other than by plain statements of the file itself.
  private static func openLocals(_ model: FileModel, _ returned: ReturnedTable) -> Set<String> {
    var open: Set<String> = []
    for name in returned.localNames {
      let variables = model.variables.indices.filter {
        model.variables[$0].function == 0 && model.variables[$0].name.text == name
      }
      guard let index = variables.first, variables.count == 1 else {
        open.insert(name)
        continue
      }
      let writes = model.writes[index] ?? 0
      let variable = model.variables[index]
      if variable.isReassigned || writes > returned.additions(to: name)
        || variable.uses.contains(where: { $0.role == .argument })
      {
        open.insert(name)
      }
    }
    return open
  }
}
