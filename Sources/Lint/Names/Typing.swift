// SPDX-License-Identifier: Apache-2.0

/// What kinds of values the names of a file have, as far as the host's own tables tell.
package struct Typing: Sendable {
  let model: FileModel
  let api: HostAPI
  /// One for each variable of the model; nil = not known.
  package private(set) var variables: [LuaType?] = []

  /// - Parameter parameters: Types of parameters that the contract gives, by variable.
  init(_ model: FileModel, _ api: HostAPI, parameters: [Int: LuaType]) {
    self.model = model
    self.api = api
    variables.reserveCapacity(model.variables.count)
    // In the order of the file: a value names only what was declared before it.
    for (index, variable) in model.variables.enumerated() {
      let type =
        variable.isReassigned ? nil : parameters[index] ?? variable.value.flatMap { self.type(of: $0) }
      variables.append(type)
    }
  }

  package func type(of expression: Expression) -> LuaType? {
    switch expression.kind {
    case .nil: return .nil
    case .boolean: return .named("boolean")
    case .integer: return .named("integer")
    case .number: return .named("number")
    case .string: return .named("string")
    case .function: return .named("function")
    case .table: return .named("table")
    case .parenthesized(let inner): return type(of: inner)
    case .name:
      return model.variable(expression).flatMap { $0 < variables.count ? variables[$0] : nil }
    case .unary(let sign, let inner):
      switch sign {
      case .not: return .named("boolean")
      case .length: return .named("integer")
      case .negate, .bitwiseNot: return type(of: inner).flatMap { $0.basic == .number ? $0 : nil }
      }
    case .binary(_, let operations): return operations.last.flatMap { type(of: $0.operator) }
    case .suffixed(let first, let suffixes): return type(of: first, suffixes)
    case .vararg, .invalid: return nil
    }
  }

  /// What an operator gives, metamethods left out where they may give something else.
  private func type(of sign: BinaryOperator) -> LuaType? {
    switch sign {
    case .equal, .notEqual, .less, .lessOrEqual, .greater, .greaterOrEqual: .named("boolean")
    case .concatenate: .named("string")
    default: nil
    }
  }

  // MARK: Suffixes

  /// A field that is looked for in a value whose type is known.
  struct Step {
    let name: Name
    let owner: LuaType
    let field: HostAPI.Field
  }

  /// Type of a value and the suffixes behind it.
  package func type(of first: Expression, _ suffixes: [Expression.Suffix]) -> LuaType? {
    if suffixes.isEmpty { return type(of: first) }
    var last: LuaType?
    walk(first, suffixes, visit: { _ in }, end: { last = $0 })
    return last
  }

  /// Follows the suffixes of a value as long as its type is known.
  func walk(
    _ first: Expression, _ suffixes: [Expression.Suffix], visit: (Step) -> Void,
    end: (LuaType?) -> Void = { _ in }
  ) {
    var rest = suffixes[...]
    guard var type = start(first, &rest) else { return end(nil) }
    while let suffix = rest.popFirst() {
      var next: LuaType?
      switch suffix.kind {
      case .field(let name):
        let field = api.field(name.text, of: type)
        visit(Step(name: name, owner: type, field: field))
        if case .known(let known) = field { next = known }
      case .index:
        switch api.resolved(type).present {
        case .list(let element), .map(_, let element): next = element
        default: next = nil
        }
      case .call:
        if case .function(_, let returns) = api.resolved(type).present { next = returns }
      case .method(let name, _):
        if type.basic == .string { next = api.functions["string.\(name.text)"]?.returns }
      }
      guard let next else { return end(nil) }
      type = next
    }
    end(api.resolved(type))
  }

  /// Type of a name, or of a function of the host and what it returns.
  private func start(_ first: Expression, _ rest: inout ArraySlice<Expression.Suffix>) -> LuaType? {
    guard case .name(let root) = first.kind, model.variable(first) == nil else { return type(of: first) }
    guard !model.changesEnvironment else { return nil }
    var path = root
    if case .field(let name)? = rest.first?.kind {
      path += "." + name.text
      rest.removeFirst()
      if api.functions[path] == nil { return api.modules[root]?[name.text] }
    }
    guard let function = api.functions[path] else { return nil }
    return .function(parameters: function.parameters, returns: function.returns)
  }
}

/// What `type` would say of a value.
package enum BasicType: String, Sendable, CaseIterable {
  case `nil`, boolean, number, string, table, function, thread, userdata
}

extension LuaType {
  /// What `type` says of all its values; nil where they differ, or are not known.
  package var basic: BasicType? {
    switch self {
    case .named(let name):
      switch name {
      case "integer", "number": .number
      case "any", "never": nil
      default: BasicType(rawValue: name) ?? (name.contains(".") ? .table : nil)
      }
    case .literal: .string
    case .list, .map, .record: .table
    case .function: .function
    case .union(let members):
      members.first.flatMap { first in members.allSatisfy { $0.basic == first.basic } ? first.basic : nil }
    }
  }
}
