// SPDX-License-Identifier: Apache-2.0

/// States that lead to one another: one action at a time.
public struct StateMachine: Sendable, Hashable {
  /// Where a state leads that has done its action.
  public enum Exit: Sendable, Hashable {
    /// To the answer.
    case end
    case state(String)
    /// Where the script's `next` says.
    case function
  }

  public struct State: Sendable, Hashable {
    public let task: WorkflowTask
    public let exit: Exit
    /// Where its failure leads; `nil` = it ends the run.
    public let onError: String?

    public init(_ task: WorkflowTask, exit: Exit = .end, onError: String? = nil) {
      self.task = task
      self.exit = exit
      self.onError = onError
    }

    public var name: String { task.name }

    /// Names that it may lead to, as far as they are written down.
    public var targets: [String] {
      var targets = onError.map { [$0] } ?? []
      if case .state(let name) = exit { targets.insert(name, at: 0) }
      return targets
    }
  }

  public static let statesMax = 256

  /// By name.
  public let states: [State]
  public let initial: String
  private let index: [String: Int]

  /// - Throws: ``WorkflowProblems`` when a name leads nowhere.
  public init(initial: String, _ states: [State]) throws(WorkflowProblems) {
    let problems = StateMachine.problems(of: states, initial: initial).filter(\.isError)
    guard problems.isEmpty else { throw WorkflowProblems(list: problems) }
    self.states = states.sorted { $0.name < $1.name }
    self.initial = initial
    index = Dictionary(self.states.enumerated().map { ($1.name, $0) }) { first, _ in first }
  }

  subscript(name: String) -> State? { index[name].map { states[$0] } }

  /// What every action does, in the order of ``states``.
  public var tasks: [WorkflowTask] { states.map(\.task) }

  /// What is wrong with a machine.
  ///
  /// - Parameters:
  ///   - initial: `nil` = not known.
  ///   - others: Names of states of which nothing more is known, as where a text does not tell it.
  ///   - isOpen: Whether states may lead where nobody knows.
  public static func problems(
    of states: [State], initial: String?, others: Set<String> = [], isOpen: Bool = false
  ) -> [WorkflowProblem] {
    let names = Set(states.map(\.name)).union(others)
    var problems: [WorkflowProblem] = []
    func check(_ name: String?, _ path: [String]) {
      guard let name, !names.contains(name) else { return }
      problems.append(
        WorkflowProblem(
          .unknownName, path, "there is no state '\(name)'",
          hint: Suggestion.hint(for: name, in: names.sorted())))
    }
    check(initial, ["initial"])
    for state in states.sorted(by: { $0.name < $1.name }) {
      if case .state(let name) = state.exit { check(name, ["states", state.name, "on", "ok"]) }
      check(state.onError, ["states", state.name, "on", "error"])
    }
    // A function may lead anywhere.
    guard let initial, !isOpen, others.isEmpty, !states.contains(where: { $0.exit == .function }) else {
      return problems
    }
    return problems + ways(of: states, from: initial)
  }

  private static func ways(of states: [State], from initial: String) -> [WorkflowProblem] {
    let byName = Dictionary(states.map { ($0.name, $0) }) { first, _ in first }
    func reached(from start: String) -> Set<String> {
      var seen: Set<String> = [start]
      var waiting = [start]
      while let place = waiting.popLast() {
        for other in byName[place]?.targets ?? [] where seen.insert(other).inserted { waiting.append(other) }
      }
      return seen
    }
    let reachable = reached(from: initial)
    return byName.keys.sorted().compactMap { name in
      if !reachable.contains(name) {
        return WorkflowProblem(.unreachable, ["states", name], "nothing leads to the state '\(name)'")
      }
      if !reached(from: name).contains(where: { byName[$0].map { $0.exit == .end } ?? true }) {
        return WorkflowProblem(
          .endless, ["states", name], "no end can be reached from the state '\(name)'")
      }
      return nil
    }
  }
}
