// SPDX-License-Identifier: Apache-2.0
import Core
import JSONCodec

extension WorkflowPlan {
  /// `{ agent, body, phases, steps }` or `{ agent, body, initial, states }`; times in seconds.
  var json: RawJSON {
    var writer = JSONWriter()
    writer.object {
      $0.member("agent", agent)
      switch body {
      case .steps(let workflow):
        $0.member("body", "steps")
        $0.member(
          "phases",
          JSON.array(workflow.phases.map { .array($0.map { .string(workflow.steps[$0].name) }) }))
        $0.member("steps", JSON.array(workflow.steps.indices.map { Self.json($0, in: workflow) }))
      case .states(let machine):
        $0.member("body", "states")
        $0.member("initial", machine.initial)
        $0.member("states", JSON.array(machine.states.map(Self.json)))
      }
    }
    return writer.raw
  }

  private static func json(_ index: Int, in workflow: Workflow) -> JSON {
    let step = workflow.steps[index]
    var object = json(step.task)
    object.append("needs", .array(step.needs.map { .string($0) }))
    if step.hasCondition { object.append("when", true) }
    if let list = step.list {
      let source: JSON = if case .step(let name) = list { .string(name) } else { true }
      object.append("for_each", source)
      object.append("limit", .integer(Int64(step.limit)))
    }
    switch step.onError {
    case .fail: break
    case .proceed: object.append("on_error", "continue")
    case .substitute(let name): object.append("on_error", .string(name))
    }
    let replaced = workflow.replaced(by: index)
    if !replaced.isEmpty { object.append("in_place_of", .array(replaced.map { .string($0) })) }
    return .object(object)
  }

  private static func json(_ state: StateMachine.State) -> JSON {
    var object = json(state.task)
    var on = JSONObject()
    if case .state(let name) = state.exit { on.append("ok", .string(name)) }
    if let name = state.onError { on.append("error", .string(name)) }
    object.append("on", .object(on))
    if state.exit == .function { object.append("next", true) }
    if state.exit == .end { object.append("end", true) }
    return .object(object)
  }

  private static func json(_ task: WorkflowTask) -> JSONObject {
    let (kind, value) = task.action.parts
    var object = JSONObject([("name", .string(task.name)), ("action", .string(kind))])
    if case .sleep(let seconds) = task.action {
      object.append(kind, .number(seconds))
    } else if let value {
      object.append(kind, .string(value))
    }
    if task.hasInput { object.append("input", true) }
    if task.retry.attempts > 1 {
      object.append(
        "retry",
        [
          "attempts": .integer(Int64(task.retry.attempts)), "backoff": .number(task.retry.backoffSeconds),
        ])
    }
    if let timeout = task.timeoutSeconds { object.append("timeout", .number(timeout)) }
    return object
  }
}
