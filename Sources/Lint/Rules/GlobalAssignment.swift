// SPDX-License-Identifier: Apache-2.0
import Core

/// What cannot be assigned: globals, and what the host gives.
enum GlobalAssignment: FileRule {
  static let global = Explanation(
    "P102", .error, "assignment to a global",
    "Globals are read-only, so that runs cannot see each other's: the assignment raises. Write `local` before its first use.",
    wrong:
      "return { count = function(list)\n  n = 0\n  for _ in pairs(list) do n = n + 1 end\n  return n\nend }\n",
    right:
      "return { count = function(list)\n  local n = 0\n  for _ in pairs(list) do n = n + 1 end\n  return n\nend }\n"
  )
  static let readOnly = Explanation(
    "P106", .error, "change of a module of the host",
    "Modules are shared and read-only: the assignment raises. Keep the function in a local, or in a file of lib/.",
    wrong: "function string.trim(s) return (s:gsub(\"^%s+\", \"\")) end\n",
    right: "local function trim(s) return (s:gsub(\"^%s+\", \"\")) end\nreturn { trim = trim }\n")
  static let explanations = [global, readOnly]

  static func check(_ file: LintedFile, _ findings: inout Findings) {
    let model = file.model
    guard !model.changesEnvironment else { return }
    for global in model.globals where global.use.role == .written {
      // One word may be a slip for a local that is there.
      let locals = model.variables.lazy.filter { $0.name.range.start < global.use.range.start }.map(
        \.name.text)
      let hint =
        file.api.isGlobal(global.name)
        ? "give the local another name"
        : Suggestion.hint(for: global.name, in: Array(locals)) ?? "write 'local' before its first use"
      findings.add(
        self.global, at: global.use.range, "assignment to global '\(global.name)': globals are read-only",
        hint: hint)
    }
    for member in model.members where member.variable == nil {
      guard case .written = member.ending, !member.fields.isEmpty, file.api.modules[member.root.text] != nil
      else {
        continue
      }
      findings.add(
        readOnly, at: member.range, "'\(member.root.text)' is the host's, and read-only",
        hint: "keep it in a local")
    }
  }
}
