// SPDX-License-Identifier: Apache-2.0

/// What the stock compiler refuses although it is well formed: jumps, constants, `...` and counts.
///
/// Source: Lua 5.4 manual, 3.3.4, 3.3.7, 3.3.8 and 3.4; limits MAXVARS and MAXUPVAL of the stock compiler.
struct ScopeRules {
  let file: String
  private(set) var diagnostics: [Diagnostic] = []

  private var functions: [Function] = []
  private var variables: [Variable] = []
  /// Variables that a name means, the innermost last; indices of ``variables``.
  private var bindings: [String: [Int]] = [:]

  static let localsMax = 200
  static let upvaluesMax = 255

  private struct Variable {
    let name: String
    /// Index of the function that declares it.
    let function: Int
    let isReadOnly: Bool
    /// Whether the compiler puts the value in place of the name, so that nothing is captured.
    let isCompileTime: Bool
  }

  private struct Function {
    let isVararg: Bool
    let line: Int
    /// Active variables, hidden ones of loops included.
    var activeCount = 0
    var loops = 0
    var upvalues: Set<Int> = []
    var hasTooManyLocals = false
    var hasTooManyUpvalues = false
    var jumps = Jumps()
  }

  init(file: String) { self.file = file }

  mutating func check(_ chunk: Chunk) {
    functions.append(Function(isVararg: true, line: 0))
    block(chunk.block)
    leaveFunction()
  }

  mutating func refuse(_ range: SourceRange, _ code: Diagnostic.Code, _ message: String, hint: String? = nil)
  {
    diagnostics.append(
      Diagnostic(file: file, range: range, severity: .error, code: code, message: message, hint: hint))
  }

  private func withCurrent<Value>(_ read: (Function) -> Value) -> Value {
    read(functions[functions.count - 1])
  }

  private mutating func change<Value>(_ body: (inout Function) -> Value) -> Value {
    body(&functions[functions.count - 1])
  }

  // MARK: Variables

  private mutating func declare(
    _ name: Name, readOnly: Bool = false, compileTime: Bool = false
  ) {
    bindings[name.text, default: []].append(variables.count)
    variables.append(
      Variable(
        name: name.text, function: functions.count - 1, isReadOnly: readOnly, isCompileTime: compileTime))
    occupy(1, at: name.range)
  }

  /// Counts variables that have no name, or were just declared.
  private mutating func occupy(_ count: Int, at range: SourceRange) {
    let line = change { function -> Int? in
      function.activeCount += count
      guard function.activeCount > Self.localsMax, !function.hasTooManyLocals else { return nil }
      function.hasTooManyLocals = true
      return function.line
    }
    guard let line else { return }
    refuse(
      range, .tooMany, "more than \(Self.localsMax) local variables in \(Self.describe(line))",
      hint: "keep them in a table, or in blocks of their own")
  }

  private static func describe(_ line: Int) -> String {
    line == 0 ? "the main function" : "the function at line \(line)"
  }

  /// Finds what a name means, and counts it as captured by the functions in between; `nil` for a global.
  private mutating func use(_ name: String, at range: SourceRange) -> Variable? {
    let found = bindings[name]?.last
    if found == nil, name != "_ENV" {
      _ = use("_ENV", at: range)
      return nil
    }
    let variable = found.map { variables[$0] }
    if variable?.isCompileTime != true {
      // The chunk's own environment is an upvalue of the chunk, too.
      capture(found ?? -1, above: variable?.function ?? -1, at: range)
    }
    return variable
  }

  private mutating func capture(_ variable: Int, above owner: Int, at range: SourceRange) {
    for index in stride(from: functions.count - 1, to: owner, by: -1) {
      guard functions[index].upvalues.insert(variable).inserted else { return }
      if functions[index].upvalues.count > Self.upvaluesMax, !functions[index].hasTooManyUpvalues {
        functions[index].hasTooManyUpvalues = true
        refuse(
          range, .tooMany,
          "more than \(Self.upvaluesMax) outer variables used in \(Self.describe(functions[index].line))",
          hint: "keep them in a table")
      }
    }
  }

  private mutating func assign(_ name: String, at range: SourceRange) {
    guard let variable = use(name, at: range), variable.isReadOnly else { return }
    refuse(range, .constantAssigned, "'\(name)' is a constant and cannot be assigned")
  }

  // MARK: Scopes

  /// Runs a body in a scope of its own.
  private mutating func scope(_ body: (inout ScopeRules) -> Void) {
    let variableCount = variables.count
    let activeCount = withCurrent(\.activeCount)
    change { $0.jumps.enter(activeCount: activeCount) }
    body(&self)
    for variable in variables[variableCount...].reversed() { bindings[variable.name]?.removeLast() }
    variables.removeSubrange(variableCount...)
    change { function in
      function.activeCount = activeCount
      function.jumps.leave()
    }
  }

  private mutating func leaveFunction() {
    for name in functions.removeLast().jumps.unsolved {
      refuse(
        name.range, .badGoto, "there is no label '\(name.text)' that this goto can see",
        hint: name.text == "continue" ? "put ::continue:: at the end of the loop" : nil)
    }
  }

  private mutating func function(_ body: FunctionBody) {
    let variableCount = variables.count
    functions.append(Function(isVararg: body.isVararg, line: body.range.start.line))
    for parameter in body.parameters { declare(parameter) }
    block(body.block)
    leaveFunction()
    for variable in variables[variableCount...].reversed() { bindings[variable.name]?.removeLast() }
    variables.removeSubrange(variableCount...)
  }

  private mutating func block(_ block: Block, untilFollows: Bool = false) {
    scope { rules in rules.statements(block, untilFollows: untilFollows) }
  }

  private mutating func loop(_ body: (inout ScopeRules) -> Void) {
    change { $0.loops += 1 }
    scope(body)
    change { $0.loops -= 1 }
  }

  private mutating func statements(_ block: Block, untilFollows: Bool) {
    let outerCount = withCurrent(\.activeCount)
    // A label with nothing but labels and semicolons behind it stands outside the block's variables;
    // the condition of a `repeat` still sees them.
    let tail = untilFollows ? block.statements.count : (block.statements.lastIndex { !$0.isVoid } ?? -1) + 1
    for (index, statement) in block.statements.enumerated() {
      if case .label(let name) = statement.kind {
        let count = index >= tail ? outerCount : withCurrent(\.activeCount)
        label(name, activeCount: count)
      } else {
        self.statement(statement)
      }
    }
  }

  private mutating func label(_ name: Name, activeCount: Int) {
    if let earlier = withCurrent({ $0.jumps.label(name.text) }) {
      refuse(
        name.range, .duplicateLabel,
        "label '\(name.text)' is already defined at line \(earlier.range.start.line)")
      return
    }
    let wrong = change { $0.jumps.define(name, activeCount: activeCount) }
    for jump in wrong {
      refuse(
        jump.range, .badGoto, "goto '\(name.text)' jumps into the scope of a local variable",
        hint: "declare the variable before the goto, or put a block around it")
    }
  }

  // MARK: Statements

  private mutating func statement(_ statement: Statement) {
    switch statement.kind {
    case .local(let locals, let values): local(locals, values)
    case .assignment(let targets, let values):
      for target in targets {
        if case .name(let name) = target.kind { assign(name, at: target.range) } else { expression(target) }
      }
      expressions(values)
    case .call(let call): expression(call)
    case .do(let body): block(body)
    case .while(let condition, let body):
      expression(condition)
      loop { $0.block(body) }
    case .repeat(let body, let condition):
      loop { rules in
        rules.scope { inner in
          inner.statements(body, untilFollows: true)
          inner.expression(condition)
        }
      }
    case .if(let clauses, let otherwise):
      for clause in clauses {
        expression(clause.condition)
        block(clause.block)
      }
      if let otherwise { block(otherwise) }
    case .numericFor(let name, let start, let limit, let step, let body):
      for value in [start, limit, step] { value.map { expression($0) } }
      forLoop([name], hidden: 3, body)
    case .genericFor(let names, let values, let body):
      expressions(values)
      forLoop(names, hidden: 4, body)
    case .function(let name, let body):
      if name.fields.isEmpty, name.method == nil {
        assign(name.root.text, at: name.root.range)
      } else {
        _ = use(name.root.text, at: name.root.range)
      }
      function(body)
    case .localFunction(let name, let body):
      declare(name)
      function(body)
    case .return(let values): expressions(values)
    case .break:
      if withCurrent(\.loops) == 0 { refuse(statement.range, .breakOutsideLoop, "'break' outside of a loop") }
    case .goto(let name): change { $0.jumps.jump(to: name, activeCount: $0.activeCount) }
    case .label, .empty, .invalid: break
    }
  }

  /// A loop's state takes places of variables, as the stock compiler counts them.
  private mutating func forLoop(_ names: [Name], hidden: Int, _ body: Block) {
    loop { rules in
      rules.occupy(hidden, at: names[0].range)
      rules.scope { inner in
        for name in names { inner.declare(name) }
        inner.block(body)
      }
    }
  }

  private mutating func local(_ locals: [Statement.Local], _ values: [Expression]) {
    expressions(values)
    var closing = 0
    for (index, local) in locals.enumerated() {
      if let attribute = local.attribute, attribute.kind == nil {
        refuse(attribute.range, .badAttribute, "unknown attribute", hint: "there are <const> and <close>")
      }
      if local.attribute?.kind == .close {
        closing += 1
        if closing == 2 {
          refuse(local.name.range, .badAttribute, "one 'local' can declare only one <close> variable")
        }
      }
      let compileTime =
        local.attribute?.kind == .const && index == locals.count - 1 && values.count == locals.count
        && values[index].isLiteral
      declare(local.name, readOnly: local.attribute?.kind != nil, compileTime: compileTime)
    }
  }

  // MARK: Expressions

  private mutating func expressions(_ list: [Expression]) {
    for item in list { expression(item) }
  }

  private mutating func expression(_ expression: Expression) {
    switch expression.kind {
    case .nil, .boolean, .integer, .number, .string, .invalid: break
    case .vararg:
      if !withCurrent(\.isVararg) {
        refuse(
          expression.range, .varargOutside, "'...' outside of a function that takes it",
          hint: "add ... to the function's parameters")
      }
    case .function(let body): function(body)
    case .table(let table):
      for field in table.fields {
        if case .expression(let key) = field.key { self.expression(key) }
        self.expression(field.value)
      }
    case .name(let name): _ = use(name, at: expression.range)
    case .parenthesized(let inner), .unary(_, let inner): self.expression(inner)
    case .suffixed(let first, let suffixes):
      self.expression(first)
      for suffix in suffixes {
        switch suffix.kind {
        case .field: break
        case .index(let key): self.expression(key)
        case .call(let arguments), .method(_, let arguments): expressions(arguments)
        }
      }
    case .binary(let first, let operations):
      self.expression(first)
      for operation in operations { self.expression(operation.operand) }
    }
  }
}

extension Statement {
  /// Whether nothing happens here.
  fileprivate var isVoid: Bool {
    switch kind {
    case .label, .empty: true
    default: false
    }
  }
}

extension Expression {
  fileprivate var isLiteral: Bool {
    switch kind {
    case .nil, .boolean, .integer, .number, .string: true
    case .unary(.negate, let inner): inner.isNumber
    default: false
    }
  }

  private var isNumber: Bool {
    switch kind {
    case .integer, .number: true
    default: false
    }
  }
}
