// SPDX-License-Identifier: Apache-2.0

/// A graph of steps that can be run: every name leads to a step, and no step waits for itself.
public struct Workflow: Sendable, Hashable {
  public enum ErrorPolicy: Sendable, Hashable {
    /// Ends the workflow.
    case fail
    /// Goes on without a result.
    case proceed
    /// Another step runs in its place.
    case substitute(String)
  }

  /// Of which the step runs once for each element.
  public enum ListSource: Sendable, Hashable {
    /// The script's `for_each`.
    case function
    /// What a step came to that this one needs.
    case step(String)
  }

  public struct Step: Sendable, Hashable {
    public static let limitDefault = 8

    public let task: WorkflowTask
    public let needs: [String]
    /// Whether the script's `when` may skip it.
    public let hasCondition: Bool
    public let list: ListSource?
    /// Elements of ``list`` that run beside each other.
    public let limit: Int
    public let onError: ErrorPolicy

    public init(
      _ task: WorkflowTask, needs: [String] = [], hasCondition: Bool = false, list: ListSource? = nil,
      limit: Int = limitDefault, onError: ErrorPolicy = .fail
    ) {
      self.task = task
      self.needs = needs
      self.hasCondition = hasCondition
      self.list = list
      self.limit = limit
      self.onError = onError
    }

    public var name: String { task.name }
  }

  public static let stepsMax = 256

  /// Each behind those that it needs, equals by name; those that run in place of others last.
  public let steps: [Step]
  /// By step: those that it needs itself.
  let needs: [[Int]]
  /// By step: those that have ended when it begins, near and far; what it may read.
  let ancestors: [[Int]]
  /// By step: what runs in its place when it fails.
  let substitutes: [Int?]
  /// What runs beside each other when all steps take equally long, one phase after another.
  public let phases: [[Int]]
  /// Those that no other needs: the answer.
  let last: [Int]
  /// Steps at the end that run only in place of others.
  let substituteCount: Int

  /// - Throws: ``WorkflowProblems`` with everything that is wrong with the graph.
  public init(_ steps: [Step]) throws(WorkflowProblems) {
    let problems = Workflow.problems(of: steps)
    guard problems.isEmpty else { throw WorkflowProblems(list: problems) }
    let byName = Dictionary(steps.map { ($0.name, $0) }) { first, _ in first }
    var levels: [String: Int] = [:]
    func level(_ name: String) -> Int {
      if let level = levels[name] { return level }
      let level = (byName[name]?.needs ?? []).map { level($0) + 1 }.max() ?? 0
      levels[name] = level
      return level
    }
    let inPlace = Workflow.substituteNames(steps)
    let graph = steps.filter { !inPlace.contains($0.name) }
      .sorted { (level($0.name), $0.name) < (level($1.name), $1.name) }
    let ordered = graph + steps.filter { inPlace.contains($0.name) }.sorted { $0.name < $1.name }
    let index = Dictionary(ordered.enumerated().map { ($1.name, $0) }) { first, _ in first }
    let needs = ordered.map { Set($0.needs.compactMap { index[$0] }).sorted() }
    var ancestors: [[Int]] = []
    for own in needs { ancestors.append(Set(own.flatMap { [$0] + ancestors[$0] }).sorted()) }
    self.steps = ordered
    self.needs = needs
    self.ancestors = ancestors
    substitutes = ordered.map { if case .substitute(let name) = $0.onError { index[name] } else { nil } }
    phases = Dictionary(grouping: graph.indices) { level(ordered[$0].name) }.sorted { $0.key < $1.key }
      .map(\.value)
    substituteCount = ordered.count - graph.count
    let needed = Set(needs.joined())
    last = graph.indices.filter { !needed.contains($0) }
  }

  /// Those that run only in place of others.
  static func substituteNames(_ steps: [Step]) -> Set<String> {
    Set(steps.compactMap { if case .substitute(let name) = $0.onError { name } else { nil } })
  }

  /// Names of the steps in whose place a step runs.
  public func replaced(by step: Int) -> [String] {
    steps.indices.filter { substitutes[$0] == step }.map { steps[$0].name }
  }

  /// What every action does, in the order of ``steps``.
  public var tasks: [WorkflowTask] { steps.map(\.task) }
}
