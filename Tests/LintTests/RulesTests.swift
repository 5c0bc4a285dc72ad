// SPDX-License-Identifier: Apache-2.0
import Lint
import Testing

@Suite struct RulesTests {
  private func findings(_ text: String) -> [String] {
    ParsedFile(parsing: SourceText(name: "a", text: text)).diagnostics.map {
      "\($0.line):\($0.column) \($0.code)"
    }
  }

  @Test(
    "what the compiler refuses beyond the grammar is found where it stands",
    arguments: [
      ("break", "1:1 P008"), ("while x do f = function() break end end", "1:27 P008"), ("goto x", "1:6 P009"),
      ("goto a; local x; ::a:: x = 1", "1:6 P009"), ("repeat goto a; local x; ::a:: until x", "1:13 P009"),
      ("do goto a end local x ::a:: x = 1", "1:9 P009"), ("f = function() goto a end ::a::", "1:21 P009"),
      ("::a:: ::a::", "1:9 P010"), ("::a:: do ::a:: end", "1:12 P010"),
      ("function f() return ... end", "1:21 P011"),
      ("f = function(...) return function() f(...) end end", "1:39 P011"),
      ("local a <const> = 1; a = 2", "1:22 P012"), ("local a <const> = {}; a.b, a = 1, 2", "1:28 P012"),
      ("local a <close> = nil; function a() end", "1:33 P012"),
      ("local a <const> = 1; function f() a = 2 end", "1:35 P012"),
      ("local a <cnst> = 1", "1:9 P013"), ("local a <close>, b <close> = 1", "1:18 P013"),
    ])
  func refused(text: String, finding: String) {
    #expect(findings(text) == [finding])
  }

  @Test(
    "what looks like it but is allowed is not refused",
    arguments: [
      "goto a; local x; ::a::", "goto a; local x; ::a:: ; ::b:: ;", "do ::a:: end ::a::",
      "::a:: f = function() ::a:: end",
      "local a <const> = {}; a.b = 1; function a.c() end", "local a <const> = 1; local a = 2; a = 3",
      "return ...",
      "while x do if y then break end end", "::a:: goto a", "for i = 1, 2 do i = 3 end",
      "local x <const>, y = 1; y = 2",
    ])
  func allowed(text: String) {
    #expect(findings(text) == [])
  }

  private func locals(_ count: Int, _ prefix: String = "local a") -> String {
    (1...count).map { "\(prefix)\($0)" }.joined(separator: "\n")
  }

  @Test("a function has at most 200 locals, hidden ones of loops included")
  func localsMax() {
    #expect(findings(locals(200)) == [])
    #expect(findings(locals(202)) == ["201:7 P014"])
    #expect(findings(locals(150) + "\nfor k in f do\n" + locals(45, "local b") + "\nend") == [])
    #expect(findings(locals(150) + "\nfor k in f do\n" + locals(46, "local b") + "\nend") == ["197:7 P014"])
    #expect(findings("do\n" + locals(150) + "\nend do\n" + locals(150, "local b") + "\nend") == [])
  }

  @Test("a function uses at most 255 outer variables; constants are not counted")
  func upvaluesMax() {
    func chunk(_ count: Int, attribute: String = "") -> String {
      let uses = (1...150).map { "a\($0)" } + (1...count).map { "b\($0)" }
      let first = (1...150).map { "local a\($0)\(attribute) = 1" }.joined(separator: "\n")
      return first + "\nlocal function outer()\n" + locals(count, "local b")
        + "\nreturn function() return { \(uses.joined(separator: ", ")) } end\nend"
    }
    #expect(findings(chunk(105)) == [])
    #expect(findings(chunk(106)) == ["258:1342 P014"])
    #expect(findings(chunk(106, attribute: " <const>")) == [])
  }

  @Test("after a syntax error, rules are told only where the tree is certain")
  func afterSyntaxError() {
    #expect(findings("break\nx = =\nbreak") == ["1:1 P008", "2:5 P001"])
    #expect(findings("goto a\nx = =\n::a::") == ["2:5 P001"])
  }
}
