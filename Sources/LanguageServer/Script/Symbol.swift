// SPDX-License-Identifier: Apache-2.0
import Lint

/// What a place in a script means.
enum Symbol: Sendable {
  case tool(String)
  case agent(String)
  case module(String)
  /// Index in the file's model.
  case local(Int)
  /// A function, a module or a value of the host or of Lua's library: `http.get`.
  case host(String)
  /// A field of a value, or of a table that the contract knows.
  case field(LuaField, owner: LuaType)

  /// The symbol, and the bytes that name it.
  static func at(_ offset: Int, in file: LintedFile) -> (symbol: Symbol, range: SourceRange)? {
    if let named = named(at: offset, in: file) { return named }
    guard let spot = SpotFinder.spot(at: offset, in: file, file.chunk) else { return nil }
    return symbol(spot, in: file).map { ($0, spot.range) }
  }

  private static func named(at offset: Int, in file: LintedFile) -> (symbol: Symbol, range: SourceRange)? {
    func touches(_ range: SourceRange) -> Bool { range.start.offset <= offset && offset <= range.end.offset }
    for reference in References.all(in: file) {
      let range = reference.literal.flatMap { touches($0) ? $0 : nil } ?? reference.range
      guard touches(range) else { continue }
      switch reference.kind {
      case .tool: return (.tool(reference.name), range)
      case .agent: return (.agent(reference.name), range)
      case .module: return (.module(reference.name), range)
      }
    }
    guard file.kind == .tools else { return nil }
    return FileSummary.tools(file).0.first { touches($0.range) }.map { (.tool($0.name), $0.range) }
  }

  private static func symbol(_ spot: Spot, in file: LintedFile) -> Symbol? {
    switch spot.kind {
    case .string: return nil
    case .declaration:
      return file.model.variables.firstIndex {
        $0.name.range.start == spot.range.start && $0.kind != .implicit
      }
      .map { .local($0) }
    case .name(let name):
      if let variable = file.model.meanings[spot.range.start.offset] { return .local(variable) }
      return file.api.isGlobal(name) ? .host(name) : nil
    case .member(let first, let before, let name, let isMethod):
      if let root = file.hostPath(first, before) {
        let path = "\(root).\(name)"
        if file.api.functions[path] != nil || file.api.modules[root]?[name] != nil { return .host(path) }
      }
      guard let owner = file.typing.type(of: first, before) else { return nil }
      if isMethod { return owner.basic == .string ? .host("string.\(name)") : nil }
      if let parameter = file.toolArguments(first, before)?.first(where: { $0.name == name }) {
        return .field(parameter, owner: .named("args"))
      }
      return ContractTypes(api: file.api, kind: file.kind).declared(name, of: owner).map {
        .field($0, owner: owner)
      }
    case .key(let name):
      guard let owner = spot.slot.owner else { return nil }
      return ContractTypes(api: file.api, kind: file.kind).declared(name, of: owner).map {
        .field($0, owner: owner)
      }
    }
  }
}
