// SPDX-License-Identifier: Apache-2.0

/// What keeps a file from being compiled.
enum SyntaxExplanations {
  static let all: [Explanation] = [
    syntax(
      "P001", "unexpected text", "Something else was expected here.", "return { a = }\n", "return { a = 1 }\n"
    ),
    syntax(
      "P002", "block or bracket that is never closed",
      "The message says which one; the hint, where an `end` seems to be missing.",
      "return { a = 1\n", "return { a = 1 }\n"),
    syntax(
      "P003", "string or comment that is never closed",
      "A quoted string ends on its line; `[[` and `]]` hold several lines.",
      "return \"a\n", "return \"a\"\n"),
    syntax(
      "P004", "malformed number", "Digits and letters stand together and are no number.", "return 3x\n",
      "return 3\n"),
    syntax(
      "P005", "invalid escape",
      "A backslash in a string begins an escape; one that is meant is written `\\\\`.", "return \"\\d\"\n",
      "return \"\\\\d\"\n"),
    syntax(
      "P006", "character that Lua has no use for", "`!=` is written `~=`, which `--fix` does.",
      "return 1 != 2\n", "return 1 ~= 2\n"),
    syntax(
      "P007", "nested too deeply", "The compiler takes about 200 levels.",
      "return " + String(repeating: "(", count: 220) + "1" + String(repeating: ")", count: 220) + "\n",
      "return 1\n"),
    syntax(
      "P008", "break outside of a loop", "There is nothing to leave.", "break\n", "while true do break end\n"),
    syntax(
      "P009", "goto that leads nowhere", "Its label is not in sight, or behind a local that it would skip.",
      "goto done\n", "goto done\n::done::\n"),
    syntax(
      "P010", "label that stands twice", "A label's name is unique where it can be seen.",
      "goto a\n::a::\n::a::\n", "goto a\n::a::\n"),
    syntax(
      "P011", "... outside of a function that takes it", "Add `...` to the parameters.",
      "return function() return ... end\n", "return function(...) return ... end\n"),
    syntax(
      "P012", "assignment to a constant", "It was declared `<const>` or `<close>`.",
      "local a <const> = 1\na = 2\nreturn a\n", "local a = 1\na = 2\nreturn a\n"),
    syntax(
      "P013", "unknown attribute", "There are `<const>` and `<close>`, one `<close>` in a statement.",
      "local a <constant> = 1\nreturn a\n", "local a <const> = 1\nreturn a\n"),
    syntax(
      "P014", "too many locals",
      "A function has at most 200 locals and uses at most 255 outer ones: keep them in a table.",
      (1...201).map { "local _a\($0)\n" }.joined() + "return {}\n", "local _a = {}\nreturn {}\n"),
  ]

  private static func syntax(
    _ code: String, _ title: String, _ reason: String, _ wrong: String, _ right: String
  ) -> Explanation {
    Explanation(code, .error, title, reason, wrong: wrong, right: right, isIgnorable: false)
  }
}
