// SPDX-License-Identifier: Apache-2.0
import Core
import JSONCodec

/// What an agent's steps or states would do, for people and programs.
struct WorkflowPlan {
  enum Body {
    case steps(Workflow)
    case states(StateMachine)
  }

  let agent: String
  let body: Body

  /// - Returns: `nil` for an agent whose body is no data.
  init?(_ agent: Agent) {
    self.agent = agent.name
    switch agent.body {
    case .steps(let workflow): body = .steps(workflow)
    case .states(let machine): body = .states(machine)
    case .prompt, .run: return nil
    }
  }

  var text: String {
    switch body {
    case .steps(let workflow): Self.text(workflow)
    case .states(let machine): Self.text(machine)
    }
  }

  private static func text(_ workflow: Workflow) -> String {
    var lines: [String] = []
    for (number, phase) in workflow.phases.enumerated() {
      lines.append("Phase \(number + 1)")
      lines += table(phase.map { row(workflow.steps[$0]) })
    }
    let inPlace = workflow.steps.indices.filter { !workflow.replaced(by: $0).isEmpty }
    if !inPlace.isEmpty {
      lines.append("In place of others")
      lines += table(
        inPlace.map { step in
          let row = row(workflow.steps[step])
          return [row[0], row[1], "for \(workflow.replaced(by: step).joined(separator: ", "))  \(row[2])"]
        })
    }
    return lines.joined(separator: "\n")
  }

  private static func row(_ step: Workflow.Step) -> [String] {
    var words: [String] = []
    if !step.needs.isEmpty { words.append("needs \(step.needs.joined(separator: ", "))") }
    if step.hasCondition { words.append("when") }
    if let list = step.list {
      let source = if case .step(let name) = list { " of \(name)" } else { "" }
      words.append("for each\(source), \(step.limit) at once")
    }
    words += options(step.task)
    switch step.onError {
    case .fail: break
    case .proceed: words.append("on error: continue")
    case .substitute(let name): words.append("on error: \(name)")
    }
    return [step.name, step.task.action.summary, words.joined(separator: "  ")]
  }

  private static func text(_ machine: StateMachine) -> String {
    let rows = machine.states.map { state -> [String] in
      var words: [String] = []
      switch state.exit {
      case .end: words.append("ends")
      case .state(let name): words.append("ok → \(name)")
      case .function: words.append("next → as its function says")
      }
      if let name = state.onError { words.append("error → \(name)") }
      return [state.name, state.task.action.summary, (words + options(state.task)).joined(separator: "  ")]
    }
    return (["Begins in \(machine.initial)"] + table(rows)).joined(separator: "\n")
  }

  private static func options(_ task: WorkflowTask) -> [String] {
    var words: [String] = []
    if task.hasInput { words.append("input") }
    if task.retry.attempts > 1 {
      words.append("\(task.retry.attempts) attempts from \(WorkflowDuration.text(task.retry.backoffSeconds))")
    }
    if let timeout = task.timeoutSeconds { words.append("timeout \(WorkflowDuration.text(timeout))") }
    return words
  }

  private static func table(_ rows: [[String]]) -> [String] {
    let widths = (0..<2).map { column in rows.map { $0[column].count }.max() ?? 0 }
    return rows.map { row in
      let cells = zip(row, widths).map { $0 + String(repeating: " ", count: $1 - $0.count) }
      var line = "  " + (cells + [row[2]]).joined(separator: "  ")
      while line.last == " " { line.removeLast() }
      return line
    }
  }
}

extension WorkflowAction {
  /// The key that names it, and its value: `tool publish_listing`.
  var summary: String {
    let (kind, value) = parts
    return value.map { "\(kind) \($0)" } ?? kind
  }

  var parts: (kind: String, value: String?) {
    switch self {
    case .agent(let name): ("agent", name)
    case .tool(let name): ("tool", name)
    case .function: ("run", nil)
    case .approval(let approval): ("approval", approval.title)
    case .webhook(let url): ("webhook", url)
    case .sleep(let seconds): ("sleep", WorkflowDuration.text(seconds))
    }
  }
}
