// SPDX-License-Identifier: Apache-2.0

/// Calls with more or fewer arguments than the function takes.
enum ArgumentCounts: FileRule {
  static let count = Explanation(
    "P151", .error, "wrong number of arguments",
    "Host calls and library functions raise when one is missing; what is too many is thrown away, which is a warning. Of a local function an argument counts as missing when the first thing that is done with its parameter raises for nil.",
    wrong: "return { left = function(s) return string.rep(s) end }\n",
    right: "return { left = function(s) return string.rep(s, 2) end }\n")
  static let explanations = [count]

  static func check(_ file: LintedFile, _ findings: inout Findings) {
    for member in file.model.members {
      guard let arguments = member.arguments else { continue }
      if member.variable == nil {
        guard !file.model.changesEnvironment, let function = file.api.functions[member.path] else { continue }
        check(function, arguments, extra: 0, at: member.range, &findings)
      } else {
        checkLocal(member, arguments, in: file.model, &findings)
      }
    }
    for call in file.model.stringMethods {
      guard let function = file.api.functions["string.\(call.name.text)"] else { continue }
      check(function, call.arguments, extra: 1, at: call.range, &findings)
    }
  }

  private static func check(
    _ function: HostAPI.Function, _ arguments: [Expression], extra: Int, at range: SourceRange,
    _ findings: inout Findings
  ) {
    let isOpen = arguments.last?.isOpen == true
    let given = arguments.count + extra
    if !isOpen, given < function.argumentsMin {
      let missing = function.parameters[given...].prefix { !$0.isOptional }.map { "'\($0.name)'" }
      findings.add(
        count, at: range, "'\(function.path)' needs \(missing.joined(separator: ", "))", hint: function.usage)
    } else if !function.isVariadic, given - (isOpen ? 1 : 0) > function.parameters.count {
      let first = arguments[max(0, function.parameters.count - extra)]
      findings.add(
        count, at: first.range.extended(to: arguments[arguments.count - 1].range),
        "'\(function.path)' takes \(function.parameters.count) argument\(function.parameters.count == 1 ? "" : "s"), not \(given)",
        hint: function.usage, severity: .warning)
    }
  }

  private static func checkLocal(
    _ member: FileModel.Member, _ arguments: [Expression], in model: FileModel, _ findings: inout Findings
  ) {
    guard member.fields.isEmpty, let variable = member.variable,
      let index = model.function(ofVariable: variable)
    else { return }
    let function = model.functions[index]
    let names = function.body.parameters.map(\.text)
    let usage =
      "it is: \(member.root.text)(\((names + (function.body.isVararg ? ["..."] : [])).joined(separator: ", ")))"
    let isOpen = arguments.last?.isOpen == true
    if !function.body.isVararg, arguments.count - (isOpen ? 1 : 0) > names.count {
      let first = arguments[names.count]
      findings.add(
        count, at: first.range.extended(to: arguments[arguments.count - 1].range),
        "'\(member.root.text)' takes \(names.count) argument\(names.count == 1 ? "" : "s"), not \(arguments.count)",
        hint: usage, severity: .warning)
    } else if !isOpen, arguments.count < names.count {
      let missing = function.parameters[arguments.count...].filter {
        needsValue(model.variables[$0], in: function.body.block)
      }
      guard !missing.isEmpty else { return }
      let list = missing.map { "'\(model.variables[$0].name.text)'" }.joined(separator: ", ")
      findings.add(
        count, at: member.range, "'\(member.root.text)' needs \(list)", hint: usage, severity: .warning)
    }
  }

  /// Whether a parameter is surely used where nil raises, and nowhere before that in another way.
  private static func needsValue(_ variable: FileModel.Variable, in block: Block) -> Bool {
    // What every call comes to: the statements up to the first that may leave some out.
    let certain = block.statements.prefix { statement in
      switch statement.kind {
      case .local, .assignment, .call, .return: true
      default: false
      }
    }
    guard let start = certain.first?.range.start, let end = certain.last?.range.end,
      let first = variable.uses.min(by: { $0.range.start < $1.range.start })
    else { return false }
    guard first.range.start >= start, first.range.end <= end, !first.isConditional,
      first.function == variable.function
    else { return false }
    switch first.role {
    case .called, .indexed, .operand: return true
    case .argument, .written, .value: return false
    }
  }
}

extension HostAPI.Function {
  /// `it is: http.get(url, opts?)`
  var usage: String {
    let names = parameters.map { $0.isOptional && $0.name != "..." ? "\($0.name)?" : $0.name }
    return "it is: \(path)(\(names.joined(separator: ", ")))"
  }
}
