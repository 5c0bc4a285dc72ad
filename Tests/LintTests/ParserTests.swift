// SPDX-License-Identifier: Apache-2.0
import TestSupport
import Testing

@testable import Lint

@Suite struct ParserTests {
  private func tree(_ text: String, sourceLocation: SourceLocation = #_sourceLocation) -> String {
    let file = ParsedFile(parsing: SourceText(name: "a.lua", text: text))
    #expect(file.diagnostics.map(\.description) == [], sourceLocation: sourceLocation)
    return file.chunk.block.outline
  }

  @Test(
    "every statement has its tree",
    arguments: [
      ("local a, b <const> = 1", "local a b<const> = 1"), ("local a", "local a ="),
      ("a, b.c, d[1] = 1, 2", "a b.c d[1] = 1 2"), ("f(1)", "call f(1)"), ("a.b:c{}", "call a.b:c({})"),
      ("do f() end", "do (call f())"), ("while a do f() end", "while a (call f())"),
      ("repeat f() until a", "repeat (call f()) a"),
      ("if a then f() elseif b then g() else h() end", "if a (call f()) b (call g()) else (call h())"),
      ("for i = 1, 2 do end", "for i 1 2 ()"), ("for i = 1, 2, 3 do end", "for i 1 2 3 ()"),
      ("for k, v in pairs(t) do end", "for k v in pairs(t) ()"),
      ("function a.b:c(x, ...) end", "function a.b:c(self x ...) ()"),
      ("local function f() end", "local function f() ()"), ("return", "return"),
      ("return 1, 2;", "return 1 2"),
      ("while a do break end", "while a (break)"), ("goto l ::l::", "goto l; ::l::"), (";", "empty"),
    ])
  func statements(text: String, outline: String) {
    #expect(tree(text) == outline)
  }

  @Test(
    "every expression has its tree",
    arguments: [
      ("nil", "nil"), ("true", "true"), ("false", "false"), ("7", "7"), ("1.5", "1.5"), ("'s'", "'s'"),
      ("...", "..."), ("function() end", "function() ()"),
      ("{ 1, a = 2, ['b'] = 3; 4 }", "{1=1 a=2 ['b']=3 2=4}"),
      ("(a)", "(a)"), ("a.b[1](2):c'x'", "a.b[1](2):c('x')"), ("not a", "[not a]"), ("-#~a", "[- [# [~ a]]]"),
    ])
  func expressions(text: String, outline: String) {
    #expect(tree("return \(text)") == "return \(outline)")
  }

  @Test(
    "operators hold as tightly as the manual says",
    arguments: [
      ("a or b and c", "[a or [b and c]]"), ("a and b or c", "[a and b or c]"),
      ("a < b == c", "[a < b == c]"), ("a == b | c", "[a == [b | c]]"), ("a | b ~ c", "[a | [b ~ c]]"),
      ("a ~ b & c", "[a ~ [b & c]]"), ("a & b << c", "[a & [b << c]]"), ("a << b .. c", "[a << [b .. c]]"),
      ("a .. b .. c", "[a .. [b .. c]]"), ("a .. b + c", "[a .. [b + c]]"), ("a + b * c", "[a + [b * c]]"),
      ("a * -b", "[a * [- b]]"), ("-a ^ b", "[- [a ^ b]]"), ("a ^ b ^ c", "[a ^ [b ^ c]]"),
      ("a ^ -b", "[a ^ [- b]]"), ("not a == b", "[[not a] == b]"), ("a - b - c", "[a - b - c]"),
      ("2 ^ 3 * 4", "[2 ^ 3 * 4]"),
    ])
  func priorities(text: String, outline: String) {
    #expect(tree("return \(text)") == "return \(outline)")
  }

  @Test("ranges cover exactly their text")
  func ranges() throws {
    let source = SourceText(name: "a", text: "local x = f(1,\n  { a = 2 }) -- c\nreturn x.y + 3")
    let statements = ParsedFile(parsing: source).chunk.block.statements
    #expect(statements.map { source[$0.range] } == ["local x = f(1,\n  { a = 2 })", "return x.y + 3"])
    guard case .local(let locals, let values) = statements[0].kind,
      case .suffixed(let function, let suffixes) = values[0].kind,
      case .call(let arguments) = suffixes[0].kind,
      case .table(let table) = arguments[1].kind, case .return(let returned) = statements[1].kind,
      case .binary(let first, let operations) = returned[0].kind
    else { throw Unexpected() }
    #expect(source[locals[0].name.range] == "x")
    #expect(source[function.range] == "f")
    #expect(source[suffixes[0].range] == "(1,\n  { a = 2 })")
    #expect(source[table.fields[0].range] == "a = 2")
    #expect(source[first.range] == "x.y")
    #expect(source[operations[0].operatorRange] == "+")
    #expect(source[operations[0].operand.range] == "3")
    #expect(arguments[1].range.start == Position(offset: 17, line: 2, column: 3))
  }

  private struct Unexpected: Error {}

  @Test(
    "nesting to the stock compiler's depth is accepted, deeper is refused without harm",
    arguments: [
      ("do ", "end ", ""), ("x = " + "(", ")", "1"), ("x = " + "{", "}", ""), ("x = " + "f(", ")", ""),
      ("x = " + "- ", "", "1"), ("x = " + "a .. ", "", "a"), ("x = " + "a[", "]", "1"),
      ("if a then ", "end ", ""),
      ("x = " + "function() return ", " end", "1"), ("function f() ", " end ", ""),
    ])
  func depth(opener: String, closer: String, core: String) {
    let isExpression = opener.hasPrefix("x = ")
    let unit = isExpression ? String(opener.dropFirst(4)) : opener
    func findings(_ count: Int) -> [String] {
      let nested = String(repeating: unit, count: count) + core + String(repeating: closer, count: count)
      return ParsedFile(parsing: SourceText(name: "a", text: (isExpression ? "x = " : "") + nested))
        .diagnostics
        .map(\.code.rawValue)
    }
    // A function that returns a function takes two levels: a statement and an expression.
    #expect(findings(opener.contains("return") ? 97 : 195) == [])
    for count in [250, 10_000] { #expect(findings(count) == ["P007"]) }
  }

  @Test("long chains nest nothing")
  func chains() {
    let sum = "return 1" + String(repeating: " + 1", count: 50_000)
    let calls = "f" + String(repeating: "()", count: 50_000)
    let elseifs = "if a then " + String(repeating: "elseif b then ", count: 50_000) + "end"
    for text in [sum, calls, elseifs] {
      #expect(ParsedFile(parsing: SourceText(name: "a", text: text)).diagnostics.map(\.description) == [])
    }
  }

  @Test("token soup is never too much", arguments: 0..<8)
  func soup(seed: Int) {
    var random = SplitMix64(seed: UInt64(seed))
    let words =
      Symbol.allCases.map(\.rawValue) + ["x", "1", "'s'", "\n", "--[[", "[[", "\"", "\\", "é", "$", "0x"]
    for _ in 0..<50 {
      let text = (0..<Int.random(in: 0...400, using: &random)).map { _ in words.randomElement(using: &random)!
      }
      let source = SourceText(name: "a", text: text.joined(separator: " "))
      let file = ParsedFile(parsing: source)
      // Each finding can be shown, and none is said twice.
      #expect(Set(file.diagnostics.map(\.range.start)).count == file.diagnostics.count)
      for finding in file.diagnostics { #expect(finding.rendered(from: source).contains(finding.message)) }
    }
  }

  @Test("random bytes are never too much", arguments: 0..<4)
  func bytes(seed: Int) {
    var random = SplitMix64(seed: UInt64(seed))
    for _ in 0..<200 {
      let bytes = (0..<Int.random(in: 0...200, using: &random)).map { _ in
        UInt8.random(in: 0...255, using: &random)
      }
      _ = ParsedFile(parsing: SourceText(name: "a", bytes: bytes))
    }
  }
}
