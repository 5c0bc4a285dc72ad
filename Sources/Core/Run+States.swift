// SPDX-License-Identifier: Apache-2.0
import JSONCodec
import Synchronization

/// State machines.
extension Run {
  /// Goes from state to state until one is an end.
  func perform(_ machine: StateMachine, in script: any ScriptRun) async throws -> ScriptReply {
    var engine = StateMachineEngine(machine)
    var order = try engine.start()
    /// What the `next` of the last state said.
    var choice: Result<String?, any Error> = .success(nil)
    while true {
      try Task.checkCancellation()
      switch order {
      case .act(let state, let number, let pause):
        let result: Result<StepResult, Failure>
        do {
          let key = key(of: state, engine)
          result = .success(
            try await make(attempt(state, number, pause, engine), in: script) { result in
              guard case .function = state.exit else { return state.targets }
              choice = await Result(choosing: { try await self.next(of: state, result, key: key, in: script) }
              )
              return ((try? choice.get()).flatMap { $0 }.map { [$0] } ?? []) + state.targets
            })
        } catch let failure as Failure {
          try journal.check()
          result = .failure(failure)
        }
        order =
          switch result {
          case .success(let result): try engine.finished(result)
          case .failure(let failure): try engine.failed(attempt: number, failure)
          }
      case .choose: order = try engine.chose(choice.get())
      case .finish(let state, let result):
        return ScriptReply(of: [WorkflowEngine.Entry(name: state.name, result: result)])
      }
    }
  }

  private func next(
    of state: StateMachine.State, _ result: StepResult, key: String, in script: any ScriptRun
  ) async throws -> String? {
    try await script.call(
      StepFunction(
        .next, at: ["states", state.name], arguments: [result.value], place: "\(key)/next:")
    ).value().string
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

extension Result where Failure == any Error {
  fileprivate init(choosing body: () async throws -> Success) async {
    do { self = .success(try await body()) } catch { self = .failure(error) }
  }
}
