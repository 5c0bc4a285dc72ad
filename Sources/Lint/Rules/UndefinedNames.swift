// SPDX-License-Identifier: Apache-2.0
import Core

/// Names that stand for nothing, and members that their module does not have.
enum UndefinedNames: FileRule {
  static let undefined = Explanation(
    "P101", .error, "undefined name",
    "Nothing of that name can be seen here: it is nil. Globals cannot be set, so nobody else sets it either.",
    wrong: "local total = 1\nreturn { total = total, twice = totl * 2 }\n",
    right: "local total = 1\nreturn { total = total, twice = total * 2 }\n")
  static let missing = Explanation(
    "P103", .error, "not in the sandbox",
    "Scripts have no files, processes, bytecode or debugger. The hint says what does the same here. What only some builds of Lua 5.4 have is a warning.",
    wrong: "return { now = function() return os.getenv(\"TZ\") end }\n",
    right: "return { now = function(ctx) return ctx.env.TZ end }\n")
  static let member = Explanation(
    "P104", .error, "no such function or field of a module",
    "The module is there and has no member of that name.",
    wrong: "return { clean = function(s) return string.trim(s) end }\n",
    right: "return { clean = function(s) return s:match(\"^%s*(.-)%s*$\") end }\n")
  static let planned = Explanation(
    "P105", .error, "host call that is not available yet",
    "It belongs to Perigee's contract, and this version does not have it: the call fails.",
    wrong: "return { keep = function(text) memory.add({ text = text }) end }\n",
    right: "return { keep = function(text) return tools.call(\"send\", { text = text }) end }\n",
    beside: [
      "tools/mail.lua": "return { send = { description = \"Sends.\", run = function() end } }",
      "agents/user.lua": "return { prompt = \"p\", tools = { \"send\" } }",
    ])
  static let explanations = [undefined, missing, member, planned]

  static func check(_ file: LintedFile, _ findings: inout Findings) {
    let model = file.model
    guard !model.changesEnvironment else { return }
    let assigned = Set(model.globals.lazy.filter { $0.use.role == .written }.map(\.name))
    for global in model.globals where global.use.role != .written && !assigned.contains(global.name) {
      let name = global.name
      guard !file.api.isGlobal(name), !StandardLibrary.values.contains(name) else { continue }
      // Told with its members, below.
      if global.use.role == .indexed { continue }
      report(name, at: global.use.range, in: file, &findings)
    }
    for member in model.members where member.variable == nil && !member.fields.isEmpty {
      check(member, assigned, in: file, &findings)
    }
    let indexed = model.suffixed.filter { suffixed in
      guard case .name = suffixed.first.kind, model.variable(suffixed.first) == nil else { return false }
      if case .field? = suffixed.suffixes.first?.kind { return false }
      return suffixed.suffixes.first?.isCall == false
    }
    for suffixed in indexed {
      guard case .name(let name) = suffixed.first.kind, !assigned.contains(name), !file.api.isGlobal(name),
        !StandardLibrary.values.contains(name)
      else { continue }
      report(name, at: suffixed.first.range, in: file, &findings)
    }
    for call in model.stringMethods { check(call, in: file, &findings) }
  }

  private static func report(
    _ name: String, at range: SourceRange, in file: LintedFile, _ findings: inout Findings
  ) {
    if let instead = MissingNames.instead[name] {
      findings.add(missing, at: range, "'\(name)' does not exist in a script", hint: instead)
    } else if MissingNames.plannedModules.contains(name) {
      findings.add(
        planned, at: range, "'\(name)' is not available yet", hint: "it comes with a later version")
    } else {
      let model = file.model
      let locals = model.variables.lazy.filter { $0.name.range.start < range.start }.map(\.name.text)
      findings.add(
        undefined, at: range, "'\(name)' is not defined",
        hint: Suggestion.hint(for: name, in: Array(locals) + file.api.globalNames))
    }
  }

  private static func check(
    _ member: FileModel.Member, _ assigned: Set<String>, in file: LintedFile, _ findings: inout Findings
  ) {
    let root = member.root.text
    guard !assigned.contains(root), !StandardLibrary.values.contains(root) else { return }
    let field = member.fields[0]
    let path = "\(root).\(field.text)"
    guard let members = file.api.modules[root] else {
      if file.api.isGlobal(root) { return }
      let range = member.root.range.extended(to: field.range)
      if let instead = MissingNames.instead[path] ?? MissingNames.instead[root] {
        findings.add(missing, at: range, "'\(path)' does not exist in a script", hint: instead)
      } else {
        report(root, at: member.root.range, in: file, &findings)
      }
      return
    }
    if case .written = member.ending, member.fields.count == 1 { return }
    guard members[field.text] == nil else { return }
    let range = member.root.range.extended(to: field.range)
    if let instead = MissingNames.instead[path] {
      let isKept = MissingNames.kept.contains(path)
      findings.add(
        missing, at: range, "'\(path)' does not exist in \(isKept ? "every Lua 5.4" : "a script")",
        hint: instead,
        severity: isKept ? .warning : nil)
    } else if MissingNames.planned.contains(path) {
      findings.add(
        planned, at: range, "'\(path)' is not available yet", hint: "it comes with a later version")
    } else {
      findings.add(
        self.member, at: field.range, "'\(root)' has no '\(field.text)'",
        hint: Suggestion.hint(for: field.text, in: members.keys.sorted())
          ?? "it has: \(members.keys.sorted().joined(separator: ", "))")
    }
  }

  private static func check(
    _ call: FileModel.StringMethod, in file: LintedFile, _ findings: inout Findings
  ) {
    guard let members = file.api.modules["string"], members[call.name.text] == nil else { return }
    findings.add(
      member, at: call.name.range, "a string has no method '\(call.name.text)'",
      hint: MissingNames.instead["string.\(call.name.text)"]
        ?? Suggestion.hint(for: call.name.text, in: members.keys.sorted()))
  }
}
