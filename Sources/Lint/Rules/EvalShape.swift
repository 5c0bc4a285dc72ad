// SPDX-License-Identifier: Apache-2.0
import Evals
import JSONCodec

/// The shape of evals/*.lua; names in it are held against the workspace by ``KnownNames``.
enum EvalShape: FileRule {
  static let nothing = Explanation(
    "W401", .warning, "eval that expects nothing",
    "No turn says what has to come of it, so the case can only pass. An expectation is one of contains, matches, equals, data, tool_called, not_called, error, judge, cost_usd_max or check.",
    wrong: "return { { name = \"greets\", agent = \"greeter\", turns = { { user = \"hello\" } } } }\n",
    right:
      "return { { name = \"greets\", agent = \"greeter\", turns = { { user = \"hello\", expect = { contains = \"ello\" } } } } }\n",
    path: "evals/greeter.lua", beside: ["agents/greeter.lua": "return { prompt = \"Greet.\" }"])
  static let explanations = [nothing]

  static func check(_ file: LintedFile, _ findings: inout Findings) {
    guard file.kind == .evals, let value = file.value else { return }
    let problems = WorkspaceProblems()
    let list = ProblemList(file: file.path, table: { file.returned }, all: problems)
    guard let cases = value.array, let table = file.returned else {
      if !value.isUnknown, value.object?.isEmpty != true {
        list.add(path: [], .wrongType, "an evals file returns a list of cases, not \(value.describedType)")
      }
      findings.add(problems.diagnostics)
      return
    }
    var names: Set<String> = []
    for (index, value) in cases.enumerated() where !value.isUnknown {
      let path = [String(index + 1)]
      guard let object = value.object else {
        list.add(path: path, .wrongType, "a case is a table, not \(value.describedType)")
        continue
      }
      let reader = DefinitionReader(object, path: path, problems: list, noun: "an eval")
      reader.allow(EvalDefinition.fields)
      for key in ["name", "agent", "turns"] where !reader.isPresent(key) && !reader.isOpen {
        reader.report(nil, .missingField, "an eval needs '\(key)'")
      }
      _ = reader.string("agent")
      if let name = reader.string("name"), !names.insert(name).inserted {
        reader.report("name", .duplicateName, "there is another eval '\(name)' in this file")
      }
      turns(reader, in: file, table, list, &findings)
    }
    findings.add(problems.diagnostics)
  }

  private static func turns(
    _ reader: DefinitionReader, in file: LintedFile, _ table: ReturnedTable, _ list: ProblemList,
    _ findings: inout Findings
  ) {
    guard let turns = reader.value("turns") else { return }
    guard let entries = turns.list, !entries.isEmpty else {
      reader.report("turns", .wrongType, "'turns' is a list of at least one turn")
      return
    }
    var expects = false
    for (index, entry) in entries.enumerated() {
      let path = reader.path + ["turns", String(index + 1)]
      guard !entry.isUnknown, let object = entry.object else {
        expects = true
        if !entry.isUnknown {
          list.add(path: path, .wrongType, "a turn is a table, not \(entry.describedType)")
        }
        continue
      }
      let turn = DefinitionReader(object, path: path, problems: list, noun: "a turn")
      turn.allow(EvalDefinition.turnFields)
      if !turn.isPresent("user"), !turn.isOpen {
        turn.report(nil, .missingField, "a turn needs 'user', the message")
      }
      _ = turn.string("user")
      if turn.isPresent("expect") { expects = true }
      for expect in expectations(turn, list) { check(expect, table, &findings) }
    }
    if !expects {
      findings.add(
        nothing, at: table.position(of: reader.path).range, "no turn of this eval expects anything",
        hint: "add expect = { … } to a turn")
    }
  }

  /// One table, or a list of them.
  private static func expectations(_ turn: DefinitionReader, _ list: ProblemList) -> [DefinitionReader] {
    guard let several = turn.object["expect"]?.list else {
      return turn.table("expect", noun: "an expectation").map { [$0] } ?? []
    }
    return several.enumerated().compactMap { index, value in
      guard let object = value.object, !value.isUnknown else { return nil }
      return DefinitionReader(
        object, path: turn.path + ["expect", String(index + 1)], problems: list, noun: "an expectation")
    }
  }

  private static func check(
    _ expect: DefinitionReader, _ table: ReturnedTable, _ findings: inout Findings
  ) {
    expect.allow(Expectation.names)
    for key in ["contains", "matches", "equals", "not_called", "error", "judge"] { _ = expect.string(key) }
    _ = expect.number("cost_usd_max", in: 0...1_000_000)
    if expect.isPresent("check") { _ = expect.function("check") }
    if let text = expect.value("matches")?.string, let fault = LuaPattern.fault(in: text) {
      findings.add(
        Patterns.malformed, at: table.position(of: expect.path + ["matches"], .value).range,
        "this pattern is malformed: \(fault)")
    }
    guard expect.value("tool_called")?.string == nil,
      let called = expect.table("tool_called", noun: "tool_called")
    else { return }
    called.allow(["name", "arguments"])
    if !called.isPresent("name"), !called.isOpen {
      called.report(nil, .missingField, "'tool_called' needs 'name'")
    }
  }
}
