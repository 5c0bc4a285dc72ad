import Core
// SPDX-License-Identifier: Apache-2.0
import Lint
import Testing

@Suite struct DiagnosticTests {
  @Test("a finding is shown with its line, a caret and a hint")
  func rendering() throws {
    let source = SourceText(name: "agents/todo.lua", text: "local a = 1\n\tlocal é, b = 'é', locla x\n")
    let finding = try #require(ParsedFile(parsing: source).diagnostics.first)
    #expect(
      finding.rendered(from: source)
        == "agents/todo.lua:2:8: error: unexpected 'é' [P006]\n"
        + "    \tlocal é, b = 'é', locla x\n    \t      ^\n"
        + "    hint: names are made of the letters a to z, digits and underscores")
  }

  @Test("a finding over several lines is underlined to the end of the first")
  func severalLines() {
    let source = SourceText(name: "a", text: "x = [[ab\ncd")
    #expect(
      ParsedFile(parsing: source).diagnostics.map { $0.rendered(from: source) } == [
        "a:1:5: error: this long string is never closed [P003]\n    x = [[ab\n        ^~~~\n    hint: close it with ]]"
      ])
  }

  @Test("a very long line is cut around the place")
  func longLine() throws {
    let source = SourceText(name: "a", text: "x = '" + String(repeating: "a", count: 5000) + "' = 2")
    let text = try #require(ParsedFile(parsing: source).diagnostics.first).rendered(from: source)
    #expect(text.utf8.count < 400)
    let lines = text.split(separator: "\n")
    #expect(lines[1].count >= lines[2].count)
    #expect(Array(lines[1])[lines[2].count - 1] == "=")
  }

  @Test("JSON has the documented shape")
  func json() {
    let findings = ParsedFile(parsing: SourceText(name: "a\"b.lua", text: "x = )")).diagnostics
    #expect(
      Diagnostic.json(findings, files: 3)
        == #"{"findings":[{"file":"a\"b.lua","line":1,"column":5,"end_line":1,"end_column":6,"severity":"error","#
        + #""code":"P001","message":"expected a value near ')'","hint":null}],"#
        + #""summary":{"files":3,"errors":1,"warnings":0,"infos":0}}"#)
  }

  @Test(
    "a suggestion is a slip of the finger away",
    arguments: [
      ("descripton", "description"), ("tolos", "tools"), ("tool", "tools"), ("promtp", "prompt"),
      ("xyz", nil),
      ("a", nil), ("Tools", "tools"),
    ])
  func suggestions(word: String, expected: String?) {
    #expect(
      Suggestion.nearest(to: word, in: ["description", "tools", "prompt", "run", "before"]) == expected)
  }
}
