// SPDX-License-Identifier: Apache-2.0
import JSONCodec
import Synchronization

/// State machines.
extension Run {
  /// Goes from state to state until one is an end.
  func perform(_ machine: StateMachine, in script: any ScriptRun) async throws -> ScriptReply {
    var engine = StateMachineEngine(machine)
    var order = try engine.start()
    while true {
      try Task.checkCancellation()
      switch order {
      case .act(let state, let number, let pause):
        let result: Result<StepResult, Failure>
        do {
          result = .success(try await make(attempt(state, number, pause, engine), in: script))
        } catch let failure as Failure {
          try journal.check()
          result = .failure(failure)
        }
        order =
          switch result {
          case .success(let result): try engine.finished(result)
          case .failure(let failure): try engine.failed(attempt: number, failure)
          }
      case .choose(let state, let result):
        let next = try await script.call(
          StepFunction(
            .next, at: ["states", state.name], arguments: [result.value],
            place: "\(key(of: state, engine))/next:"))
        order = try engine.chose(next.value().string)
      case .finish(let state, let result):
        return ScriptReply(of: [WorkflowEngine.Entry(name: state.name, result: result)])
      }
    }
  }

  /// The visit is part of it: a state may come several times.
  private func key(of state: StateMachine.State, _ engine: StateMachineEngine) -> String {
    "\(prefix)state.\(engine.visit).\(state.name)"
  }

  private func attempt(
    _ state: StateMachine.State, _ number: Int, _ pause: Double, _ engine: StateMachineEngine
  ) -> Attempt {
    var input = workflowInput
    for (name, value) in engine.results { input[name] = try? value.value() }
    return Attempt(
      task: state.task, path: ["states", state.name], key: key(of: state, engine), number: number,
      pauseSeconds: pause, input: input, arguments: [RawJSON(members: engine.results)], next: state.targets)
  }
}
