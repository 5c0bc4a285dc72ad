// SPDX-License-Identifier: Apache-2.0
import Lint

/// What stands at a place of a script, and what is expected there.
struct Spot: Sendable {
  enum Kind: Sendable {
    /// A variable or a global that is used.
    case name(String)
    /// A local, a parameter or a loop's variable where it is declared.
    case declaration
    /// `name` of `first.before.name` or `first.before:name`.
    case member(first: Expression, before: [Expression.Suffix], name: String, isMethod: Bool)
    /// Within a string.
    case string
    /// A key of a table that is written out.
    case key(String)
  }

  /// What else than types tell which strings fit.
  enum Naming: Sendable, Hashable {
    case tool, agent, module, model, secret
  }

  /// What a value is, where it stands.
  struct Slot: Sendable {
    var type: LuaType?
    var naming: Naming?
    /// Type of the table whose item or key it is.
    var owner: LuaType?
    /// Keys of that table.
    var keys: [String] = []
  }

  let kind: Kind
  let range: SourceRange
  var slot = Slot()
}

/// Finds the ``Spot`` at a place: goes down the tree, and takes along what the contract expects.
struct SpotFinder {
  private let file: LintedFile
  private let offset: Int
  private let paths: [Int: [String]]
  private let types: ContractTypes
  private var found: Spot?
  /// What the function around returns.
  private var returns = Spot.Slot()

  /// - Parameter offset: In bytes; the place after the last byte of a name belongs to it.
  static func spot(at offset: Int, in file: LintedFile, _ chunk: Chunk) -> Spot? {
    var finder = SpotFinder(file, offset)
    finder.block(chunk.block)
    return finder.found
  }

  private init(_ file: LintedFile, _ offset: Int) {
    self.file = file
    self.offset = offset
    paths = file.returned?.tablePaths ?? [:]
    types = ContractTypes(api: file.api, kind: file.kind)
  }

  private func touches(_ range: SourceRange) -> Bool {
    found == nil && range.start.offset <= offset && offset <= range.end.offset
  }

  // MARK: Statements

  private mutating func block(_ block: Block) {
    for statement in block.statements where touches(statement.range) { self.statement(statement) }
  }

  private mutating func statement(_ statement: Statement) {
    switch statement.kind {
    case .local(let locals, let values):
      for local in locals { declaration(local.name) }
      expressions(values)
    case .assignment(let targets, let values): expressions(targets + values)
    case .call(let call): expression(call, Spot.Slot())
    case .do(let body): block(body)
    case .while(let condition, let body):
      expression(condition, Spot.Slot())
      block(body)
    case .repeat(let body, let condition):
      block(body)
      expression(condition, Spot.Slot())
    case .if(let clauses, let otherwise):
      for clause in clauses {
        expression(clause.condition, Spot.Slot())
        block(clause.block)
      }
      if let otherwise { block(otherwise) }
    case .numericFor(let name, let start, let limit, let step, let body):
      declaration(name)
      expressions([start, limit] + (step.map { [$0] } ?? []))
      block(body)
    case .genericFor(let names, let values, let body):
      for name in names { declaration(name) }
      expressions(values)
      block(body)
    case .function(let name, let body):
      if touches(name.root.range) { found = Spot(kind: .name(name.root.text), range: name.root.range) }
      function(body)
    case .localFunction(let name, let body):
      declaration(name)
      function(body)
    case .return(let values):
      for (index, value) in values.enumerated() { expression(value, index == 0 ? returns : Spot.Slot()) }
    case .break, .goto, .label, .empty, .invalid: break
    }
  }

  private mutating func declaration(_ name: Name) {
    if touches(name.range) { found = Spot(kind: .declaration, range: name.range) }
  }

  private mutating func function(_ body: FunctionBody) {
    guard touches(body.range) else { return }
    let outer = returns
    let entry = file.model.function(body).flatMap { index in file.contract.first { $0.function == index } }
    returns = Spot.Slot(type: entry?.returns, naming: entry?.path == ["tools"] ? .tool : nil)
    for name in body.parameters { declaration(name) }
    block(body.block)
    returns = outer
  }

  // MARK: Expressions

  private mutating func expressions(_ list: [Expression]) {
    for item in list { expression(item, Spot.Slot()) }
  }

  private mutating func expression(_ expression: Expression, _ slot: Spot.Slot) {
    guard touches(expression.range) else { return }
    switch expression.kind {
    case .nil, .boolean, .integer, .number, .vararg, .invalid: break
    case .string:
      // At its first quote it has not begun.
      if offset > expression.range.start.offset {
        found = Spot(kind: .string, range: expression.range, slot: slot)
      }
    case .function(let body): function(body)
    case .table(let table): self.table(table, expression.range, slot)
    case .name(let name): found = Spot(kind: .name(name), range: expression.range, slot: slot)
    case .parenthesized(let inner): self.expression(inner, slot)
    case .unary(_, let inner): self.expression(inner, Spot.Slot())
    case .binary(let first, let operations):
      self.expression(first, operations[0].operator.isChoice ? slot : Spot.Slot())
      for operation in operations {
        self.expression(operation.operand, operation.operator.isChoice ? slot : Spot.Slot())
      }
    case .suffixed(let first, let suffixes): suffixed(first, suffixes, slot)
    }
  }

  private mutating func suffixed(
    _ first: Expression, _ suffixes: [Expression.Suffix], _ slot: Spot.Slot
  ) {
    // A call may stand where a key or a value is being written.
    let isAlone = suffixes.count == 1 && suffixes[0].isCall
    expression(first, isAlone ? slot : Spot.Slot())
    for (index, suffix) in suffixes.enumerated() where touches(suffix.range) {
      let before = Array(suffixes[..<index])
      switch suffix.kind {
      case .field(let name): member(first, before, name, isMethod: false)
      case .index(let key): expression(key, Spot.Slot())
      case .call(let arguments): self.arguments(arguments, of: first, before)
      case .method(let name, let arguments):
        member(first, before, name, isMethod: true)
        expressions(arguments)
      }
    }
  }

  private mutating func member(
    _ first: Expression, _ before: [Expression.Suffix], _ name: Name, isMethod: Bool
  ) {
    guard touches(name.range) else { return }
    found = Spot(
      kind: .member(first: first, before: before, name: name.text, isMethod: isMethod), range: name.range)
  }

  private mutating func arguments(
    _ arguments: [Expression], of first: Expression, _ suffixes: [Expression.Suffix]
  ) {
    let path = file.hostPath(first, suffixes)
    // pcall(tools.call, "name", …) hands its arguments on.
    if path == "pcall" || path == "xpcall", let callee = arguments.first {
      let skipped = path == "pcall" ? 1 : 2
      // Each is looked at once: twice at each level would never end.
      expressions(Array(arguments.prefix(skipped)))
      let handed = Array(arguments.dropFirst(skipped))
      guard case .suffixed(let first, let suffixes) = callee.kind else { return expressions(handed) }
      return self.arguments(handed, of: first, suffixes)
    }
    var parameters: [LuaField] = []
    if case .function(let known, _)? = file.typing.type(of: first, suffixes)?.present { parameters = known }
    for (index, argument) in arguments.enumerated() {
      let type = index < parameters.count ? parameters[index].type : nil
      expression(argument, Spot.Slot(type: type, naming: index == 0 ? ContractTypes.naming[path ?? ""] : nil))
    }
  }

  private mutating func table(_ table: Expression.Table, _ range: SourceRange, _ given: Spot.Slot) {
    var slot = given
    if let path = paths[range.start.offset] { slot = types.slot(at: path) }
    let keys = table.fields.compactMap { field in field.keyRange == nil ? nil : field.keyText }
    for field in table.fields where touches(field.range) {
      switch field.key {
      case .position:
        var item = types.item(of: slot)
        (item.owner, item.keys) = (slot.type, keys)
        expression(field.value, item)
      case .name(let name):
        key(name.text, name.range, slot, keys)
        expression(field.value, types.field(name.text, of: slot))
      case .expression(let key):
        if let text = key.text {
          self.key(text, key.range, slot, keys)
          expression(field.value, types.field(text, of: slot))
        } else {
          expressions([key, field.value])
        }
      }
    }
  }

  private mutating func key(_ text: String, _ range: SourceRange, _ slot: Spot.Slot, _ keys: [String]) {
    guard touches(range) else { return }
    found = Spot(kind: .key(text), range: range, slot: Spot.Slot(owner: slot.type, keys: keys))
  }
}
