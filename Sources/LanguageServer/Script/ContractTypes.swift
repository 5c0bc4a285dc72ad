// SPDX-License-Identifier: Apache-2.0
import Lint

/// What the contract expects at each place of the tables that scripts write.
struct ContractTypes: Sendable {
  let api: HostAPI
  let kind: ScriptKind

  /// First arguments of the host that name something.
  static let naming: [String: Spot.Naming] = [
    "tools.call": .tool, "agents.run": .agent, "require": .module, "secrets.get": .secret,
  ]

  /// Fields whose strings, or lists of strings, name something.
  private static let namingFields: [String: Spot.Naming] = [
    "perigee.Agent.tools": .tool, "perigee.Agent.agents": .agent, "perigee.Agent.model": .model,
    "perigee.Eval.agent": .agent, "perigee.Expectation.tool_called": .tool,
    "perigee.Expectation.not_called": .tool, "perigee.ExpectedCall.name": .tool,
    "perigee.ChatRequest.tools": .tool, "perigee.ChatRequest.model": .model,
    "perigee.EmbeddingRequest.model": .model,
  ]

  /// What a file of the kind returns.
  var root: LuaType? {
    switch kind {
    case .agent: .named("perigee.Agent")
    case .tools: .map(.named("string"), .named("perigee.Tool"))
    case .evals: .list(.named("perigee.Eval"))
    case .module, .other: nil
    }
  }

  /// What stands at a path of the returned table.
  func slot(at path: [String]) -> Spot.Slot {
    if kind == .tools, path.first == ToolDefinition.schemaKey { return Spot.Slot(type: .named("string")) }
    return path.reduce(Spot.Slot(type: root)) { slot, key in
      let isItem =
        Int(key) != nil && members(slot.type).contains { if case .list = $0 { true } else { false } }
      return isItem ? item(of: slot) : field(key, of: slot)
    }
  }

  /// What a table of that kind has under a key.
  func field(_ name: String, of slot: Spot.Slot) -> Spot.Slot {
    var field = Spot.Slot(owner: slot.type)
    for member in members(slot.type) {
      guard let (known, className) = self.field(name, of: member) else { continue }
      field.type = field.type.map { .union($0.members + known.type.members) } ?? known.type
      if let className { field.naming = field.naming ?? Self.namingFields["\(className).\(name)"] }
    }
    return field
  }

  /// What the items of a list of that kind are.
  func item(of slot: Spot.Slot) -> Spot.Slot {
    let elements = members(slot.type).compactMap { member -> LuaType? in
      if case .list(let element) = member { element } else { nil }
    }
    // A list of names, or one name: both are said alike.
    return Spot.Slot(type: elements.isEmpty ? nil : LuaType.union(elements), naming: slot.naming)
  }

  /// Fields that a table of that kind may have.
  func fields(of type: LuaType?) -> [LuaField] {
    members(type).flatMap { member -> [LuaField] in
      switch member {
      case .named(let name): api.classes[name].map(api.fields) ?? []
      case .record(let fields): fields
      default: []
      }
    }
  }

  /// The field and what is said of it.
  func declared(_ name: String, of type: LuaType?) -> LuaField? {
    members(type).lazy.compactMap { field(name, of: $0)?.field }.first
  }

  private func members(_ type: LuaType?) -> [LuaType] { type.map { api.resolved($0).members } ?? [] }

  private func field(_ name: String, of type: LuaType) -> (field: LuaField, className: String?)? {
    switch type {
    case .named(let className):
      // With its parents: a field is named after the class that declares it.
      var declared = api.classes[className]
      while let current = declared {
        if let field = current.fields.first(where: { $0.name == name }) { return (field, current.name) }
        declared = current.parent.flatMap { api.classes[$0] }
      }
      return nil
    case .record(let fields): return fields.first { $0.name == name }.map { ($0, nil) }
    case .map(_, let value): return (LuaField(name: name, type: value), nil)
    default: return nil
    }
  }
}

extension LintedFile {
  /// `http.get`: names behind a global, up to an index or a call; nil for anything else.
  func hostPath(_ first: Expression, _ suffixes: [Expression.Suffix]) -> String? {
    guard case .name(let root) = first.kind, model.variable(first) == nil else { return nil }
    var path = root
    for suffix in suffixes {
      guard case .field(let name) = suffix.kind else { return nil }
      path += "." + name.text
    }
    return path
  }
}
