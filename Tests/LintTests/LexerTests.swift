// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import Lint

@Suite struct LexerTests {
  private func kinds(_ text: String) -> [Token.Kind] {
    Lexer.tokens(of: SourceText(name: "a.lua", text: text)).tokens.dropLast().map(\.kind)
  }

  private func findings(_ text: String) -> [String] {
    Lexer.tokens(of: SourceText(name: "a.lua", text: text)).diagnostics.map {
      "\($0.line):\($0.column) \($0.code)"
    }
  }

  @Test("every word and sign is one token", arguments: Symbol.allCases)
  func symbols(symbol: Symbol) {
    #expect(kinds(" " + symbol.rawValue) == [.symbol(symbol)])
  }

  @Test("signs are as long as they can be")
  func longestSign() {
    #expect(kinds("a...b") == [.name("a"), .symbol(.ellipsis), .name("b")])
    #expect(
      kinds("a//b>>=c") == [
        .name("a"), .symbol(.doubleSlash), .name("b"), .symbol(.shiftRight), .symbol(.assign), .name("c"),
      ])
  }

  @Test(
    "numerals have the value that Lua gives them",
    arguments: [
      ("3", Token.Kind.integer(3)), ("0xff", .integer(255)), ("0xffffffffffffffff", .integer(-1)),
      ("0x1ffffffffffffffff", .integer(-1)), ("9223372036854775807", .integer(.max)),
      ("9223372036854775808", .number(9_223_372_036_854_775_808)), ("3.", .number(3)), (".5", .number(0.5)),
      ("3e-2", .number(0.03)), ("0x.8p1", .number(1)), ("0xA.8", .number(10.5)),
      ("1e999", .number(.infinity)),
    ])
  func numerals(text: String, kind: Token.Kind) {
    #expect(kinds(text) == [kind])
  }

  @Test(
    "malformed numerals are one error each, and one token",
    arguments: ["3x", "0x", "1..2", "1e", "0xep", "1.2.3", "0x1p", "3and"])
  func malformedNumerals(text: String) {
    #expect(findings(text) == ["1:1 P004"])
    #expect(kinds(text).count == 1)
  }

  @Test(
    "escapes are resolved to bytes",
    arguments: [
      (#""\a\b\f\n\r\t\v\\\"\'""#, [7, 8, 12, 10, 13, 9, 11, 92, 34, 39] as [UInt8]),
      (#"'\x41\065\0'"#, [0x41, 65, 0]), ("'a\\z \n\t b'", [97, 98]), ("'a\\\nb'", [97, 10, 98]),
      (#"'\u{48}\u{7FF}\u{FFFF}\u{10FFFF}'"#, Array("H\u{7FF}\u{FFFF}\u{10FFFF}".utf8)),
      (#"'\u{7FFFFFFF}'"#, [0xFD, 0xBF, 0xBF, 0xBF, 0xBF, 0xBF]),
      (#"'\u{200000}'"#, [0xF8, 0x88, 0x80, 0x80, 0x80]),
    ])
  func escapes(text: String, bytes: [UInt8]) {
    #expect(kinds(text) == [.string(bytes)])
  }

  @Test("an invalid escape is an error at the escape, and the string goes on")
  func invalidEscapes() {
    #expect(
      findings(#"x = 'ab\q' .. '\300' .. '\xZZ' .. '\u{}'"#) == [
        "1:8 P005", "1:16 P005", "1:26 P005", "1:36 P005",
      ])
    #expect(findings(#"'\u{80000000}'"#) == ["1:2 P005"])
  }

  @Test("long brackets keep their text and drop a first line break")
  func longBrackets() {
    #expect(kinds("[[\na\r\nb]]") == [.string(Array("a\nb".utf8))])
    #expect(kinds("[==[ ]] ]=] ]==]") == [.string(Array(" ]] ]=] ".utf8))])
    #expect(findings("x = [=[ ]]") == ["1:5 P003"])
    #expect(findings("x = [=x") == ["1:5 P003"])
  }

  @Test("comments are kept, and are no tokens")
  func comments() {
    let result = Lexer.tokens(of: SourceText(name: "a", text: "#!/bin/lua\nx -- one\n--[[ two\n]] y --[==x"))
    #expect(result.tokens.map(\.kind) == [.name("x"), .name("y"), .endOfFile])
    #expect(result.comments.map(\.text) == [" one", " two\n", "[==x"])
    #expect(result.comments.map(\.isLong) == [false, true, false])
    #expect(result.comments[1].range.end == Position(offset: 31, line: 4, column: 3))
  }

  @Test("columns count scalars, and every line break is one")
  func positions() {
    let tokens = Lexer.tokens(of: SourceText(name: "a", text: "'é😀' a\r\nb\n\rc\rd")).tokens
    #expect(
      tokens.map { "\($0.range.start.line):\($0.range.start.column):\($0.range.start.offset)" }
        == ["1:1:0", "1:6:9", "2:1:12", "3:1:15", "4:1:17", "4:2:18"])
  }

  @Test("a byte order mark is skipped")
  func byteOrderMark() {
    #expect(kinds("\u{FEFF}return") == [.symbol(.return)])
  }

  @Test("characters without a use are refused, and lexing goes on")
  func invalidCharacters() {
    #expect(findings("a ? b “c” \u{0}") == ["1:3 P006", "1:7 P006", "1:9 P006", "1:11 P006"])
    #expect(kinds("a != b") == [.name("a"), .symbol(.notEqual), .name("b")])
    #expect(findings("'abc\nx = 1") == ["1:1 P003"])
  }
}
