// SPDX-License-Identifier: Apache-2.0
import JSONCodec

/// A state machine under way: told what came of an order, it says what to do next, one thing at a time.
struct StateMachineEngine: Sendable {
  enum Order: Sendable {
    /// - Parameter attempt: From 1.
    case act(StateMachine.State, attempt: Int, afterSeconds: Double)
    /// Ask the script's `next`.
    case choose(StateMachine.State, StepResult)
    case finish(StateMachine.State, StepResult)
  }

  /// So that one that goes in a circle ends.
  static let transitionsMax = 1000

  let machine: StateMachine
  /// Of the present state, from 1; the same in every life of the run.
  private(set) var visit = 0
  /// Of the states so far, by name: what the last visit came to.
  private(set) var results: [(name: String, value: RawJSON)] = []
  private var state: StateMachine.State?
  private var last: StepResult?

  init(_ machine: StateMachine) { self.machine = machine }

  mutating func start() throws(Failure) -> Order { try enter(machine.initial) }

  mutating func finished(_ result: StepResult) throws(Failure) -> Order {
    guard let state else { throw .lost }
    note(state, result.value)
    last = result
    switch state.exit {
    case .end: return .finish(state, result)
    case .state(let name): return try enter(name)
    case .function: return .choose(state, result)
    }
  }

  /// - Throws: The failure, when nothing catches it.
  mutating func failed(attempt: Int, _ failure: Failure) throws(Failure) -> Order {
    guard let state else { throw .lost }
    if let pause = state.task.retry.pause(after: attempt, failure) {
      return .act(state, attempt: attempt + 1, afterSeconds: pause)
    }
    guard let name = state.onError else { throw failure }
    note(state, failure.stepResult)
    return try enter(name)
  }

  /// - Parameter name: What `next` said; `nil` = the machine ends here.
  /// - Throws: ``Failure`` `internal` when there is no such state.
  mutating func chose(_ name: String?) throws(Failure) -> Order {
    guard let state, let last else { throw .lost }
    guard let name else { return .finish(state, last) }
    guard machine[name] != nil else {
      let hint = Suggestion.hint(for: name, in: machine.states.map(\.name)).map { "; \($0)" } ?? ""
      throw Failure(
        .internal, "the workflow failed",
        diagnostic: "next of '\(state.name)': there is no state '\(name)'\(hint)")
    }
    return try enter(name)
  }

  private mutating func enter(_ name: String) throws(Failure) -> Order {
    guard let next = machine[name] else { throw .lost }
    guard visit < Self.transitionsMax else {
      throw Failure(
        .limit, "the state machine made \(Self.transitionsMax) transitions without coming to an end",
        detail: ["state": .string(name)])
    }
    visit += 1
    state = next
    return .act(next, attempt: 1, afterSeconds: 0)
  }

  private mutating func note(_ state: StateMachine.State, _ value: RawJSON) {
    results.removeAll { $0.name == state.name }
    results.append((state.name, value))
  }
}

extension Failure {
  /// ``StateMachine`` lets no name lead nowhere.
  fileprivate static let lost = Failure(.internal, "a state machine without a state")
}
