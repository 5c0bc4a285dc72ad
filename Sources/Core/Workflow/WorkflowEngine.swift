// SPDX-License-Identifier: Apache-2.0
import JSONCodec

/// A graph under way as a state machine: told what came of an order, it says what to begin next.
///
/// It has no clock and no task; ``Run`` does what it says. Nothing that it says depends on which of two orders ends
/// first, but for the order in which further ones begin.
struct WorkflowEngine: Sendable {
  /// One action: of a step, or of one element of its list.
  struct Unit: Sendable, Hashable {
    /// Whose result it will be.
    let step: Int
    /// Which runs: the step itself, or one in its place.
    let acting: Int
    /// From 0; `nil` = the step has no list.
    let element: Int?
  }

  enum Order: Sendable, Hashable {
    /// Ask the script's `when`, and for its list.
    case decide(step: Int)
    /// - Parameter attempt: From 1.
    case act(Unit, attempt: Int, afterSeconds: Double)
  }

  enum Decision: Sendable, Hashable {
    case skip, once
    /// Once for each element.
    case each(count: Int)
  }

  enum Ending: Sendable, Hashable {
    /// By the names of the last steps; one that was skipped is not among them.
    case completed([Entry])
    case failed(Failure)
  }

  struct Entry: Sendable, Hashable {
    let name: String
    let result: StepResult
  }

  /// Actions under way at once.
  static let actionsMax = 32

  private enum Progress {
    case waiting
    case deciding
    case running(Elements)
    case done(StepResult?)

    var isDone: Bool { if case .done = self { true } else { false } }
  }

  private struct Elements {
    var results: [StepResult?]
    let isList: Bool
    var begun = 0
    var ended = 0

    var underWay: Int { begun - ended }
  }

  private struct Failed {
    let unit: Unit
    let failure: Failure
  }

  let workflow: Workflow
  private var progress: [Progress]
  /// What was caught in an action, by the action that goes on in its place.
  private var caught: [Unit: [Failed]] = [:]
  private var failures: [Failed] = []
  private(set) var underWay = 0

  init(_ workflow: Workflow) {
    self.workflow = workflow
    progress = workflow.steps.map { _ in .waiting }
  }

  /// Whether an error ended it: what is under way is to be cancelled.
  var isFailing: Bool { !failures.isEmpty }

  /// `nil` while something is under way.
  var ending: Ending? {
    guard underWay == 0 else { return nil }
    // In the order of the steps, so that it is the same whichever of several failed first.
    let first = failures.min { Self.place($0.unit) < Self.place($1.unit) }
    if let first { return .failed(first.failure) }
    return .completed(
      workflow.last.compactMap { step in
        result(of: step).map { Entry(name: workflow.steps[step].name, result: $0) }
      })
  }

  private static func place(_ unit: Unit) -> (Int, Int) { (unit.step, unit.element ?? -1) }

  mutating func start() -> [Order] { advance() }

  mutating func decided(_ step: Int, _ decision: Decision) -> [Order] {
    underWay -= 1
    switch decision {
    case .skip: progress[step] = .done(nil)
    case .once: progress[step] = .running(Elements(results: [nil], isList: false))
    case .each(let count):
      progress[step] = .running(Elements(results: Array(repeating: nil, count: count), isList: true))
      complete(step)
    }
    return advance()
  }

  mutating func finished(_ unit: Unit, _ result: StepResult) -> [Order] {
    underWay -= 1
    settle(unit, result)
    return advance()
  }

  /// - Parameter attempt: From 1; 0 = deciding failed.
  mutating func failed(_ unit: Unit, attempt: Int, _ failure: Failure) -> [Order] {
    underWay -= 1
    let acting = workflow.steps[unit.acting]
    if let pause = acting.task.retry.pause(after: attempt, failure) {
      // What would be attempted again was no failure yet.
      guard !isFailing else { return [] }
      underWay += 1
      return [.act(unit, attempt: attempt + 1, afterSeconds: pause)]
    }
    switch (acting.onError, workflow.substitutes[unit.acting]) {
    case (.proceed, _):
      if attempt == 0 { progress[unit.step] = .done(nil) } else { settle(unit, nil) }
    case (.substitute, let substitute?) where !isFailing:
      if attempt == 0 { progress[unit.step] = .running(Elements(results: [nil], isList: false, begun: 1)) }
      let next = Unit(step: unit.step, acting: substitute, element: unit.element)
      caught[next] = (caught.removeValue(forKey: unit) ?? []) + [Failed(unit: unit, failure: failure)]
      underWay += 1
      return [.act(next, attempt: 1, afterSeconds: 0)]
    case (.substitute, _): break
    case (.fail, _): failures.append(Failed(unit: unit, failure: failure))
    }
    return advance()
  }

  /// An order was cancelled, and nobody knows what it would have come to.
  mutating func stopped() { underWay -= 1 }

  /// Begins nothing more: the run itself cannot go on.
  mutating func abandon(_ failure: Failure) {
    underWay -= 1
    failures.append(Failed(unit: Unit(step: -1, acting: -1, element: nil), failure: failure))
  }

  /// What an action may read: the results of the steps that its own waits for, near and far, and what it replaces.
  func results(for unit: Unit) -> [(name: String, value: RawJSON)] {
    entries(workflow.ancestors[unit.step]) + replaced(by: unit)
  }

  /// What an action gets beside the workflow's input: the results of the steps that its own names, and what it
  /// replaces.
  func needs(of unit: Unit) -> [(name: String, value: RawJSON)] {
    entries(workflow.needs[unit.step]) + replaced(by: unit)
  }

  private func entries(_ steps: [Int]) -> [(name: String, value: RawJSON)] {
    steps.compactMap { step in result(of: step).map { (workflow.steps[step].name, $0.value) } }
  }

  private func replaced(by unit: Unit) -> [(name: String, value: RawJSON)] {
    (caught[unit] ?? []).map { (workflow.steps[$0.unit.acting].name, $0.failure.stepResult) }
  }

  /// What a step came to; `nil` = nothing, as one that was skipped, or not yet.
  func result(of step: Int) -> StepResult? {
    if case .done(let result) = progress[step] { result } else { nil }
  }

  func isDone(_ step: Int) -> Bool { progress[step].isDone }

  // MARK: What is next

  private mutating func settle(_ unit: Unit, _ result: StepResult?) {
    caught[unit] = nil
    guard case .running(var elements) = progress[unit.step] else { return }
    elements.results[unit.element ?? 0] = result
    elements.ended += 1
    progress[unit.step] = .running(elements)
    complete(unit.step)
  }

  /// Takes the results of the elements together, in the order of the list, once all are there.
  private mutating func complete(_ step: Int) {
    guard case .running(let elements) = progress[step], elements.ended == elements.results.count else {
      return
    }
    guard elements.isList else {
      progress[step] = .done(elements.results[0])
      return
    }
    var writer = JSONWriter()
    writer.array { list in for result in elements.results { list.write(result?.value ?? .null) } }
    progress[step] = .done(StepResult(writer.raw))
  }

  /// Begins what can begin, in the order of the steps.
  private mutating func advance() -> [Order] {
    guard !isFailing else { return [] }
    var orders: [Order] = []
    // A step that is skipped at once lets later ones begin, never earlier ones: one pass is enough.
    for step in workflow.steps.indices.dropLast(workflow.substituteCount) {
      if case .waiting = progress[step], workflow.needs[step].allSatisfy(isDone) {
        begin(step, &orders)
      }
      guard case .running(var elements) = progress[step] else { continue }
      while underWay < Self.actionsMax, elements.begun < elements.results.count,
        elements.underWay < workflow.steps[step].limit
      {
        let element = elements.isList ? elements.begun : nil
        orders.append(
          .act(Unit(step: step, acting: step, element: element), attempt: 1, afterSeconds: 0))
        elements.begun += 1
        underWay += 1
      }
      progress[step] = .running(elements)
    }
    return orders
  }

  private mutating func begin(_ step: Int, _ orders: inout [Order]) {
    guard underWay < Self.actionsMax else { return }
    guard workflow.steps[step].hasCondition || workflow.steps[step].list != nil else {
      progress[step] = .running(Elements(results: [nil], isList: false))
      return
    }
    progress[step] = .deciding
    orders.append(.decide(step: step))
    underWay += 1
  }
}
