// SPDX-License-Identifier: Apache-2.0

/// Variables, parameters and labels that nobody uses.
enum UnusedNames: FileRule {
  static let local = Explanation(
    "P111", .warning, "unused local",
    "It is never read: a leftover, or a slip where it should be used. A name that begins with `_` is meant to be unused; `--fix` renames it so.",
    wrong:
      "local function rate()\n  local ok, value = pcall(error, \"x\")\n  return ok\nend\nreturn { rate = rate }\n",
    right:
      "local function rate()\n  local ok, _value = pcall(error, \"x\")\n  return ok\nend\nreturn { rate = rate }\n"
  )
  static let parameter = Explanation(
    "P112", .warning, "unused parameter",
    "No parameter from here on is used. Functions that the contract calls are excused: their parameters are given.",
    wrong: "return { double = function(n, unit) return 2 * n end }\n",
    right: "return { double = function(n, _unit) return 2 * n end }\n")
  static let label = Explanation(
    "P113", .warning, "unused label", "No goto leads to it. `--fix` takes it away.",
    wrong: "local n = 0\nfor i = 1, 3 do\n  n = n + i\n  ::continue::\nend\nreturn n\n",
    right:
      "local n = 0\nfor i = 1, 3 do\n  if i == 2 then goto continue end\n  n = n + i\n  ::continue::\nend\nreturn n\n"
  )
  static let explanations = [local, parameter, label]

  static func check(_ file: LintedFile, _ findings: inout Findings) {
    let model = file.model
    let given = Set(file.contract.flatMap { model.functions[$0.function].parameters })
    for (index, variable) in model.variables.enumerated() where variable.reads == 0 && !variable.isExcused {
      switch variable.kind {
      case .local where variable.attribute != .close, .function:
        let what = variable.kind == .function ? "function" : "variable"
        let never = variable.isReassigned ? "assigned and never read" : "never used"
        findings.add(
          local, at: variable.name.range, "the local \(what) '\(variable.name.text)' is \(never)",
          hint: variable.isReassigned ? nil : "take it away, or call it _\(variable.name.text)",
          fix: rename(variable, in: model))
      case .parameter where !given.contains(index) && isTrailing(index, in: model):
        findings.add(
          parameter, at: variable.name.range, "the parameter '\(variable.name.text)' is never used",
          hint: "take it away, or call it _\(variable.name.text)", fix: rename(variable, in: model))
      default: break
      }
    }
    for unused in model.labels where !unused.isUsed {
      findings.add(
        label, at: unused.range, "no goto leads to the label '\(unused.name.text)'",
        fix: .removing(unused.range, from: file.source, "take the label away"))
    }
  }

  /// Whether no parameter behind it is used either: those before a used one have to be there.
  private static func isTrailing(_ index: Int, in model: FileModel) -> Bool {
    guard
      let function = model.functions.last(where: { $0.parameters.contains(index) }),
      let position = function.parameters.firstIndex(of: index)
    else { return false }
    return function.parameters[position...].allSatisfy { model.variables[$0].reads == 0 }
  }

  /// A name with `_`, where nothing else has it.
  private static func rename(_ variable: FileModel.Variable, in model: FileModel) -> Fix? {
    let name = "_" + variable.name.text
    guard variable.kind != .function, !variable.isReassigned,
      !model.variables.contains(where: { $0.name.text == name }),
      !model.globals.contains(where: { $0.name == name })
    else { return nil }
    return Fix("rename to \(name)", [Fix.Edit(range: variable.name.range, replacement: name)])
  }
}
