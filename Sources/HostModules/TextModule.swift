// SPDX-License-Identifier: Apache-2.0
import Guardrails
import LuaHost

extension HostModule {
  /// `text`: what prompts and answers need.
  static let text = HostModule(
    "text", "What prompts and answers need.",
    functions: [
      Function(
        "template", "Fills in `{name}`; `{{` stands for a brace. A name without a value raises.",
        [
          Parameter("template", "string", "`Dear {name}`"),
          Parameter("values", "table<string, any>", "by name; numbers and booleans are written as text"),
        ],
        returns: "string", example: #"text.template("You help {name}.", { name = ctx.user.name })"#),
      Function(
        "redact",
        "Puts `[email]`, `[card]`, `[iban]` or `[phone]` in place of what looks like one. A text of more than 128 KB raises `limit`.",
        [Parameter("text", "string", "UTF-8, at most 128 KB")], returns: "string",
        body: .answers(
          { arguments, _ in
            let text = try arguments.string(1)
            guard text.utf8.count <= redactBytesMax else {
              throw HostError(
                code: "limit",
                message: "text.redact takes at most \(redactBytesMax) bytes; redact it in parts")
            }
            return .string(personal.masked(text, style: .label))
          }, named: "text.redact")),
      Function(
        "truncate", "Cuts a text to so many characters, the ending included.",
        [
          Parameter("text", "string", "UTF-8"), Parameter("max", "integer", "characters"),
          Parameter("ending", "string?", "`…` unless said"),
        ],
        returns: "string",
        body: .answers(
          { arguments, _ in
            let text = try arguments.string(1)
            let limit = Int(clamping: try arguments.integer(2))
            let ending = arguments.isAbsent(3) ? "…" : try arguments.string(3)
            guard limit >= 0 else { throw arguments.fault(2, "0 or more expected, got \(limit)") }
            // Bytes bound characters: a short text is never walked.
            if text.utf8.count <= limit || text.count <= limit { return .string(text) }
            return .string(String(text.prefix(max(0, limit - ending.count))) + ending.prefix(limit))
          }, named: "text.truncate")),
    ])

  private static let personal = Inspector(Detector.redacted)
  /// No thread can pause while it looks at a text.
  private static let redactBytesMax = 128 << 10
}
