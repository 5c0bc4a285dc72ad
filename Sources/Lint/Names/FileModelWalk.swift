// SPDX-License-Identifier: Apache-2.0

/// Makes a ``FileModel``: follows scopes as the stock compiler does.
struct FileModelWalk {
  private(set) var model: FileModel
  /// Variables that a name means, the innermost last.
  private var bindings: [String: [Int]] = [:]
  private var scope: [Int] = []
  private var function = 0
  /// Operators that are open here and leave their right side out at times.
  private var conditions = 0
  /// Labels that the open functions jump to.
  private var gotos: [Set<String>] = [[]]

  /// Where it is asked which names mean a local.
  private let place: Int?

  init(_ model: FileModel, namesAt place: Int?) {
    self.model = model
    self.place = place
  }

  mutating func run() {
    let block = model.file.chunk.block
    let body = FunctionBody(parameters: [], isVararg: true, block: block, range: block.range)
    model.functions.append(FileModel.Function(body: body, parent: nil))
    self.block(block)
    for index in model.labels.indices where gotos[0].contains(model.labels[index].name.text) {
      model.labels[index].isUsed = true
    }
  }

  // MARK: Scopes

  private mutating func inScope(_ body: (inout FileModelWalk) -> Void) {
    let start = scope.count
    body(&self)
    for index in scope[start...].reversed() { bindings[model.variables[index].name.text]?.removeLast() }
    scope.removeSubrange(start...)
  }

  @discardableResult
  private mutating func declare(
    _ name: Name, _ kind: FileModel.Variable.Kind, attribute: Statement.Attribute.Kind? = nil,
    value: Expression? = nil
  ) -> Int {
    let index = model.variables.count
    if name.text == "_ENV" { model.changesEnvironment = true }
    model.variables.append(
      FileModel.Variable(
        name: name, kind: kind, function: function, attribute: attribute, value: value,
        hidden: bindings[name.text]?.last))
    bindings[name.text, default: []].append(index)
    scope.append(index)
    return index
  }

  private mutating func use(_ name: String, _ range: SourceRange, _ role: FileModel.Use.Role) {
    if range.start.offset == place { model.visible = bindings.compactMapValues(\.last) }
    let use = FileModel.Use(role: role, range: range, function: function, isConditional: conditions > 0)
    if let index = bindings[name]?.last {
      model.variables[index].uses.append(use)
      model.meanings[range.start.offset] = index
    } else {
      if name == "_ENV" { model.changesEnvironment = true }
      model.globals.append(FileModel.Global(name: name, use: use))
    }
  }

  // MARK: Statements

  private mutating func block(_ block: Block, then after: ((inout FileModelWalk) -> Void)? = nil) {
    model.blocks.append(block)
    inScope { walk in
      for statement in block.statements { walk.statement(statement) }
      after?(&walk)
    }
  }

  private mutating func statement(_ statement: Statement) {
    switch statement.kind {
    case .local(let locals, let values): local(locals, values)
    case .assignment(let targets, let values):
      expressions(values)
      for target in targets { assign(target) }
    case .call(let call): expression(call)
    case .do(let body): block(body)
    case .while(let condition, let body):
      expression(condition)
      block(body)
    case .repeat(let body, let condition): block(body) { $0.expression(condition) }
    case .if(let clauses, let otherwise):
      for clause in clauses {
        expression(clause.condition)
        block(clause.block)
      }
      if let otherwise { block(otherwise) }
    case .numericFor(let name, let start, let limit, let step, let body):
      for value in [start, limit] + (step.map { [$0] } ?? []) { expression(value, .operand) }
      inScope { walk in
        walk.declare(name, .loop)
        walk.block(body)
      }
    case .genericFor(let names, let values, let body):
      expressions(values)
      inScope { walk in
        for name in names { walk.declare(name, .loop) }
        walk.block(body)
      }
    case .function(let name, let body): functionStatement(name, body)
    case .localFunction(let name, let body):
      let variable = declare(name, .function)
      model.variables[variable].declared = self.function(body)
    case .return(let values): expressions(values)
    case .goto(let name): gotos[gotos.count - 1].insert(name.text)
    case .label(let name): model.labels.append(FileModel.Label(name: name, range: statement.range))
    case .break, .empty, .invalid: break
    }
  }

  private mutating func local(_ locals: [Statement.Local], _ values: [Expression]) {
    expressions(values)
    for (index, local) in locals.enumerated() {
      // The last value may be several, and then belongs to no variable alone.
      let isOwn =
        index < values.count
        && (index < values.count - 1 || index == locals.count - 1 || !values[index].isOpen)
      let variable = declare(
        local.name, .local, attribute: local.attribute?.kind, value: isOwn ? values[index] : nil)
      if isOwn, case .function(let body) = values[index].kind {
        model.variables[variable].declared = model.function(body)
      }
    }
  }

  private mutating func assign(_ target: Expression) {
    switch target.kind {
    case .name(let name): use(name, target.range, .written)
    case .suffixed(let first, let suffixes): suffixed(target, first, suffixes, isWritten: true)
    default: expression(target)
    }
  }

  private mutating func functionStatement(_ name: Statement.FunctionName, _ body: FunctionBody) {
    let isName = name.fields.isEmpty && name.method == nil
    use(name.root.text, name.root.range, isName ? .written : .indexed)
    if !isName {
      if let index = bindings[name.root.text]?.last { model.writes[index, default: 0] += 1 }
      model.members.append(
        FileModel.Member(
          root: name.root, variable: bindings[name.root.text]?.last,
          fields: name.fields + (name.method.map { [$0] } ?? []), ending: .written, goesOn: false,
          range: name.root.range.extended(to: (name.method ?? name.fields.last ?? name.root).range),
          function: function))
    }
    self.function(body, hasSelf: name.method != nil)
  }

  @discardableResult
  private mutating func function(_ body: FunctionBody, hasSelf: Bool = false) -> Int {
    let outer = function
    let outerConditions = conditions
    conditions = 0
    let index = model.functions.count
    model.functions.append(FileModel.Function(body: body, parent: outer))
    model.functionStarts[body.range.start.offset] = index
    function = index
    gotos.append([])
    let firstLabel = model.labels.count
    inScope { walk in
      for (position, name) in body.parameters.enumerated() {
        let variable = walk.declare(name, hasSelf && position == 0 ? .implicit : .parameter)
        walk.model.functions[index].parameters.append(variable)
      }
      walk.block(body.block)
    }
    let jumps = gotos.removeLast()
    for label in firstLabel..<model.labels.count where jumps.contains(model.labels[label].name.text) {
      model.labels[label].isUsed = true
    }
    function = outer
    conditions = outerConditions
    return index
  }

  // MARK: Expressions

  private mutating func expressions(_ list: [Expression], _ role: FileModel.Use.Role = .value) {
    for item in list { expression(item, role) }
  }

  private mutating func expression(_ expression: Expression, _ role: FileModel.Use.Role = .value) {
    switch expression.kind {
    case .nil, .boolean, .integer, .number, .string, .vararg, .invalid: break
    case .function(let body): function(body)
    case .table(let table):
      for field in table.fields {
        if case .expression(let key) = field.key { self.expression(key) }
        self.expression(field.value)
      }
    case .name(let name): use(name, expression.range, role)
    case .parenthesized(let inner): self.expression(inner, role)
    case .unary(let sign, let inner): self.expression(inner, sign == .not ? .value : .operand)
    case .suffixed(let first, let suffixes): suffixed(expression, first, suffixes, isWritten: false)
    case .binary(let first, let operations): binary(first, operations)
    }
  }

  private mutating func binary(_ first: Expression, _ operations: [Expression.Operation]) {
    expression(first, operations[0].operator.role)
    var left = first
    for operation in operations {
      let isConditional = operation.operator == .and || operation.operator == .or
      if isConditional { conditions += 1 }
      expression(operation.operand, operation.operator.role)
      if isConditional { conditions -= 1 }
      let range = first.range.extended(to: operation.operand.range)
      model.operations.append(
        FileModel.Operation(
          left: left, operator: operation.operator, right: operation.operand, range: range))
      // What is on the left of the next operator is told by the last one alone: chains may be long.
      left = Expression(kind: .binary(first, [operation]), range: range)
    }
  }

  private mutating func suffixed(
    _ whole: Expression, _ first: Expression, _ suffixes: [Expression.Suffix], isWritten: Bool
  ) {
    model.suffixed.append(
      FileModel.Suffixed(first: first, suffixes: suffixes, isWritten: isWritten, function: function))
    if isWritten, case .name(let name) = first.kind, let index = bindings[name]?.last {
      model.writes[index, default: 0] += 1
    }
    let fields = suffixes.prefix { if case .field = $0.kind { true } else { false } }
    if case .name(let name) = first.kind {
      use(name, first.range, fields.isEmpty && suffixes.first?.isCall == true ? .called : .indexed)
      model.members.append(member(Name(text: name, range: first.range), fields, suffixes, isWritten))
    } else {
      expression(first, suffixes.first?.isCall == true ? .called : .indexed)
      if case .method(let name, let arguments)? = suffixes.first?.kind, first.isString {
        model.stringMethods.append(
          FileModel.StringMethod(
            receiver: first, name: name, arguments: arguments,
            range: first.range.extended(to: suffixes[0].range)))
      }
    }
    for suffix in suffixes {
      switch suffix.kind {
      case .field: break
      case .index(let key): expression(key)
      case .call(let arguments), .method(_, let arguments): expressions(arguments, .argument)
      }
    }
  }

  private func member(
    _ root: Name, _ fields: ArraySlice<Expression.Suffix>, _ suffixes: [Expression.Suffix], _ isWritten: Bool
  ) -> FileModel.Member {
    let names = fields.compactMap { if case .field(let name) = $0.kind { name } else { nil } }
    let next = fields.count < suffixes.count ? suffixes[fields.count] : nil
    var ending = isWritten && next == nil ? FileModel.Member.Ending.written : .read
    var end = fields.count
    switch next?.kind {
    case .call(let arguments): (ending, end) = (.called(arguments), end + 1)
    case .method(let name, let arguments): (ending, end) = (.method(name, arguments), end + 1)
    default: break
    }
    let range = end == 0 ? root.range : root.range.extended(to: suffixes[end - 1].range)
    return FileModel.Member(
      root: root, variable: bindings[root.text]?.last, fields: names, ending: ending,
      goesOn: end < suffixes.count, range: range, function: function)
  }
}

extension BinaryOperator {
  /// What an operand is used as.
  fileprivate var role: FileModel.Use.Role {
    switch self {
    case .or, .and, .equal, .notEqual: .value
    default: .operand
    }
  }
}

extension Expression {
  /// Whether it may be any number of values.
  var isOpen: Bool {
    switch kind {
    case .vararg, .invalid: true
    case .suffixed(_, let suffixes): suffixes.last?.isCall == true
    default: false
    }
  }

  /// The value within parentheses.
  package var core: Expression {
    var expression = self
    while case .parenthesized(let inner) = expression.kind { expression = inner }
    return expression
  }

  var isString: Bool {
    if case .string = core.kind { true } else { false }
  }

  /// Text of a literal string.
  package var text: String? {
    guard case .string(let bytes) = core.kind else { return nil }
    return String(validating: bytes, as: UTF8.self)
  }
}
