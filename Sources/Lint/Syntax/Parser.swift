// SPDX-License-Identifier: Apache-2.0

/// A file's tree, and everything that keeps it from being compiled.
public struct ParsedFile: Sendable {
  public let source: SourceText
  /// As much as could be understood.
  public let chunk: Chunk
  /// In the order of the file; empty for a file that the stock compiler takes.
  public let diagnostics: [Diagnostic]

  /// Parses Lua 5.4 source; never runs it.
  ///
  /// - Complexity: O(n) in the size of the file.
  public init(parsing source: SourceText) {
    let (tokens, comments, problems) = Lexer.tokens(of: source)
    var parser = Parser(source: source, tokens: tokens)
    let block = parser.chunk()
    let chunk = Chunk(block: block, comments: comments)
    var rules = ScopeRules(file: source.name)
    rules.check(chunk)
    // What the lexer refused is not refused again.
    let refused = Set(problems.map(\.range.start))
    let syntax = problems + parser.diagnostics.filter { !refused.contains($0.range.start) }
    // After a syntax error the tree is a guess, and so is all that follows from it.
    let guessedFrom = syntax.map(\.range.start).min()
    let reliable = rules.diagnostics.filter { finding in
      guard let guessedFrom else { return true }
      return finding.range.start < guessedFrom && finding.code != .badGoto
    }
    self.source = source
    self.chunk = chunk
    diagnostics = (syntax + reliable).sorted { $0.range.start < $1.range.start }
  }
}

/// Turns tokens into a tree.
///
/// A syntax error is recorded where it is found; what holds it (a list's item, else a statement) is
/// given up, and parsing goes on after it. Source: Lua 5.4 manual, 3.3, 3.4 and 9.
struct Parser {
  let source: SourceText
  let tokens: [Token]
  /// Symbol that each token is.
  private let symbols: [Symbol?]
  private(set) var index = 0
  private(set) var diagnostics: [Diagnostic] = []
  /// Token of the last error: one place has one error.
  private var lastErrorIndex = -1
  private(set) var depth = 0
  /// Tables and argument lists that are open here.
  var bracketDepth = 0
  /// Last `else if` that was written as two words on one line.
  var splitElseIf: SourceRange?
  /// First block whose `end` stands further left than its beginning: the likely one without an `end`.
  private var misplaced: (opener: String, line: Int)?
  /// Column of each line's first token.
  private let indentation: [Int: Int]

  /// How deep statements and expressions may nest, as in the stock compiler.
  ///
  /// Source: LUAI_MAXCCALLS (200) less what the stock loader itself uses, measured with Lua 5.4.4.
  static let depthMax = 197

  init(source: SourceText, tokens: [Token]) {
    self.source = source
    self.tokens = tokens
    symbols = tokens.map { if case .symbol(let symbol) = $0.kind { symbol } else { nil } }
    indentation = Dictionary(tokens.lazy.map { ($0.range.start.line, $0.range.start.column) }) { first, _ in
      first
    }
  }

  // MARK: Tokens

  var current: Token { tokens[index] }

  /// Symbol that the current token is.
  var symbol: Symbol? { symbols[index] }

  /// Where the current token begins.
  var start: Position { tokens[index].range.start }

  /// Token some places ahead; the last one is repeated.
  func ahead(_ count: Int) -> Token { tokens[min(index + count, tokens.count - 1)] }

  func isNext(_ symbol: Symbol) -> Bool { symbols[min(index + 1, tokens.count - 1)] == symbol }

  var isAtName: Bool {
    if case .name = tokens[index].kind { true } else { false }
  }

  var isAtEnd: Bool { index == tokens.count - 1 }

  /// Range of the token before the current one.
  var previousRange: SourceRange {
    index > 0 ? tokens[index - 1].range : SourceRange(current.range.start, current.range.start)
  }

  func isAt(_ symbol: Symbol) -> Bool { symbols[index] == symbol }

  func isAfter(_ symbol: Symbol) -> Bool { index > 0 && symbols[index - 1] == symbol }

  /// Whether the current token is the first of its line.
  var isFirstOfLine: Bool { index == 0 || current.range.start.line > previousRange.end.line }

  mutating func advance() {
    if index < tokens.count - 1 { index += 1 }
  }

  mutating func take(_ symbol: Symbol) -> Bool {
    guard isAt(symbol) else { return false }
    advance()
    return true
  }

  /// Range from a place to the end of the last token taken.
  func range(from start: Position) -> SourceRange {
    let end = previousRange.end
    return SourceRange(start, end < start ? start : end)
  }

  // MARK: Errors

  // What makes messages is kept out of line: the parser recurses, and their texts would widen its frames.

  /// Thrown after a diagnostic was recorded, to whatever can go on.
  struct Abandoned: Error {}

  @inline(never)
  mutating func record(
    _ code: Diagnostic.Code, _ message: String, at range: SourceRange? = nil, hint: String? = nil
  ) {
    // A refused token was reported by the lexer.
    guard index > lastErrorIndex, range != nil || current.kind != .invalid else {
      lastErrorIndex = max(lastErrorIndex, index)
      return
    }
    lastErrorIndex = index
    diagnostics.append(
      Diagnostic(
        file: source.name, range: range ?? current.range, severity: .error, code: code, message: message,
        hint: hint))
  }

  /// The current token, as a message shows it.
  var shown: String {
    switch current.kind {
    case .endOfFile: return "end of file"
    default:
      let text = source[current.range]
      let line = text.split(whereSeparator: \.isNewline).first.map(String.init) ?? ""
      return line.count > 40 || line.count < text.count ? "'\(line.prefix(37))…'" : "'\(line)'"
    }
  }

  /// Records what should stand here.
  @inline(never)
  mutating func miss(_ expected: String, hint: String? = nil) {
    record(.unexpected, "expected \(expected) near \(shown)", hint: hint)
  }

  mutating func fail(_ expected: String, hint: String? = nil) -> Abandoned {
    miss(expected, hint: hint)
    return Abandoned()
  }

  @inline(never)
  mutating func expect(_ symbol: Symbol, hint: String? = nil) throws(Abandoned) {
    guard take(symbol) else { throw fail("'\(symbol.rawValue)'", hint: hint) }
  }

  /// Takes what closes `opener`; records it when it is missing and goes on as if it were there.
  @inline(never)
  mutating func close(_ symbol: Symbol, _ opener: String, at place: SourceRange) {
    if take(symbol) { return }
    let line = place.start.line
    let here = current.range.start.line == line ? "" : " at line \(line)"
    record(
      .unclosed, "expected '\(symbol.rawValue)' to close '\(opener)'\(here) near \(shown)",
      at: isAtEnd ? current.range : nil, hint: symbol == .end ? missingEndHint : nil)
  }

  /// Before a block is closed: remembers the first one that another block's `end` seems to close.
  @inline(never)
  mutating func noteIndentation(_ opener: String, _ place: SourceRange) {
    guard misplaced == nil, isAt(.end), isFirstOfLine, current.range.start.line > place.start.line,
      let column = indentation[place.start.line], current.range.start.column < column
    else { return }
    misplaced = (opener, place.start.line)
  }

  private var missingEndHint: String? {
    if let splitElseIf {
      return "'else if' at line \(splitElseIf.start.line) needs an 'end' of its own: did you mean 'elseif'?"
    }
    return misplaced.map { "the '\($0.opener)' at line \($0.line) seems to lack it" }
  }

  @inline(never)
  mutating func name(_ what: String = "a name") throws(Abandoned) -> Name {
    guard case .name(let text) = current.kind else {
      guard case .symbol(let symbol) = current.kind, symbol.isKeyword else {
        throw fail(what)
      }
      let failure = fail(what, hint: "'\(symbol.rawValue)' is a word of the language")
      guard !isFirstOfLine, standsForName else { throw failure }
      defer { advance() }
      return Name(text: symbol.rawValue, range: current.range)
    }
    defer { advance() }
    return Name(text: text, range: current.range)
  }

  /// Whether a word of the language was meant as a name, by what follows it.
  private var standsForName: Bool {
    switch ahead(1).kind {
    case .symbol(.assign), .symbol(.dot), .symbol(.comma), .symbol(.openParenthesis),
      .symbol(.closeParenthesis):
      true
    default: false
    }
  }

  // MARK: Depth

  /// Goes one level down; refuses more than the stock compiler takes, and gives up the rest of the file.
  mutating func enter() throws(Abandoned) {
    guard depth < Self.depthMax else {
      record(.nestedTooDeeply, "nested too deeply", hint: "at most \(Self.depthMax) levels: split it up")
      index = tokens.count - 1
      lastErrorIndex = index
      throw Abandoned()
    }
    depth += 1
  }

  mutating func leave(_ levels: Int = 1) { depth -= levels }
}
