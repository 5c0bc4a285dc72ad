// SPDX-License-Identifier: Apache-2.0

extension Parser {
  /// Parses the whole file.
  mutating func chunk() -> Block {
    let start = Position.start
    var statements: [Statement] = []
    while true {
      statements += block().statements
      if isAtEnd { break }
      // What closes a block closes none here.
      record(
        .unexpected, "unexpected \(shown): no block is open", hint: "take it away, or find its beginning")
      advance()
    }
    return Block(statements: statements, range: SourceRange(start, current.range.end))
  }

  private var closesBlock: Bool {
    switch current.kind {
    case .endOfFile, .symbol(.end), .symbol(.else), .symbol(.elseif), .symbol(.until): true
    case .symbol(.comma), .symbol(.closeBrace), .symbol(.closeParenthesis):
      // `end,` where a statement should begin: a function in a table or a call lacks its own `end`.
      bracketDepth > 0 && (isAfter(.end) || isFirstOfLine)
    default: false
    }
  }

  /// Parses statements up to what closes the block.
  mutating func block() -> Block {
    let start = start
    var statements: [Statement] = []
    while !closesBlock {
      let first = index
      do throws(Abandoned) {
        let statement = try statement()
        statements.append(statement)
        if case .return = statement.kind, !closesBlock {
          miss("the end of the block after 'return'", hint: "write 'do return end' to leave earlier")
        }
      } catch {
        statements.append(skippedStatement(from: first))
      }
    }
    return Block(statements: statements, range: SourceRange(start, max(start, previousRange.end)))
  }

  @inline(never)
  private mutating func skippedStatement(from first: Int) -> Statement {
    skipStatement(from: first)
    return Statement(kind: .invalid, range: range(from: tokens[first].range.start))
  }

  mutating func statement() throws(Abandoned) -> Statement {
    try enter()
    defer { leave() }
    let start = start
    let kind = try statementKind()
    return Statement(kind: kind, range: range(from: start))
  }

  private mutating func statementKind() throws(Abandoned) -> Statement.Kind {
    guard let symbol else { return try expressionStatement() }
    let opener = current.range
    switch symbol {
    case .semicolon:
      advance()
      return .empty
    case .if: return try ifStatement()
    case .while:
      advance()
      let condition = headerExpression()
      return .while(condition, doBlock("while", opener))
    case .do:
      advance()
      return .do(closedBlock("do", opener))
    case .for: return try forStatement()
    case .repeat: return try repeatStatement()
    case .function: return try functionStatement()
    case .local: return try localStatement()
    case .doubleColon:
      advance()
      let label = try name()
      try expect(.doubleColon)
      return .label(label)
    case .return: return try returnStatement()
    case .break:
      advance()
      return .break
    case .goto:
      advance()
      return .goto(try name("a label's name"))
    default: return try expressionStatement()
    }
  }

  /// Parses a block and the `end` that closes it.
  private mutating func closedBlock(_ opener: String, _ place: SourceRange) -> Block {
    let block = block()
    noteIndentation(opener, place)
    close(.end, opener, at: place)
    return block
  }

  /// Parses `do`, a block and its `end`; a missing `do` costs no more than its own error.
  private mutating func doBlock(_ opener: String, _ place: SourceRange) -> Block {
    if !take(.do) {
      skipToBlock(opener, .do, or: .then)
    }
    return closedBlock(opener, place)
  }

  /// Records that a head does not end as it should, and steps over what stands in between.
  @inline(never)
  private mutating func skipToBlock(_ opener: String, _ word: Symbol, or other: Symbol) {
    let slip = isAt(.assign) ? "equality is written ==" : "'\(opener)' … '\(word.rawValue)' … 'end'"
    miss("'\(word.rawValue)'", hint: slip)
    skipHeader()
    _ = take(word) || take(other)
  }

  /// Parses an expression in the head of a block; an error in it does not cost the block.
  private mutating func headerExpression() -> Expression {
    let start = start
    do throws(Abandoned) {
      return try expression()
    } catch {
      skipHeader()
      return Expression(kind: .invalid, range: range(from: start))
    }
  }

  private mutating func ifStatement() throws(Abandoned) -> Statement.Kind {
    let opener = current.range
    var clauses: [Statement.Clause] = []
    repeat {
      advance()
      let condition = headerExpression()
      if !take(.then) { skipToBlock("if", .then, or: .do) }
      clauses.append(Statement.Clause(condition: condition, block: block()))
    } while isAt(.elseif)
    var otherwise: Block?
    if take(.else) {
      if isAt(.if), !isFirstOfLine { splitElseIf = current.range }
      otherwise = block()
    }
    noteIndentation("if", opener)
    close(.end, "if", at: opener)
    return .if(clauses, else: otherwise)
  }

  private mutating func repeatStatement() throws(Abandoned) -> Statement.Kind {
    let opener = current.range
    advance()
    let body = block()
    close(.until, "repeat", at: opener)
    return .repeat(body, until: try expression())
  }

  private mutating func forStatement() throws(Abandoned) -> Statement.Kind {
    let opener = current.range
    advance()
    do throws(Abandoned) {
      let first = try name()
      if take(.assign) {
        let start = try expression()
        try expect(.comma, hint: "for i = first, last do")
        let limit = try expression()
        let step = take(.comma) ? try expression() : nil
        return .numericFor(first, start: start, limit: limit, step: step, doBlock("for", opener))
      }
      var names = [first]
      while take(.comma) { names.append(try name()) }
      guard take(.in) else { throw fail("'=' or 'in'") }
      let values = try expressions()
      return .genericFor(names, values, doBlock("for", opener))
    } catch {
      skipHeader()
      guard isAt(.do) else { throw error }
      return .do(doBlock("for", opener))
    }
  }

  private mutating func functionStatement() throws(Abandoned) -> Statement.Kind {
    let opener = current.range
    advance()
    let root = try functionName()
    var fields: [Name] = []
    var method: Name?
    while take(.dot) { fields.append(try name()) }
    if take(.colon) { method = try name() }
    let body = try functionBody(opener: opener, method: method)
    return .function(Statement.FunctionName(root: root, fields: fields, method: method), body)
  }

  /// Name of a declared function; a missing one does not cost the function.
  private mutating func functionName() throws(Abandoned) -> Name {
    guard isAt(.openParenthesis) else { return try name("the function's name") }
    _ = fail("the function's name")
    return Name(text: "", range: SourceRange(current.range.start, current.range.start))
  }

  private mutating func localStatement() throws(Abandoned) -> Statement.Kind {
    advance()
    if isAt(.function) {
      let opener = current.range
      advance()
      let name = try functionName()
      return .localFunction(name, try functionBody(opener: opener, method: nil))
    }
    var locals: [Statement.Local] = []
    repeat {
      let name = try name("a variable's name")
      locals.append(Statement.Local(name: name, attribute: try attribute()))
    } while take(.comma)
    return .local(locals, values: take(.assign) ? try expressions() : [])
  }

  private mutating func attribute() throws(Abandoned) -> Statement.Attribute? {
    let start = start
    guard take(.less) else { return nil }
    let name = try name("an attribute")
    try expect(.greater)
    return Statement.Attribute(kind: .init(rawValue: name.text), range: range(from: start))
  }

  private mutating func returnStatement() throws(Abandoned) -> Statement.Kind {
    advance()
    var values: [Expression] = []
    if !closesBlock, !isAt(.semicolon) { values = try expressions() }
    _ = take(.semicolon)
    return .return(values)
  }

  /// Parses a call or an assignment.
  private mutating func expressionStatement() throws(Abandoned) -> Statement.Kind {
    guard beginsPrefix else { throw failAtStatement() }
    let first = try suffixedExpression()
    if isAt(.assign) || isAt(.comma) { return try assignment(first) }
    guard case .suffixed(_, let suffixes) = first.kind, suffixes.last?.isCall == true else {
      throw failAfter(first)
    }
    return .call(first)
  }

  private var beginsPrefix: Bool { isAtName || isAt(.openParenthesis) }

  @inline(never)
  private mutating func failAtStatement() -> Abandoned {
    record(.unexpected, "unexpected \(shown)")
    return Abandoned()
  }

  /// An expression that does nothing: names the slip that it looks like.
  @inline(never)
  private mutating func failAfter(_ first: Expression) -> Abandoned {
    let near = shown
    if case .name(let word) = first.kind, let keyword = Symbol.keyword(meantBy: word) {
      record(
        .unexpected, "expected '=' or a call near \(near)", at: first.range,
        hint: "did you mean '\(keyword)'?")
      return Abandoned()
    }
    if isNext(.assign), let sign = symbol, sign.binaryOperator != nil {
      let target = source[first.range]
      return fail("'='", hint: "write \(target) = \(target) \(sign.rawValue) …")
    }
    if isAt(.equal) { return fail("'='", hint: "an assignment is written with one =") }
    return fail("'=' or a call")
  }

  private mutating func assignment(_ first: Expression) throws(Abandoned) -> Statement.Kind {
    var targets = [first]
    var levels = 0
    defer { leave(levels) }
    while take(.comma) {
      try enter()
      levels += 1
      guard beginsPrefix else { throw fail("a variable") }
      targets.append(try suffixedExpression())
    }
    for target in targets where !target.isAssignable { throw failToAssign(target) }
    try expect(.assign)
    return .assignment(targets, values: try expressions())
  }

  @inline(never)
  private mutating func failToAssign(_ target: Expression) -> Abandoned {
    record(.unexpected, "cannot assign to '\(source[target.range].prefix(40))'", at: target.range)
    return Abandoned()
  }

  // MARK: Functions

  /// Parses parameters, statements and `end`.
  ///
  /// - Parameter opener: The word `function`.
  mutating func functionBody(opener: SourceRange, method: Name?) throws(Abandoned) -> FunctionBody {
    let (parameters, isVararg) = try parameters(method)
    let block = closedBlock("function", opener)
    return FunctionBody(
      parameters: parameters, isVararg: isVararg, block: block, range: range(from: opener.start))
  }

  /// Parses `(a, b, ...)`; a broken parameter costs no other.
  @inline(never)
  private mutating func parameters(_ method: Name?) throws(Abandoned) -> (names: [Name], isVararg: Bool) {
    var names = method.map { [Name(text: "self", range: $0.range)] } ?? []
    var isVararg = false
    try expect(.openParenthesis)
    if !isAt(.closeParenthesis) {
      repeat {
        if take(.ellipsis) {
          isVararg = true
          break
        }
        do throws(Abandoned) {
          names.append(try name("a parameter's name"))
        } catch {
          skipItem(closing: .closeParenthesis)
        }
      } while take(.comma)
    }
    if !take(.closeParenthesis) {
      miss("')' after the parameters")
      skipItem(closing: .closeParenthesis)
      _ = take(.closeParenthesis)
    }
    return (names, isVararg)
  }
}

extension Expression {
  /// Whether the stock compiler lets a value be put there.
  var isAssignable: Bool {
    switch kind {
    case .name: true
    case .suffixed(_, let suffixes): suffixes.last?.isCall == false
    default: false
    }
  }
}
