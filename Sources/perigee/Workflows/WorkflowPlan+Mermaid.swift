// SPDX-License-Identifier: Apache-2.0
import Core

extension WorkflowPlan {
  /// A diagram as text.
  ///
  /// Nodes have numbers for names: those of steps and states may be words of the language, as `end`.
  /// Source: https://mermaid.js.org/syntax/flowchart.html, https://mermaid.js.org/syntax/stateDiagram.html.
  var mermaid: String {
    switch body {
    case .steps(let workflow): Self.flowchart(workflow)
    case .states(let machine): Self.diagram(machine)
    }
  }

  private static func flowchart(_ workflow: Workflow) -> String {
    let index = Dictionary(workflow.steps.enumerated().map { ($1.name, $0) }) { first, _ in first }
    var lines = ["flowchart TD"]
    for (number, step) in workflow.steps.enumerated() {
      lines.append("  s\(number)[\"\(step.name)<br/>\(quoted(step.task.action.summary))\"]")
    }
    for (number, step) in workflow.steps.enumerated() {
      for need in step.needs {
        guard let other = index[need] else { continue }
        lines.append("  s\(other) -->\(step.hasCondition ? "|when|" : "") s\(number)")
      }
      if case .substitute(let name) = step.onError, let other = index[name] {
        lines.append("  s\(number) -.->|error| s\(other)")
      }
    }
    return lines.joined(separator: "\n")
  }

  private static func diagram(_ machine: StateMachine) -> String {
    let index = Dictionary(machine.states.enumerated().map { ($1.name, $0) }) { first, _ in first }
    var lines = ["stateDiagram-v2"]
    for (number, state) in machine.states.enumerated() {
      lines.append("  state \"\(state.name): \(quoted(state.task.action.summary))\" as s\(number)")
    }
    if let initial = index[machine.initial] { lines.append("  [*] --> s\(initial)") }
    for (number, state) in machine.states.enumerated() {
      switch state.exit {
      case .end: lines.append("  s\(number) --> [*]")
      case .state(let name): if let other = index[name] { lines.append("  s\(number) --> s\(other): ok") }
      case .function: lines.append("  note right of s\(number): next is a function")
      }
      if let other = state.onError.flatMap({ index[$0] }) {
        lines.append("  s\(number) --> s\(other): error")
      }
    }
    return lines.joined(separator: "\n")
  }

  private static func quoted(_ text: String) -> String {
    text.replacing("\"", with: "#quot;").replacing("\n", with: " ")
  }
}
