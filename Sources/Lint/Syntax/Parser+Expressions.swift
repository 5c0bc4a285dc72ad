// SPDX-License-Identifier: Apache-2.0

extension Parser {
  /// Parses one expression or several between commas.
  mutating func expressions() throws(Abandoned) -> [Expression] {
    var list = [try expression()]
    while take(.comma) { list.append(try expression()) }
    return list
  }

  mutating func expression() throws(Abandoned) -> Expression { try expression(above: 0) }

  /// Parses operands as long as their operators hold tighter than `limit`.
  private mutating func expression(above limit: Int) throws(Abandoned) -> Expression {
    try enter()
    defer { leave() }
    let start = start
    let first = try operand()
    var operations: [Expression.Operation] = []
    while let binary = symbol?.binaryOperator, binary.priority.left > limit {
      let sign = current.range
      advance()
      let right = try expression(above: binary.priority.right)
      operations.append(Expression.Operation(operator: binary, operatorRange: sign, operand: right))
    }
    if operations.isEmpty { return first }
    return Expression(kind: .binary(first, operations), range: range(from: start))
  }

  private mutating func operand() throws(Abandoned) -> Expression {
    switch symbol {
    case .openBrace:
      let start = start
      let table = tableConstructor()
      return Expression(kind: .table(table), range: range(from: start))
    case .function:
      let opener = current.range
      advance()
      let body = try functionBody(opener: opener, method: nil)
      return Expression(kind: .function(body), range: body.range)
    default:
      if let unary = symbol?.unaryOperator { return try unaryExpression(unary) }
      if let literal = literal() { return literal }
      return try suffixedExpression()
    }
  }

  private mutating func unaryExpression(_ sign: UnaryOperator) throws(Abandoned) -> Expression {
    let start = start
    advance()
    let inner = try expression(above: BinaryOperator.unaryPriority)
    return Expression(kind: .unary(sign, inner), range: range(from: start))
  }

  /// Takes a value that is one token.
  @inline(never)
  private mutating func literal() -> Expression? {
    let token = current
    let kind: Expression.Kind
    switch token.kind {
    case .integer(let value): kind = .integer(value)
    case .number(let value): kind = .number(value)
    case .string(let bytes): kind = .string(bytes)
    case .symbol(.nil): kind = .nil
    case .symbol(.true): kind = .boolean(true)
    case .symbol(.false): kind = .boolean(false)
    case .symbol(.ellipsis): kind = .vararg
    default: return nil
    }
    advance()
    return Expression(kind: kind, range: token.range)
  }

  // MARK: Suffixes

  /// Parses a name or a parenthesized expression, and the fields and calls behind it.
  mutating func suffixedExpression() throws(Abandoned) -> Expression {
    let start = start
    let first = try primaryExpression()
    var suffixes: [Expression.Suffix] = []
    while let suffix = try suffix() { suffixes.append(suffix) }
    if suffixes.isEmpty { return first }
    return Expression(kind: .suffixed(first, suffixes), range: range(from: start))
  }

  private mutating func primaryExpression() throws(Abandoned) -> Expression {
    if isAtName {
      let name = try name()
      return Expression(kind: .name(name.text), range: name.range)
    }
    guard isAt(.openParenthesis) else { throw fail("a value", hint: slip) }
    return try parenthesizedExpression()
  }

  private mutating func parenthesizedExpression() throws(Abandoned) -> Expression {
    let opener = current.range
    advance()
    let inner: Expression
    do throws(Abandoned) {
      inner = try expression()
    } catch {
      skipItem(closing: .closeParenthesis)
      guard take(.closeParenthesis) else { throw error }
      return Expression(kind: .invalid, range: range(from: opener.start))
    }
    close(.closeParenthesis, "(", at: opener)
    return Expression(kind: .parenthesized(inner), range: range(from: opener.start))
  }

  /// What a sign of another language would be here.
  private var slip: String? {
    switch symbol {
    case .ampersand: "'and' joins conditions"
    case .pipe: "'or' joins conditions"
    case .plus: "write x = x + 1"
    case .assign: "equality is written =="
    case .greater: "at least is written >="
    default: nil
    }
  }

  private mutating func suffix() throws(Abandoned) -> Expression.Suffix? {
    let start = start
    let kind: Expression.Suffix.Kind
    switch symbol {
    case .dot:
      advance()
      kind = .field(try name("a field's name"))
    case .openBracket:
      kind = .index(try bracketed())
    case .colon:
      advance()
      let method = try name("a method's name")
      guard let arguments = arguments() else {
        throw fail("the method's arguments", hint: "a field is written with a point")
      }
      kind = .method(method, arguments)
    default:
      guard let arguments = arguments() else { return nil }
      kind = .call(arguments)
    }
    return Expression.Suffix(kind: kind, range: range(from: start))
  }

  /// Parses `[expression]`.
  private mutating func bracketed() throws(Abandoned) -> Expression {
    let opener = current.range
    advance()
    let key = try expression()
    close(.closeBracket, "[", at: opener)
    return key
  }

  /// Parses what a call hands over; `nil` when nothing of the kind stands here.
  private mutating func arguments() -> [Expression]? {
    switch symbol {
    case .openParenthesis:
      return parenthesizedArguments()
    case .openBrace:
      let start = start
      let table = tableConstructor()
      return [Expression(kind: .table(table), range: range(from: start))]
    case nil:
      guard case .string = current.kind else { return nil }
      return literal().map { [$0] }
    default: return nil
    }
  }

  private mutating func parenthesizedArguments() -> [Expression] {
    let opener = current.range
    advance()
    var list: [Expression] = []
    if take(.closeParenthesis) { return list }
    bracketDepth += 1
    defer { bracketDepth -= 1 }
    while true {
      do throws(Abandoned) {
        list.append(try expression())
      } catch {
        skipItem(closing: .closeParenthesis)
        list.append(Expression(kind: .invalid, range: previousRange))
      }
      if take(.comma) { continue }
      if isAt(.closeParenthesis) || !continuesItem { break }
      // Two arguments with nothing between them.
      miss("',' or ')'")
      skipItem(closing: .closeParenthesis)
      guard take(.comma) else { break }
    }
    close(.closeParenthesis, "(", at: opener)
    return list
  }

  // MARK: Tables

  private mutating func tableConstructor() -> Expression.Table {
    let opener = current.range
    var fields: [Expression.Field] = []
    var position = 0
    advance()
    bracketDepth += 1
    defer { bracketDepth -= 1 }
    while !isAt(.closeBrace), continuesItem || isKeywordField {
      let before = index
      do throws(Abandoned) {
        fields.append(try field(&position))
      } catch {
        skipItem(closing: .closeBrace)
      }
      if take(.comma) || take(.semicolon) { continue }
      if isAt(.closeBrace) || !continuesItem || index == before { break }
      miss("',' or '}'", hint: "fields are separated by commas")
      if !beginsField { skipItem(closing: .closeBrace) }
      if take(.comma) || take(.semicolon) { continue }
    }
    close(.closeBrace, "{", at: opener)
    return Expression.Table(fields: fields)
  }

  /// `end = 1`, which no table can say like this.
  private var isKeywordField: Bool { isNext(.assign) && symbol?.isKeyword == true }

  /// `name: value`, unless it calls a method.
  private var isColonField: Bool {
    guard isAtName, isNext(.colon) else { return false }
    guard case .name = ahead(2).kind else { return true }
    switch ahead(3).kind {
    case .symbol(.openParenthesis), .symbol(.openBrace), .string: return false
    default: return true
    }
  }

  private var beginsField: Bool {
    switch current.kind {
    case .name, .string, .integer, .number, .symbol(.openBracket), .symbol(.openBrace), .symbol(.function),
      .symbol(.nil), .symbol(.true), .symbol(.false):
      true
    default: false
    }
  }

  private mutating func field(_ position: inout Int) throws(Abandoned) -> Expression.Field {
    let start = start
    let key = try fieldKey()
    let value = try expression()
    if key == nil {
      if isAt(.colon) { throw fail("','", hint: "a field is written name = value") }
      position += 1
    }
    return Expression.Field(key: key ?? .position(position), value: value, range: range(from: start))
  }

  /// Takes a key and its `=`; `nil` for an item.
  @inline(never)
  private mutating func fieldKey() throws(Abandoned) -> Expression.Field.Key? {
    if isAt(.openBracket) {
      let key = try bracketed()
      try expect(.assign)
      return .expression(key)
    }
    if isAtName, isNext(.assign) {
      let name = try name()
      advance()
      return .name(name)
    }
    if isKeywordField {
      miss("a field's name", hint: "write [\"\(source[current.range])\"] = …")
      let word = current.range
      advance()
      advance()
      return .expression(Expression(kind: .invalid, range: word))
    }
    if isColonField {
      advance()
      throw fail("'='", hint: "a field is written name = value")
    }
    if case .string(let bytes) = current.kind, isNext(.assign) {
      advance()
      throw fail("',' or '}'", hint: "a key is written [\"\(String(decoding: bytes, as: UTF8.self))\"] = …")
    }
    return nil
  }
}
