// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import Lint

@Suite struct FixTests {
  private func fixed(_ text: String) -> String {
    let bytes = Fix.apply(lint(["lib/example.lua": text]), to: Array(text.utf8)).bytes
    return String(decoding: bytes, as: UTF8.self)
  }

  @Test(
    "what is mended keeps its meaning",
    arguments: [
      ("local ok, err = pcall(next)\nreturn ok", "local ok, _err = pcall(next)\nreturn ok"),
      ("return function(a, b) return a end", "return function(a, _b) return a end"),
      ("for i = 1, 2 do\n  log.info(i)\n  ::next::\nend", "for i = 1, 2 do\n  log.info(i)\nend"),
      ("do ::x:: end return 1", "do  end return 1"), ("return 1 != 2", "return 1 ~= 2"),
      ("-- perigee: ignore P111 because x\nreturn 1", "return 1"),
      ("return 1 -- perigee: ignore P111 because x\n", "return 1\n"),
    ])
  func mended(text: String, expected: String) { #expect(fixed(text) == expected) }

  @Test(
    "what might mean something else is left alone",
    arguments: [
      "local a = 1\na = 2\nreturn {}", "local function f() end\nreturn {}", "return { foo() }",
      "return function(t) return t == {} end",
      // Another name would then be hidden.
      "local _a = 1\nreturn function(a) return _a end", "local a = 1\nreturn _a",
    ])
  func left(text: String) { #expect(fixed(text) == text) }

  @Test("a file that was mended has nothing to mend, and is right")
  func again() {
    let text = "local ok, err = pcall(next)\nreturn function(a, b) ::x:: return ok and a end"
    #expect(lint(fixed(text)) == [])
  }
}
