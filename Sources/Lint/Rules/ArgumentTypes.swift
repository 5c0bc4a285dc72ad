// SPDX-License-Identifier: Apache-2.0
import Core

/// Arguments of host calls that are of another type, and options that they do not have.
enum ArgumentTypes: FileRule {
  static let type = Explanation(
    "P152", .error, "argument of the wrong type", "The host refuses it: the call raises `invalid_arguments`.",
    wrong: "return { wait = function() time.sleep({ seconds = 2 }) end }\n",
    right: "return { wait = function() time.sleep(2) end }\n")
  static let option = Explanation(
    "P153", .error, "unknown or missing option",
    "The host refuses options that it does not know, and needs those that are not optional.",
    wrong: "return { keep = function(v) kv.set(\"last\", v, { tll = 60 }) end }\n",
    right: "return { keep = function(v) kv.set(\"last\", v, { ttl = 60 }) end }\n")
  static let explanations = [type, option]

  static func check(_ file: LintedFile, _ findings: inout Findings) {
    guard !file.model.changesEnvironment else { return }
    for member in file.model.members where member.variable == nil {
      guard let arguments = member.arguments, let function = file.api.functions[member.path] else { continue }
      for (index, (argument, parameter)) in zip(arguments, function.parameters).enumerated() {
        if parameter.name == "..." { break }
        // The last one may be no value, or several.
        if index == arguments.count - 1, argument.isOpen { continue }
        let isOptional = parameter.isOptional
        let expected = file.api.resolved(parameter.type)
        check(
          argument, isOptional ? .union(expected.members + [.nil]) : expected,
          "'\(parameter.name)' of '\(function.path)'", in: file, &findings)
      }
    }
  }

  private static func check(
    _ value: Expression, _ expected: LuaType, _ what: String, in file: LintedFile, _ findings: inout Findings
  ) {
    let expected = file.api.resolved(expected)
    let kinds = expected.members.map(\.basic)
    guard !kinds.contains(nil) else { return }
    if case .table(let table) = value.core.kind {
      if kinds.contains(.table) { return fields(of: table, at: value.range, expected, in: file, &findings) }
    }
    guard let actual = file.typing.type(of: value)?.basic else { return }
    let converts: Set<BasicType> = [.number, .string]
    let isCallable = kinds.contains(.function) && actual == .table
    if !kinds.contains(actual), !isCallable,
      !(converts.contains(actual) && kinds.contains { $0.map(converts.contains) ?? false })
    {
      let names = kinds.compactMap { $0 == .nil ? nil : $0?.rawValue }
      findings.add(
        type, at: value.range,
        "\(what) is a \(Array(Set(names)).sorted().joined(separator: " or a ")), not a \(actual.rawValue)")
    } else if let text = value.text {
      choice(text, at: value.range, expected, what, &findings)
    }
  }

  /// A string that has to be one of some.
  private static func choice(
    _ text: String, at range: SourceRange, _ expected: LuaType, _ what: String, _ findings: inout Findings
  ) {
    let choices = expected.members.compactMap { if case .literal(let choice) = $0 { choice } else { nil } }
    let strings = expected.members.filter { $0.basic == .string }
    guard !choices.isEmpty, choices.count == strings.count, !choices.contains(text) else { return }
    findings.add(
      type, at: range, "\(what) is one of \(choices.map { "\"\($0)\"" }.joined(separator: ", "))",
      hint: Suggestion.hint(for: text, in: choices))
  }

  private static func fields(
    of table: Expression.Table, at range: SourceRange, _ expected: LuaType, in file: LintedFile,
    _ findings: inout Findings
  ) {
    let tables = expected.members.filter { $0.basic == .table }
    guard tables.count == 1 else { return }
    if case .list(let element) = tables[0] {
      for field in table.fields where field.keyRange == nil && !field.value.isOpen {
        check(field.value, element, "an element", in: file, &findings)
      }
      return
    }
    guard case .named(let name) = tables[0], let declared = file.api.classes[name], declared.isExact else {
      return
    }
    let known = file.api.fields(of: declared)
    for field in table.fields {
      guard let key = field.keyText, let place = field.keyRange else { continue }
      guard let match = known.first(where: { $0.name == key }) else {
        findings.add(
          option, at: place, "there is no option '\(key)' here",
          hint: Suggestion.hint(for: key, in: known.map(\.name))
            ?? "the options are: \(known.map(\.name).joined(separator: ", "))")
        continue
      }
      check(
        field.value, .union(match.type.members + (match.isOptional ? [.nil] : [])), "'\(key)'", in: file,
        &findings)
    }
    guard table.fields.allSatisfy({ $0.keyText != nil }) else { return }
    let missing = known.filter { field in
      !field.isOptional && !table.fields.contains { $0.keyText == field.name }
    }
    guard !missing.isEmpty else { return }
    findings.add(
      option, at: range,
      "\(missing.map { "'\($0.name)'" }.joined(separator: " and ")) \(missing.count == 1 ? "is" : "are") missing here"
    )
  }
}
