// SPDX-License-Identifier: Apache-2.0
import Lint
import Testing

@Suite struct RecoveryTests {
  private func findings(_ text: String) -> [String] {
    ParsedFile(parsing: SourceText(name: "a.lua", text: text)).diagnostics.map {
      "\($0.line):\($0.column) \($0.message) [\($0.code)]\($0.hint.map { " (\($0))" } ?? "")"
    }
  }

  @Test("all errors of a file are reported, each once")
  func several() {
    let text = """
      local x = = 1
      local y = 2
      foo(1 2)
      if x = 1 then y() end
      while x y() end
      for i = 1 do y(i) end
      return { a = 1 b = 2, c = = 3, d = function() x = end, [1] 4 }
      """
    #expect(
      findings(text) == [
        "1:11 expected a value near '=' [P001] (equality is written ==)",
        "3:7 expected ',' or ')' near '2' [P001]",
        "4:6 expected 'then' near '=' [P001] (equality is written ==)",
        "5:9 expected 'do' near 'y' [P001] ('while' … 'do' … 'end')",
        "6:11 expected ',' near 'do' [P001] (for i = first, last do)",
        "7:16 expected ',' or '}' near 'b' [P001] (fields are separated by commas)",
        "7:27 expected a value near '=' [P001] (equality is written ==)",
        "7:51 expected a value near 'end' [P001]",
        "7:60 expected '=' near '4' [P001]",
      ])
  }

  @Test("a missing end names the block, and where it likely is missing")
  func missingEnd() {
    #expect(
      findings("function f()\n  if x then\n    y()\n  z()\nend\nfunction g()\nend") == [
        "7:4 expected 'end' to close 'function' at line 1 near end of file [P002] (the 'if' at line 2 seems to lack it)"
      ])
    #expect(
      findings("function f()\n  if x then\n  elseif y then\n  else if z then\n  end\nend") == [
        "6:4 expected 'end' to close 'function' at line 1 near end of file [P002]"
          + " ('else if' at line 4 needs an 'end' of its own: did you mean 'elseif'?)"
      ])
  }

  @Test("a function in a table that lacks its end costs one error")
  func missingEndInTable() {
    #expect(
      findings("return {\n  f = function()\n    if x then\n      y()\n  end,\n  g = function()\n  end,\n}")
        == [
          "5:6 expected 'end' to close 'function' at line 2 near ',' [P002] (the 'if' at line 3 seems to lack it)"
        ])
  }

  @Test("an end too many is one error, and the rest is still checked")
  func extraEnd() {
    #expect(
      findings("if a then end end\nx = )") == [
        "1:15 unexpected 'end': no block is open [P001] (take it away, or find its beginning)",
        "2:5 expected a value near ')' [P001]",
      ])
  }

  @Test(
    "an unclosed bracket names its beginning",
    arguments: [
      ("t = {\n a = 1,\nlocal x = 2", "3:1 expected '}' to close '{' at line 1 near 'local' [P002]"),
      ("f(1,\n 2\nlocal x", "3:1 expected ')' to close '(' at line 1 near 'local' [P002]"),
      ("x = (1 + 2\ny = 3", "2:1 expected ')' to close '(' at line 1 near 'y' [P002]"),
      ("x = t[1\ny = 3", "2:1 expected ']' to close '[' at line 1 near 'y' [P002]"),
    ])
  func unclosed(text: String, finding: String) {
    #expect(findings(text) == [finding])
  }

  @Test(
    "habits of other languages get a hint",
    arguments: [
      ("x += 1", "write x = x + …"), ("x != 1", "not equal is written ~="),
      ("locla z = 3", "did you mean 'local'?"),
      ("var q = 2", "did you mean 'local'?"), ("if a && b then end", "'and' joins conditions"),
      ("if a || b then end", "'or' joins conditions"), ("t = { a: 1 }", "a field is written name = value"),
      ("t = { 'a' = 1 }", "a key is written [\"a\"] = …"), ("t = { end = 1 }", "write [\"end\"] = …"),
      ("local end = 1", "'end' is a word of the language"), ("s = “a”", "texts stand between \" or '"),
      ("return 1 f()", "write 'do return end' to leave earlier"),
      ("x == 1", "an assignment is written with one ="),
    ])
  func hints(text: String, hint: String) {
    let file = ParsedFile(parsing: SourceText(name: "a", text: text))
    #expect(file.diagnostics.first?.hint == hint)
  }

  @Test("functions inside a broken call are checked themselves")
  func insideBrokenCall() {
    #expect(
      findings("foo(1 2, function() x = ) end)\ny = ]") == [
        "1:7 expected ',' or ')' near '2' [P001]", "1:25 expected a value near ')' [P001]",
        "2:5 expected a value near ']' [P001]",
      ])
  }

  @Test("the tree keeps what could be understood")
  func partialTree() {
    let file = ParsedFile(
      parsing: SourceText(name: "a", text: "return { a = 1, b = = 2, c = function() end }"))
    #expect(ReturnedTable(file.chunk)?.keys() == ["a", "c"])
  }
}
