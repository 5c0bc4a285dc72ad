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
    path: "agents/flow.lua")
  static let cycle = Explanation(
    "W302", .error, "steps that wait for each other",
    "Each needs the next, and the last the first: none can begin.",
    wrong: sample(
      "title = { run = title, needs = { \"price\" } }, price = { run = title, needs = { \"title\" } }"),
    right: sample("title = { run = title }, price = { run = title, needs = { \"title\" } }"),
    path: "agents/flow.lua")
  static let action = Explanation(
    "W303", .error, "step without its one action",
    "A step or state does exactly one thing: agent, tool, run, approval, webhook or sleep.",
    wrong: sample("title = { run = title, sleep = 5 }"),
    right: sample("title = { run = title }, rest = { sleep = 5, needs = { \"title\" } }"),
    path: "agents/flow.lua")
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
    path: "agents/flow.lua")
  static let explanations = [target, cycle, action, unreachable, endless, patience, unneeded, webhook]

  private static func sample(_ steps: String, _ more: String = "") -> String {
    "local function title() return \"A title\" end\nreturn { \(more)steps = {\n  first = { run = title },\n  \(steps),\n} }\n"
  }

  private static func states(_ states: String) -> String {
    "local function act() return \"ok\" end\nreturn { initial = \"start\", states = {\n  \(states),\n} }\n"
  }

  private static let actions = ["agent", "tool", "run", "approval", "webhook", "sleep"]
  private static let common = ["input", "retry", "timeout", "on_error", "by", "detail"]

  static func check(_ file: LintedFile, _ findings: inout Findings) {
    guard case .agent = file.kind, let root = file.value?.object, let table = file.returned else { return }
    let problems = WorkspaceProblems()
    let list = ProblemList(file: file.path, table: { table }, all: problems)
    let owner = DefinitionReader(root, path: [], problems: list, noun: "an agent")
    if let steps = owner.table("steps", noun: "steps"), !steps.isOpen {
      let nodes = nodes(
        steps, "a step", actions + common + ["needs", "when", "for_each", "limit"], owner, table, &findings)
      graph(nodes, in: file, table, &findings)
    }
    if let states = owner.table("states", noun: "states"), !states.isOpen {
      let nodes = nodes(states, "a state", actions + common + ["on", "next"], owner, table, &findings)
      machine(nodes, owner, table, &findings)
    }
    findings.add(problems.diagnostics)
  }

  /// Steps or states by name, each with its reader; those whose table is not known are nil.
  private static func nodes(
    _ reader: DefinitionReader, _ noun: String, _ fields: [String], _ owner: DefinitionReader,
    _ table: ReturnedTable,
    _ findings: inout Findings
  ) -> [String: DefinitionReader?] {
    var nodes: [String: DefinitionReader?] = [:]
    for name in reader.object.keys.sorted() {
      nodes[name] = .some(nil)
      guard let node = reader.table(name, noun: noun) else { continue }
      nodes[name] = .some(node)
      node.allow(fields)
      let place = table.position(of: node.path).range
      let given = actions.filter(node.isPresent)
      if given.count != 1, !node.isOpen {
        findings.add(
          action, at: place,
          given.isEmpty
            ? "'\(name)' does nothing: it needs one of \(actions.joined(separator: ", "))"
            : "'\(name)' does \(given.joined(separator: " and ")); one action a step")
      }
      if node.isPresent("approval"), !node.isPresent("timeout"), !node.isOpen {
        findings.add(
          patience, at: place, "the approval '\(name)' waits for ever", hint: "add timeout = \"48h\"")
      }
      duration(node, "timeout")
      if let url = node.value("webhook")?.string { checkHost(url, node, owner, table, &findings) }
    }
    return nodes
  }

  /// Seconds, or a text such as "48h".
  private static func duration(_ node: DefinitionReader, _ key: String) {
    guard let value = node.value(key) else { return }
    if let number = value.double, number > 0 { return }
    if let text = value.string, let digit = text.first, digit.isNumber {
      let unit = text.drop { $0.isNumber || $0 == "." }
      if ["ms", "s", "m", "h", "d"].contains(unit) { return }
    }
    node.report(key, .outOfRange, "'\(key)' is seconds, or a text such as \"30s\" or \"48h\"")
  }

  private static func checkHost(
    _ url: String, _ node: DefinitionReader, _ owner: DefinitionReader, _ table: ReturnedTable,
    _ findings: inout Findings
  ) {
    let place = table.position(of: node.path + ["webhook"], .value).range
    let literal = Expression(kind: .string(Array(url.utf8)), range: place)
    guard !owner.isUnknown("access"), !(owner.object["access"]?.hasUnknown ?? false),
      let request = LiteralRequest("http.post", [literal])
    else { return }
    let nobody = ProblemList(file: "", table: { nil }, all: WorkspaceProblems())
    let access = AccessDefinition.decode(DefinitionReader(owner.object, path: [], problems: nobody, noun: ""))
    guard !access.requests.contains(where: { $0.allows("POST", host: request.host, port: request.port) })
    else { return }
    findings.add(
      webhook, at: place, "access.http does not list '\(request.host)'",
      hint: "add access = { http = { \"\(request.host)\" } } to the agent")
  }

  // MARK: steps

  private static func graph(
    _ nodes: [String: DefinitionReader?], in file: LintedFile, _ table: ReturnedTable,
    _ findings: inout Findings
  ) {
    var needs: [String: [String]] = [:]
    for (name, node) in nodes.sorted(by: { $0.key < $1.key }) {
      guard let node else { continue }
      let list = node.strings("needs") ?? []
      needs[name] = list
      for (index, need) in list.enumerated() where nodes[need] == nil {
        findings.add(
          target, at: table.position(of: node.path + ["needs", String(index + 1)]).range,
          "there is no step '\(need)'",
          hint: Suggestion.hint(for: need, in: nodes.keys.sorted()))
      }
    }
    for name in needs.keys.sorted() {
      guard let circle = Circle.through(name, { needs[$0] ?? [] }), circle.min() == name else { continue }
      findings.add(
        cycle, at: table.position(of: ["steps", name]).range,
        "steps wait for each other: \((circle + [name]).joined(separator: " → "))")
    }
    results(nodes, needs, in: file, &findings)
  }

  /// Reads of `results` that no need, near or far, stands for.
  private static func results(
    _ nodes: [String: DefinitionReader?], _ needs: [String: [String]], in file: LintedFile,
    _ findings: inout Findings
  ) {
    for entry in file.contract where entry.path.count == 3 && entry.path[0] == "steps" {
      let step = entry.path[1]
      let parameters = file.model.functions[entry.function].parameters
      guard parameters.count > 1, !file.model.variables[parameters[1]].isReassigned,
        nodes[step]??.isUnknown("needs") == false, nodes[step]??.object["needs"]?.hasUnknown != true
      else { continue }
      var sure: Set<String> = []
      var waiting = needs[step] ?? []
      while let need = waiting.popLast() {
        if sure.insert(need).inserted { waiting += needs[need] ?? [] }
      }
      for member in file.model.members where member.variable == parameters[1] && !member.fields.isEmpty {
        let field = member.fields[0]
        guard !sure.contains(field.text), nodes[field.text] != nil else { continue }
        findings.add(
          unneeded, at: field.range, "'\(step)' reads the result of '\(field.text)' and does not need it",
          hint: "add needs = { \"\(field.text)\" }")
      }
    }
  }

  // MARK: states

  private static func machine(
    _ nodes: [String: DefinitionReader?], _ owner: DefinitionReader, _ table: ReturnedTable,
    _ findings: inout Findings
  ) {
    var next: [String: [String]] = [:]
    var isOpen = owner.isUnknown("initial")
    func check(_ name: String, at path: [String]) {
      guard nodes[name] == nil else { return }
      findings.add(
        target, at: table.position(of: path, .value).range, "there is no state '\(name)'",
        hint: Suggestion.hint(for: name, in: nodes.keys.sorted()))
    }
    let initial = owner.string("initial")
    if let initial {
      check(initial, at: ["initial"])
    } else if !owner.isPresent("initial"), !owner.isOpen {
      owner.report(nil, .missingField, "a state machine needs 'initial', the state it begins in")
    }
    for (name, node) in nodes {
      guard let node else {
        isOpen = true
        continue
      }
      if node.isPresent("next") || node.isUnknown("on") || node.object["on"]?.hasUnknown == true {
        isOpen = true
      }
      for member in node.value("on")?.object?.members ?? [] {
        guard let to = member.value.string else { continue }
        check(to, at: node.path + ["on", member.key])
        next[name, default: []].append(to)
      }
    }
    // A function may lead anywhere.
    guard !isOpen, let initial else { return }
    for name in nodes.keys.sorted() {
      let place = table.position(of: ["states", name]).range
      if name != initial, !reaches(initial, name, next) {
        findings.add(unreachable, at: place, "nothing leads to the state '\(name)'")
      } else if !nodes.keys.contains(where: { next[$0] == nil && ($0 == name || reaches(name, $0, next)) }) {
        findings.add(endless, at: place, "no end can be reached from the state '\(name)'")
      }
    }
  }

  private static func reaches(_ start: String, _ end: String, _ next: [String: [String]]) -> Bool {
    var seen: Set<String> = [start]
    var waiting = [start]
    while let place = waiting.popLast() {
      for other in next[place] ?? [] {
        if other == end { return true }
        if seen.insert(other).inserted { waiting.append(other) }
      }
    }
    return false
  }
}
