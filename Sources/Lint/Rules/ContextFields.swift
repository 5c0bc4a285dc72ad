// SPDX-License-Identifier: Apache-2.0
import Core

/// Fields that `ctx`, and what host calls return, do not have.
enum ContextFields: FileRule {
  static let unknown = Explanation(
    "P155", .error, "no such field",
    "What stands there is nil. Checked are `ctx` and what host calls return, as the stubs in types/ describe them.",
    wrong: "return { prompt = function(ctx) return \"You help \" .. ctx.usr.name end }\n",
    right: "return { prompt = function(ctx) return \"You help \" .. ctx.user.name end }\n",
    path: "agents/helper.lua")
  static let readOnly = Explanation(
    "P156", .error, "change of ctx",
    "Everything in `ctx` is read-only but `ctx.session.state`: the assignment raises.",
    wrong: "return { run = function(ctx)\n  ctx.user.name = \"Ada\"\n  return \"Hello\"\nend }\n",
    right: "return { run = function(ctx)\n  ctx.session.state.name = \"Ada\"\n  return \"Hello\"\nend }\n",
    path: "agents/helper.lua")
  static let explanations = [unknown, readOnly]

  static func check(_ file: LintedFile, _ findings: inout Findings) {
    for suffixed in file.model.suffixed {
      if suffixed.isWritten, isContext(suffixed.first, in: file) {
        written(suffixed, &findings)
        continue
      }
      file.typing.walk(suffixed.first, suffixed.suffixes) { step in
        guard case .absent(let owner, let fields) = step.field else { return }
        let what = nouns[owner] ?? "this value"
        let hint =
          owner == "perigee.Context" && step.name.text == "call"
          ? "only tools have it" : Suggestion.hint(for: step.name.text, in: fields)
        findings.add(
          unknown, at: step.name.range, "\(what) has no field '\(step.name.text)'",
          hint: hint ?? "it has: \(fields.joined(separator: ", "))")
      }
    }
  }

  private static let nouns = [
    "perigee.Context": "ctx", "perigee.ToolContext": "ctx", "perigee.User": "ctx.user",
    "perigee.Session": "ctx.session",
    "perigee.Run": "ctx.run", "perigee.Call": "ctx.call", "perigee.HttpResponse": "the response",
  ]

  private static func isContext(_ root: Expression, in file: LintedFile) -> Bool {
    guard case .named(let name)? = file.typing.type(of: root) else { return false }
    return name == "perigee.Context" || name == "perigee.ToolContext"
  }

  private static func written(_ suffixed: FileModel.Suffixed, _ findings: inout Findings) {
    let path = suffixed.suffixes.prefix(2).map { suffix in
      if case .field(let name) = suffix.kind { name.text } else { "" }
    }
    // What is behind a call is not ctx any more.
    guard path != ["session", "state"], !suffixed.suffixes.contains(where: \.isCall) else { return }
    let last = suffixed.suffixes[suffixed.suffixes.count - 1]
    findings.add(
      readOnly, at: suffixed.first.range.extended(to: last.range), "ctx is read-only",
      hint: "what must last goes into ctx.session.state")
  }
}
