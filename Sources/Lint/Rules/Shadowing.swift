// SPDX-License-Identifier: Apache-2.0

/// Variables that hide another of the same name.
enum Shadowing: FileRule {
  static let shadowed = Explanation(
    "P121", .warning, "a local hides another",
    "From here on the outer variable cannot be reached, and whoever reads the code may take one for the other. `local x = x` is excused, and so are names that begin with `_`.",
    wrong:
      "local limit = 10\nreturn { cut = function(list)\n  for i, limit in ipairs(list) do\n    if i > 3 then return limit end\n  end\n  return limit\nend }\n",
    right:
      "local limit = 10\nreturn { cut = function(list)\n  for i, item in ipairs(list) do\n    if i > 3 then return item end\n  end\n  return limit\nend }\n"
  )
  static let explanations = [shadowed]

  static func check(_ file: LintedFile, _ findings: inout Findings) {
    let model = file.model
    for variable in model.variables where !variable.isExcused {
      guard let hidden = variable.hidden.map({ model.variables[$0] }), !hidden.isExcused else { continue }
      // `local x = x` keeps its meaning; so does a second `local ok, err = …` after the first is done with.
      if let value = variable.value, names(hidden.name.text, value) { continue }
      if hidden.function == variable.function, hidden.kind == .local, variable.kind == .local,
        !hidden.uses.contains(where: { $0.range.start > variable.name.range.start })
      {
        continue
      }
      // A parameter of a function that stands beside the variable, not in its way: the hidden one is a function's own
      // helper of the same name only when it is used inside.
      findings.add(
        shadowed, at: variable.name.range,
        "'\(variable.name.text)' hides the \(noun(hidden)) of line \(hidden.name.range.start.line)",
        hint: "give one of them another name")
    }
  }

  private static func names(_ name: String, _ value: Expression) -> Bool {
    switch value.core.kind {
    case .name(let other): other == name
    case .binary(let first, _): names(name, first)
    default: false
    }
  }

  private static func noun(_ variable: FileModel.Variable) -> String {
    switch variable.kind {
    case .parameter: "parameter"
    case .function: "function"
    case .loop: "loop variable"
    case .local, .implicit: "local"
    }
  }
}
