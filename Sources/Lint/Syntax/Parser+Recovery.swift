// SPDX-License-Identifier: Apache-2.0

extension Parser {
  /// Whether the current token may still belong to the list that is being read.
  var continuesItem: Bool {
    switch current.kind {
    case .endOfFile: false
    case .symbol(let symbol): !symbol.beginsOrEndsStatement
    default: true
    }
  }

  /// After an error inside a list, goes to the next separator or to what closes the list.
  ///
  /// What is open in between is stepped over whole. Functions are parsed, so that their own errors are
  /// found and their `end` is not taken for another's.
  mutating func skipItem(closing: Symbol) {
    skip { parser in
      parser.isAt(.comma) || parser.isAt(closing) || closing == .closeBrace && parser.isAt(.semicolon)
        || !parser.continuesItem
    }
  }

  /// After an error in the head of a block, goes to the block's first word, or to the end of the line.
  mutating func skipHeader() {
    skip { parser in parser.isFirstOfLine || !parser.continuesItem }
  }

  /// After an error in a statement, goes to where the next one may begin.
  ///
  /// - Parameter first: Index of the statement's first token, which is never a place to go on.
  mutating func skipStatement(from first: Int) {
    if index == first, !isAtEnd { advance() }
    skip { parser in
      switch parser.current.kind {
      case .symbol(.function): return parser.isNamedFunction
      case .symbol(let symbol): return symbol.beginsOrEndsStatement || symbol == .semicolon
      case .name: return parser.isFirstOfLine
      default: return false
      }
    }
  }

  /// Whether `function` declares here, instead of being a value.
  private var isNamedFunction: Bool {
    if case .name = ahead(1).kind { return true }
    return false
  }

  /// Steps forward until `isDone` outside of any bracket; stops at what can stand in none.
  private mutating func skip(until isDone: (inout Parser) -> Bool) {
    var open: [Symbol] = []
    while !isAtEnd {
      if open.isEmpty, isDone(&self) { return }
      guard case .symbol(let symbol) = current.kind else {
        advance()
        continue
      }
      switch symbol {
      case .openParenthesis: open.append(.closeParenthesis)
      case .openBrace: open.append(.closeBrace)
      case .openBracket: open.append(.closeBracket)
      case .closeParenthesis, .closeBrace, .closeBracket:
        if open.last == symbol { open.removeLast() }
      case .function where !isNamedFunction && depth < Self.depthMax:
        skipFunction()
        continue
      case _ where symbol.beginsOrEndsStatement && symbol != .function: return
      case .function where isNamedFunction: return
      default: break
      }
      advance()
    }
  }

  private mutating func skipFunction() {
    let opener = current.range
    advance()
    // Its errors are recorded; what it was is of no use here.
    guard (try? enter()) != nil else { return }
    _ = try? functionBody(opener: opener, method: nil)
    leave()
  }
}

extension Symbol {
  /// Whether the word stands only at the edges of statements.
  var beginsOrEndsStatement: Bool {
    switch self {
    case .local, .if, .for, .while, .repeat, .return, .do, .break, .goto, .doubleColon, .end, .else, .elseif,
      .until, .then:
      true
    default: false
    }
  }
}
