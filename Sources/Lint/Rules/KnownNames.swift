// SPDX-License-Identifier: Apache-2.0
import Core

/// Names of tools, agents and modules that have to lead somewhere.
enum KnownNames: WorkspaceRule {
  static let module = Explanation(
    "P158", .error, "no such module",
    "`require \"lib.name\"` finds lib/name.lua, and nothing else is on the path.",
    wrong: "local money = require \"lib.mony\"\nreturn { sign = money.sign }\n",
    right: "local money = require \"lib.money\"\nreturn { sign = money.sign }\n",
    beside: ["lib/money.lua": "return { sign = \"€\" }"])
  static let unlisted = Explanation(
    "W218", .error, "tool that the agent does not list",
    "An agent's script may call the tools in its `tools`, as its model may: any other raises `not_found`.",
    wrong: "return { tools = {}, run = function() return tools.call(\"add\").text end }\n",
    right: "return { tools = { \"add\" }, run = function() return tools.call(\"add\").text end }\n",
    path: "agents/notes.lua",
    beside: [
      "tools/notes.lua": "return { add = { description = \"Adds.\", run = function() end } }",
      "agents/other.lua": "return { prompt = \"p\", tools = { \"add\" } }",
    ])
  static let explanations = [module, unlisted]

  static func check(_ workspace: LintWorkspace, _ findings: inout [Diagnostic]) {
    let tools = Set(workspace.tools.map(\.name))
    let agents = Set(workspace.agentNames)
    let knowsTools = workspace.knowsAllTools
    // As evals speak of them: a model calls agents under the names of tools.
    let callable = Set(EvalDefinition.Names(agents: workspace.agentNames, tools: Array(tools)).tools)
    for file in workspace.sortedFiles() {
      var found = Findings(file: file.path)
      for reference in file.references {
        switch reference.kind {
        case .tool where file.kind == .evals && reference.place == .definition:
          if knowsTools, !callable.contains(reference.name) { report("tool", reference, callable, &found) }
        case .tool where reference.place == .computed: break
        case .tool where !tools.contains(reference.name):
          if knowsTools { report("tool", reference, tools, &found) }
        case .tool: checkListed(reference, file, &found)
        case .agent where !agents.contains(reference.name): report("agent", reference, agents, &found)
        case .module: checkModule(reference, workspace, &found)
        case .agent: break
        }
      }
      findings += found.list
    }
  }

  private static func report(
    _ noun: String, _ reference: Reference, _ known: Set<String>, _ findings: inout Findings
  ) {
    findings.add(
      DefinitionExplanations.unknownName, at: reference.range, "there is no \(noun) '\(reference.name)'",
      hint: Suggestion.hint(for: reference.name, in: known.sorted()))
  }

  /// Only an agent's own file is held against its list: a tool runs for whichever agent lists it.
  private static func checkListed(_ reference: Reference, _ file: FileSummary, _ findings: inout Findings) {
    guard case .agent(let agent) = file.kind, reference.place == .call, !file.isOpen,
      file.linted?.isToolCall(reference.range) == true
    else { return }
    let listed = file.references.filter { $0.kind == .tool && $0.place == .list }.map(\.name)
    guard !listed.contains(reference.name) else { return }
    findings.add(
      unlisted, at: reference.range, "the agent '\(agent)' does not list the tool '\(reference.name)'",
      hint: "add it to tools")
  }

  private static func checkModule(
    _ reference: Reference, _ workspace: LintWorkspace, _ findings: inout Findings
  ) {
    let path = reference.name.replacing(".", with: "/") + ".lua"
    guard reference.name.hasPrefix("lib.") else {
      findings.add(
        module, at: reference.range, "require finds only modules of lib/, such as \"lib.money\"",
        hint: workspace.files["lib/\(path)"] == nil ? nil : "did you mean 'lib.\(reference.name)'?")
      return
    }
    guard workspace.files[path] == nil else { return }
    let known = workspace.files.keys.filter { $0.hasPrefix("lib/") }
      .map { String($0.dropLast(".lua".count)).replacing("/", with: ".") }
    findings.add(
      module, at: reference.range, "there is no file \(path)",
      hint: Suggestion.hint(for: reference.name, in: known.sorted()))
  }
}

extension LintedFile {
  /// Whether the name at a place is the argument of `tools.call`.
  func isToolCall(_ range: SourceRange) -> Bool {
    model.members.contains { member in
      guard member.variable == nil, let arguments = member.arguments else { return false }
      switch member.path {
      case "tools.call": return arguments.first?.range == range
      case "pcall": return arguments.count > 1 && arguments[1].range == range
      default: return false
      }
    }
  }
}
