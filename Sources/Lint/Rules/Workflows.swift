// SPDX-License-Identifier: Apache-2.0
import Core
import JSONCodec

/// The graphs of `steps` and the machines of `states`.
enum Workflows: FileRule {
  static let target = Explanation(
    "W301", .error, "unknown step or state",
    "`needs`, `on` and `initial` name steps or states of the same agent.",
    wrong: sample("title = { run = title }, publish = { run = title, needs = { \"titel\" } }"),
    right: sample("title = { run = title }, publish = { run = title, needs = { \"title\" } }"),
    path: "agents/flow.lua", isIgnorable: false)
  static let cycle = Explanation(
    "W302", .error, "steps that wait for each other",
    "Each needs the next, and the last the first: none can begin.",
    wrong: sample(
      "title = { run = title, needs = { \"price\" } }, price = { run = title, needs = { \"title\" } }"),
    right: sample("title = { run = title }, price = { run = title, needs = { \"title\" } }"),
    path: "agents/flow.lua", isIgnorable: false)
  static let action = Explanation(
    "W303", .error, "step without its one action",
    "A step or state does exactly one thing: agent, tool, run, approval, webhook or sleep.",
    wrong: sample("title = { run = title, sleep = 5 }"),
    right: sample("title = { run = title }, rest = { sleep = 5, needs = { \"title\" } }"),
    path: "agents/flow.lua", isIgnorable: false)
  static let unreachable = Explanation(
    "W304", .warning, "state that nothing leads to",
    "It is neither `initial` nor the target of another state's `on`.",
    wrong: states("start = { run = act }, spare = { run = act }"),
    right: states("start = { run = act, on = { ok = \"spare\" } }, spare = { run = act }"),
    path: "agents/flow.lua")
  static let endless = Explanation(
    "W305", .warning, "state that no end can be reached from",
    "An end is a state without `on` and `next`. From here every way leads back.",
    wrong: states(
      "start = { run = act, on = { ok = \"again\" } }, again = { run = act, on = { ok = \"start\" } }"),
    right: states("start = { run = act, on = { ok = \"done\", error = \"start\" } }, done = { run = act }"),
    path: "agents/flow.lua")
  static let patience = Explanation(
    "W306", .warning, "approval without a time-out",
    "Nobody may ever decide, and the run would wait for ever.",
    wrong: sample("ask = { approval = \"Publish?\" }"),
    right: sample("ask = { approval = \"Publish?\", timeout = \"48h\" }"),
    path: "agents/flow.lua")
  static let unneeded = Explanation(
    "W307", .warning, "result of a step that is not needed",
    "Without `needs` the other step may not have run: its result is nil.",
    wrong: sample(
      "title = { run = title }, publish = { run = function(_, results) return results.title end }"),
    right: sample(
      "title = { run = title }, publish = { needs = { \"title\" }, run = function(_, results) return results.title end }"
    ),
    path: "agents/flow.lua")
  static let webhook = Explanation(
    "W308", .error, "webhook to a host that access.http does not list",
    "A webhook step sends for the agent, and needs its host in the agent's `access.http`.",
    wrong: sample("tell = { webhook = \"https://hooks.example.com/x\" }"),
    right: sample(
      "tell = { webhook = \"https://hooks.example.com/x\" }",
      "access = { http = { \"hooks.example.com\" } }, "),
    path: "agents/flow.lua", isIgnorable: false)
  static let explanations = [target, cycle, action, unreachable, endless, patience, unneeded, webhook]

  private static func sample(_ steps: String, _ more: String = "") -> String {
    "local function title() return \"A title\" end\nreturn { \(more)steps = {\n  first = { run = title },\n  \(steps),\n} }\n"
  }

  private static func states(_ states: String) -> String {
    "local function act() return \"ok\" end\nreturn { initial = \"start\", states = {\n  \(states),\n} }\n"
  }

  static func check(_ file: LintedFile, _ findings: inout Findings) {
    // All but this is told where definitions are read.
    guard case .agent = file.kind, let steps = file.value?["steps"]?.object,
      !steps.members.contains(where: { $0.value["on_error"]?.isUnknown == true })
    else { return }
    let needs = steps.members.map { name, step in
      // What runs in place of a step reads what that one may, and its error.
      let replaced = steps.members.filter { $0.value["on_error"]?.string == name }.map(\.key)
      return (name, (step["needs"]?.array ?? []).compactMap(\.string) + replaced)
    }
    results(steps, Dictionary(needs) { first, _ in first }, in: file, &findings)
  }

  /// Reads of `results` that no need, near or far, stands for.
  private static func results(
    _ steps: JSONObject, _ needs: [String: [String]], in file: LintedFile,
    _ findings: inout Findings
  ) {
    for entry in file.contract where entry.path.count == 3 && entry.path[0] == "steps" {
      let step = entry.path[1]
      let parameters = file.model.functions[entry.function].parameters
      guard parameters.count > 1, !file.model.variables[parameters[1]].isReassigned,
        let table = steps[step]?.object, table["needs"]?.hasUnknown != true
      else { continue }
      var sure: Set<String> = []
      var waiting = needs[step] ?? []
      while let need = waiting.popLast() {
        if sure.insert(need).inserted { waiting += needs[need] ?? [] }
      }
      for member in file.model.members where member.variable == parameters[1] && !member.fields.isEmpty {
        let field = member.fields[0]
        guard !sure.contains(field.text), steps[field.text] != nil else { continue }
        findings.add(
          unneeded, at: field.range, "'\(step)' reads the result of '\(field.text)' and does not need it",
          hint: "add needs = { \"\(field.text)\" }")
      }
    }
  }
}
