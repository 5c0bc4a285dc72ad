// SPDX-License-Identifier: Apache-2.0

/// Cuts a file into tokens; never stops at what is wrong.
///
/// Source: Lua 5.4 manual, 3.1.
struct Lexer {
  let source: SourceText
  private(set) var comments: [Comment] = []
  private(set) var diagnostics: [Diagnostic] = []

  private(set) var offset = 0
  private var line = 1
  /// What to take from `offset` to get the 0-based column: the line's start and its continuation bytes.
  private var columnBase = 0

  init(_ source: SourceText) {
    self.source = source
    skipHead()
  }

  /// Cuts the whole file; the last token is the end of the file.
  static func tokens(of source: SourceText) -> (
    tokens: [Token], comments: [Comment], diagnostics: [Diagnostic]
  ) {
    var lexer = Lexer(source)
    var tokens: [Token] = []
    tokens.reserveCapacity(source.bytes.count / 4)
    while true {
      let token = lexer.next()
      tokens.append(token)
      if token.kind == .endOfFile { break }
    }
    return (tokens, lexer.comments, lexer.diagnostics)
  }

  // MARK: Bytes

  var position: Position { Position(offset: offset, line: line, column: offset - columnBase + 1) }

  /// Byte some places ahead; `nil` past the end.
  func peek(_ ahead: Int = 0) -> UInt8? {
    let index = offset + ahead
    return index < source.bytes.count ? source.bytes[index] : nil
  }

  func isAt(_ text: StaticString) -> Bool {
    for index in 0..<text.utf8CodeUnitCount where peek(index) != text.utf8Start[index] { return false }
    return true
  }

  /// Steps over one byte, or over a whole line break.
  mutating func advance() {
    let width = source.lineBreak(at: offset)
    if width > 0 {
      offset += width
      line += 1
      columnBase = offset
      return
    }
    if source.bytes[offset] & 0xC0 == 0x80 { columnBase += 1 }
    offset += 1
  }

  mutating func advance(_ count: Int) {
    for _ in 0..<count where offset < source.bytes.count { advance() }
  }

  mutating func refuse(
    _ start: Position, _ code: Diagnostic.Code, _ message: String, hint: String? = nil, fix: Fix? = nil
  ) {
    diagnostics.append(
      Diagnostic(
        file: source.name, range: SourceRange(start, position), severity: .error, code: code,
        message: message, hint: hint, fix: fix))
  }

  /// Skips a byte order mark, and a first line that begins with `#`, as the stock loader does.
  private mutating func skipHead() {
    if isAt("\u{FEFF}") {
      offset = 3
      columnBase = 3
    }
    guard peek() == UInt8(ascii: "#") else { return }
    while let byte = peek(), byte != UInt8(ascii: "\n"), byte != UInt8(ascii: "\r") { advance() }
  }

  // MARK: Tokens

  private mutating func next() -> Token {
    while let byte = peek() {
      switch byte {
      case UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\n"), UInt8(ascii: "\r"), 0x0B, 0x0C:
        advance()
      case UInt8(ascii: "-") where peek(1) == UInt8(ascii: "-"):
        skipComment()
      default:
        return token(byte)
      }
    }
    return Token(kind: .endOfFile, range: SourceRange(position, position))
  }

  private mutating func token(_ byte: UInt8) -> Token {
    let start = position
    let kind: Token.Kind
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "'"):
      kind = string(delimiter: byte)
    case UInt8(ascii: "["):
      kind = bracket()
    case _ where byte.isDigit, UInt8(ascii: ".") where peek(1)?.isDigit == true:
      kind = numeral()
    case _ where byte.isNameStart:
      kind = word()
    default:
      kind = symbol(byte)
    }
    return Token(kind: kind, range: SourceRange(start, position))
  }

  private mutating func word() -> Token.Kind {
    let start = offset
    while let byte = peek(), byte.isNamePart { advance() }
    let text = String(decoding: source.bytes[start..<offset], as: UTF8.self)
    return Symbol.keywords[text].map { .symbol($0) } ?? .name(text)
  }

  private mutating func symbol(_ byte: UInt8) -> Token.Kind {
    for length in [3, 2, 1] where offset + length <= source.bytes.count {
      guard let symbol = Symbol.signs[Symbol.key(source.bytes[offset..<offset + length])] else { continue }
      advance(length)
      return .symbol(symbol)
    }
    return invalid(byte)
  }

  /// Refuses what no token begins with; takes neighbours along that would be refused for the same reason.
  private mutating func invalid(_ byte: UInt8) -> Token.Kind {
    let start = position
    if isAt("!=") {
      advance(2)
      let fix = Fix("write ~=", [Fix.Edit(range: SourceRange(start, position), replacement: "~=")])
      refuse(start, .invalidCharacter, "'!=' is not Lua", hint: "not equal is written ~=", fix: fix)
      return .symbol(.notEqual)
    }
    if byte >= 0x80 {
      while let next = peek(), next >= 0x80 { advance() }
      let text = String(decoding: source.bytes[start.offset..<offset], as: UTF8.self)
      let quoted = text.contains { "“”‘’„«»".contains($0) }
      refuse(
        start, .invalidCharacter, "unexpected '\(text)'",
        hint: quoted
          ? "texts stand between \" or '" : "names are made of the letters a to z, digits and underscores")
      return .invalid
    }
    advance()
    let shown = byte < 0x20 || byte == 0x7F ? "\\x" + hexadecimal(byte) : String(UnicodeScalar(byte))
    refuse(
      start, .invalidCharacter, "unexpected '\(shown)'",
      hint: byte == UInt8(ascii: "!") ? "negation is written not" : nil)
    return .invalid
  }

  private func hexadecimal(_ byte: UInt8) -> String {
    let text = String(byte, radix: 16)
    return byte < 16 ? "0" + text : text
  }

  // MARK: Long brackets and comments

  /// Number of `=` in a long bracket that opens here; `nil` when none does.
  private func longBracket() -> Int? {
    guard peek() == UInt8(ascii: "[") else { return nil }
    var level = 0
    while peek(1 + level) == UInt8(ascii: "=") { level += 1 }
    return peek(1 + level) == UInt8(ascii: "[") ? level : nil
  }

  private mutating func bracket() -> Token.Kind {
    let start = position
    if let level = longBracket() { return .string(longText(level, start, what: "string") ?? []) }
    advance()
    guard peek() == UInt8(ascii: "=") else { return .symbol(.openBracket) }
    // `[=` begins nothing but a long bracket, unless it is `[` before a misplaced sign.
    var level = 0
    while peek(level) == UInt8(ascii: "=") { level += 1 }
    advance(level)
    refuse(start, .unfinished, "'[\(String(repeating: "=", count: level))' must be followed by '['")
    return .invalid
  }

  /// Reads up to the closing bracket of the same level, the line breaks made `\n`.
  private mutating func longText(_ level: Int, _ start: Position, what: String) -> [UInt8]? {
    advance(level + 2)
    if let byte = peek(), byte == UInt8(ascii: "\n") || byte == UInt8(ascii: "\r") { advance() }
    var text: [UInt8] = []
    while let byte = peek() {
      if byte == UInt8(ascii: "]"), closes(level) {
        advance(level + 2)
        return text
      }
      text.append(byte == UInt8(ascii: "\r") ? UInt8(ascii: "\n") : byte)
      advance()
    }
    let closing = "]" + String(repeating: "=", count: level) + "]"
    refuse(start, .unfinished, "this long \(what) is never closed", hint: "close it with \(closing)")
    return nil
  }

  private func closes(_ level: Int) -> Bool {
    for index in 0..<level where peek(1 + index) != UInt8(ascii: "=") { return false }
    return peek(1 + level) == UInt8(ascii: "]")
  }

  private mutating func skipComment() {
    let start = position
    advance(2)
    if let level = longBracket() {
      let text = longText(level, start, what: "comment") ?? []
      comments.append(
        Comment(
          text: String(decoding: text, as: UTF8.self), range: SourceRange(start, position), isLong: true))
      return
    }
    let textStart = offset
    while let byte = peek(), byte != UInt8(ascii: "\n"), byte != UInt8(ascii: "\r") { advance() }
    comments.append(
      Comment(
        text: String(decoding: source.bytes[textStart..<offset], as: UTF8.self),
        range: SourceRange(start, position), isLong: false))
  }
}

extension UInt8 {
  var isDigit: Bool { self >= UInt8(ascii: "0") && self <= UInt8(ascii: "9") }

  /// ASCII letters and `_`: names do not follow the locale.
  var isNameStart: Bool {
    let lower = self | 0x20
    return lower >= UInt8(ascii: "a") && lower <= UInt8(ascii: "z") || self == UInt8(ascii: "_")
  }

  var isNamePart: Bool { isNameStart || isDigit }

  /// Value of a hexadecimal digit; `nil` for any other byte.
  var hexadecimalValue: UInt8? {
    if isDigit { return self - UInt8(ascii: "0") }
    let lower = self | 0x20
    return lower >= UInt8(ascii: "a") && lower <= UInt8(ascii: "f") ? lower - UInt8(ascii: "a") + 10 : nil
  }
}
