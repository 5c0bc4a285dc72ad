// SPDX-License-Identifier: Apache-2.0

/// Why steps are no graph, or states no machine.
public struct WorkflowProblem: Sendable, Hashable {
  public enum Kind: Sendable, Hashable {
    case unknownName, cycle, conflict
    /// Harmless, and surely not meant.
    case unreachable, endless
  }

  public let kind: Kind
  /// Keys from the agent's table; the last is an item's number, from 1, or a key.
  public let path: [String]
  public let message: String
  public let hint: String?

  init(_ kind: Kind, _ path: [String], _ message: String, hint: String? = nil) {
    self.kind = kind
    self.path = path
    self.message = message
    self.hint = hint
  }

  public var isError: Bool { kind != .unreachable && kind != .endless }
}

public struct WorkflowProblems: Error {
  public let list: [WorkflowProblem]
}

extension Workflow {
  /// What is wrong with a graph.
  ///
  /// - Parameter others: Names of steps of which nothing more is known, as where a text does not tell it.
  public static func problems(of steps: [Step], others: Set<String> = []) -> [WorkflowProblem] {
    let names = Set(steps.map(\.name)).union(others)
    let inPlace = substituteNames(steps)
    var problems: [WorkflowProblem] = []
    func check(_ name: String, _ path: [String]) {
      guard !names.contains(name) else { return }
      problems.append(
        WorkflowProblem(
          .unknownName, path, "there is no step '\(name)'",
          hint: Suggestion.hint(for: name, in: names.sorted())))
    }
    for step in steps.sorted(by: { $0.name < $1.name }) {
      let path = ["steps", step.name]
      for (index, need) in step.needs.enumerated() {
        check(need, path + ["needs", String(index + 1)])
        guard inPlace.contains(need) else { continue }
        problems.append(
          WorkflowProblem(
            .conflict, path + ["needs", String(index + 1)],
            "'\(need)' runs only in place of another step, and cannot be needed",
            hint: "need the step whose place it takes: it has the result"))
      }
      if case .substitute(let name) = step.onError { check(name, path + ["on_error"]) }
      if case .step(let name) = step.list {
        check(name, path + ["for_each"])
        if names.contains(name), !step.needs.contains(name) {
          problems.append(
            WorkflowProblem(
              .conflict, path + ["for_each"],
              "'\(step.name)' runs for each result of '\(name)' and does not need it",
              hint: "add it to needs"))
        }
      }
      if inPlace.contains(step.name),
        let key = !step.needs.isEmpty
          ? "needs" : step.list != nil ? "for_each" : step.hasCondition ? "when" : nil
      {
        problems.append(
          WorkflowProblem(
            .conflict, path + [key],
            "'\(step.name)' runs in place of another step, and has no '\(key)' of its own"))
      }
    }
    return problems + cycles(of: steps)
  }

  private static func cycles(of steps: [Step]) -> [WorkflowProblem] {
    let needs = Dictionary(steps.map { ($0.name, $0.needs) }) { first, _ in first }
    let next = Dictionary(
      steps.map { step -> (String, [String]) in
        if case .substitute(let name) = step.onError { return (step.name, [name]) }
        return (step.name, [])
      }
    ) { first, _ in first }
    let waits = Circle.all(needs.keys.sorted()) { needs[$0] ?? [] }.map { way in
      WorkflowProblem(
        .cycle, ["steps", way[0]], "steps wait for each other: \((way + [way[0]]).joined(separator: " → "))")
    }
    return waits
      + Circle.all(next.keys.sorted()) { next[$0] ?? [] }.map { way in
        WorkflowProblem(
          .cycle, ["steps", way[0], "on_error"],
          "steps run in place of each other: \((way + [way[0]]).joined(separator: " → "))")
      }
  }
}

/// Ways that come back to where they began.
public enum Circle {
  /// The shortest way from a place back to it, the place first; nil when there is none.
  public static func through(_ start: String, _ next: (String) -> [String]) -> [String]? {
    var queue = [[start]]
    var seen: Set<String> = []
    while !queue.isEmpty {
      let way = queue.removeFirst()
      for place in next(way[way.count - 1]) {
        if place == start { return way }
        if seen.insert(place).inserted { queue.append(way + [place]) }
      }
    }
    return nil
  }

  /// One for each place that is the first by name on its own shortest circle.
  static func all(_ places: [String], _ next: (String) -> [String]) -> [[String]] {
    places.compactMap { place in through(place, next).flatMap { $0.min() == place ? $0 : nil } }
  }
}
