// SPDX-License-Identifier: Apache-2.0
import JSONCodec
import TestSupport
import Testing

@testable import Core

/// Random graphs, their actions ending in random orders.
@Suite("Workflow, any graph in any order")
struct WorkflowPropertyTests {
  private static func graph(_ numbers: inout SplitMix64) throws -> Workflow {
    let count = Int.random(in: 1...9, using: &numbers)
    // Names in an order of their own, so that it says nothing about the graph.
    let names = (0..<count).map { "s\($0)" }.shuffled(using: &numbers)
    var steps: [Workflow.Step] = []
    for (index, name) in names.enumerated() {
      let needs = names[..<index].filter { _ in Int.random(in: 0..<3, using: &numbers) == 0 }
      let list: Workflow.ListSource? =
        switch Int.random(in: 0..<5, using: &numbers) {
        case 0: .function
        case 1: needs.first.map { .step($0) }
        default: nil
        }
      let policy: Workflow.ErrorPolicy =
        switch Int.random(in: 0..<4, using: &numbers) {
        case 0: .proceed
        case 1: .substitute("aid")
        default: .fail
        }
      steps.append(
        step(
          name, needs: needs, when: Bool.random(using: &numbers), list: list,
          limit: Int.random(in: 1...3, using: &numbers), attempts: Int.random(in: 1...3, using: &numbers),
          onError: policy))
    }
    return try Workflow(steps + [step("aid", onError: .proceed)])
  }

  /// What an order comes to depends on nothing but the order itself.
  private struct World {
    let seed: UInt64
    let canFail: Bool

    func chance(_ text: String, _ share: Int) -> Bool {
      var hash = StableHash()
      hash.combine(seed)
      hash.combine(text)
      return hash.value % UInt64(share) == 0
    }
  }

  /// - Returns: How it ended, and what began.
  private static func run(
    _ workflow: Workflow, _ world: World, order numbers: inout SplitMix64
  ) throws -> (WorkflowEngine.Ending?, begun: Set<String>) {
    var engine = WorkflowEngine(workflow)
    var waiting = engine.start()
    var begun: Set<String> = []
    var done: Set<Int> = []
    while !waiting.isEmpty {
      #expect(engine.underWay == waiting.count)
      let order = waiting.remove(at: Int.random(in: waiting.indices, using: &numbers))
      switch order {
      case .decide(let step):
        #expect(begun.insert("\(step)?").inserted)
        #expect(workflow.needs[step].allSatisfy { need in done.contains(need) })
        if world.chance("skip \(step)", 4) {
          waiting += engine.decided(step, .skip)
        } else {
          waiting += engine.decided(
            step,
            workflow.steps[step].list == nil ? .once : .each(count: world.chance("n \(step)", 2) ? 0 : 3))
        }
      case .act(let unit, let attempt, _):
        let name = "\(unit.step).\(unit.acting).\(unit.element ?? -1)/\(attempt)"
        #expect(begun.insert(name).inserted, "\(name) began twice")
        #expect(
          workflow.needs[unit.step].allSatisfy { need in done.contains(need) }, "\(name) began too early")
        // What it may read is there.
        let read = engine.results(for: unit).map(\.name)
        #expect(Set(read).isSubset(of: workflow.steps.map(\.name)))
        if world.canFail, world.chance("fail \(name)", 3) {
          let failure = Failure(.upstream, name, retryable: world.chance("again \(name)", 2))
          waiting += engine.failed(unit, attempt: attempt, failure)
        } else {
          waiting += engine.finished(unit, StepResult(RawJSON(.string(name))))
        }
      }
      for step in workflow.steps.indices where engine.isDone(step) { done.insert(step) }
    }
    #expect(engine.underWay == 0)
    return (engine.ending, begun)
  }

  @Test("whatever ends first: each action is done once, after all that it needs, and the answer is the same")
  func anyOrder() throws {
    var completed = 0
    for seed in 0..<400 as Range<UInt64> {
      var numbers = SplitMix64(seed: seed)
      let workflow = try Self.graph(&numbers)
      let world = World(seed: seed, canFail: seed % 2 == 0)
      let (first, begun) = try Self.run(workflow, world, order: &numbers)
      let ending = try #require(first)
      if case .completed = ending { completed += 1 }
      for _ in 0..<12 {
        let (other, alsoBegun) = try Self.run(workflow, world, order: &numbers)
        switch (ending, other) {
        case (.completed, _):
          #expect(other == ending)
          #expect(alsoBegun == begun)
        // Which steps had begun when the first error came is up to the order; that there is one, is not.
        case (.failed, .failed?): break
        default: Issue.record("seed \(seed): \(ending) in one order, \(String(describing: other)) in another")
        }
      }
    }
    #expect((200..<400).contains(completed))
  }
}
