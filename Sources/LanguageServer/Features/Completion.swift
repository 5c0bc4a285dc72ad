// SPDX-License-Identifier: Apache-2.0
import JSONCodec
import Lint

/// What can stand at a place of a script.
struct Completion: Sendable {
  /// Source: LSP 3.17, CompletionItemKind.
  enum Kind: Int64, Sendable {
    case method = 2
    case function = 3
    case field = 5
    case variable = 6
    case module = 9
    case value = 12
    case keyword = 14
    case reference = 18
  }

  struct Item: Sendable {
    var label: String
    var kind: Kind
    var detail: String?
    var documentation: String?
    /// What is written, where it is not the label.
    var text: String?
    /// Groups come in this order.
    var group = 1
  }

  private let project: Project?
  private let script: CursorScript
  private var file: LintedFile { script.file }
  private var types: ContractTypes { ContractTypes(api: file.api, kind: file.kind) }

  /// - Parameter project: Where names of tools, agents and modules lead; nil for a file of no workspace.
  init(_ script: CursorScript, in project: Project?) {
    self.script = script
    self.project = project
  }

  var items: [Item] {
    switch script.spot.kind {
    case .declaration: []
    case .string: strings(quoted: false)
    case .member(let first, let before, _, let isMethod): members(first, before, isMethod: isMethod)
    case .key(let name): keys(but: name)
    case .name: (script.isAssigned ? [] : strings(quoted: true)) + keys(but: nil) + names
    }
  }

  // MARK: Strings

  /// Strings that are expected; with their quotes where none are written yet.
  private func strings(quoted: Bool) -> [Item] {
    let slot = script.spot.slot
    let literals = (slot.type.map { file.api.resolved($0).members } ?? []).compactMap { member -> Item? in
      if case .literal(let text) = member { Item(label: text, kind: .value, group: 0) } else { nil }
    }
    return (literals + (slot.naming.map(named) ?? [])).map { item in
      guard quoted else { return item }
      var item = item
      item.label = "\"\(item.label)\""
      return item
    }
  }

  private func named(_ naming: Spot.Naming) -> [Item] {
    guard let project else { return [] }
    switch naming {
    case .tool:
      return project.tools.map { tool in
        let page = ToolPage(tool, in: project)
        return Item(
          label: tool.name, kind: .reference, detail: page.signature, documentation: page.markdown, group: 0)
      }
    case .agent:
      return project.agents.sorted { $0.key < $1.key }.map { name, path in
        Item(
          label: name, kind: .reference, detail: path, documentation: project.description(ofAgent: path),
          group: 0)
      }
    case .module: return project.modules.map { Item(label: $0, kind: .module, group: 0) }
    case .model:
      let known = (file.settings.pricedModels ?? []).union(file.settings.defaultModel.map { [$0] } ?? [])
      return known.sorted().map { Item(label: $0, kind: .value, group: 0) }
    case .secret:
      return (file.settings.secrets ?? []).sorted().map { Item(label: $0, kind: .value, group: 0) }
    }
  }

  // MARK: Fields

  private func members(_ first: Expression, _ before: [Expression.Suffix], isMethod: Bool) -> [Item] {
    if let root = file.hostPath(first, before), let module = file.api.modules[root] {
      return isMethod
        ? [] : module.sorted { $0.key < $1.key }.map { host("\(root).\($0.key)", $0.key, $0.value) }
    }
    if !isMethod, let arguments = file.toolArguments(first, before) { return arguments.map(field) }
    guard let type = file.typing.type(of: first, before) else { return [] }
    if type.basic == .string {
      let functions = file.api.modules["string"] ?? [:]
      return isMethod
        ? functions.sorted { $0.key < $1.key }.map { name, type in
          var item = host("string.\(name)", name, type)
          item.kind = .method
          return item
        } : []
    }
    if isMethod { return [] }
    if isEnvironment(first, before) {
      return (file.settings.environment ?? []).sorted().map {
        Item(label: $0, kind: .field, detail: "string")
      }
    }
    return types.fields(of: type.present).map(field)
  }

  /// `ctx.env`
  private func isEnvironment(_ first: Expression, _ before: [Expression.Suffix]) -> Bool {
    guard before.count == 1, case .field(let name) = before[0].kind, name.text == "env",
      case .named(let owner)? = file.typing.type(of: first)
    else { return false }
    return owner == "perigee.Context" || owner == "perigee.ToolContext"
  }

  /// Fields that the table around does not have yet.
  private func keys(but own: String?) -> [Item] {
    let taken = Set(script.spot.slot.keys).subtracting(own.map { [$0] } ?? [])
    return types.fields(of: script.spot.slot.owner).filter { !taken.contains($0.name) }.map { field in
      var item = self.field(field)
      item.group = 0
      item.text = script.isAssigned ? nil : "\(field.name) = "
      return item
    }
  }

  private func field(_ field: LuaField) -> Item {
    Item(
      label: field.name, kind: .field, detail: field.signature,
      documentation: field.summary.isEmpty ? nil : field.summary)
  }

  // MARK: Names

  private var names: [Item] {
    let model = file.model
    let locals = model.visible.sorted { $0.key < $1.key }.compactMap { name, index -> Item? in
      guard model.variables[index].kind != .implicit || name == "self" else { return nil }
      let type = index < file.typing.variables.count ? file.typing.variables[index] : nil
      return Item(
        label: name, kind: model.variables[index].declared == nil ? .variable : .function,
        detail: type.map { "\(name): \($0.text)" })
    }
    let hidden = Set(model.visible.keys)
    let globals = file.api.globalNames.filter { !hidden.contains($0) }.map { name -> Item in
      if let function = file.api.functions[name] {
        return Item(
          label: name, kind: .function, detail: function.signature, documentation: function.markdown, group: 2
        )
      }
      return Item(label: name, kind: .module, documentation: file.api.summaries[name], group: 2)
    }
    return locals + globals + Symbol.keywordTexts.map { Item(label: $0, kind: .keyword, group: 3) }
  }

  private func host(_ path: String, _ name: String, _ type: LuaType) -> Item {
    guard let function = file.api.functions[path] else {
      return Item(
        label: name, kind: .field, detail: "\(path): \(type.text)", documentation: file.api.summaries[path])
    }
    return Item(label: name, kind: .function, detail: function.signature, documentation: function.markdown)
  }
}

extension Symbol {
  /// Words of the language. Source: Lua 5.4 manual, 3.1.
  fileprivate static let keywordTexts = [
    "and", "break", "do", "else", "elseif", "end", "false", "for", "function", "goto", "if", "in", "local",
    "nil",
    "not", "or", "repeat", "return", "then", "true", "until", "while",
  ]
}
