// SPDX-License-Identifier: Apache-2.0
import JSONCodec
import Testing

@testable import Core

/// Steps without actions of their own, for graphs.
func step(
  _ name: String, needs: [String] = [], when: Bool = false, list: Workflow.ListSource? = nil, limit: Int = 8,
  attempts: Int = 1, onError: Workflow.ErrorPolicy = .fail
) -> Workflow.Step {
  Workflow.Step(
    WorkflowTask(
      name: name, action: .function, retry: WorkflowTask.Retry(attempts: attempts, backoffSeconds: 1)),
    needs: needs, hasCondition: when, list: list, limit: limit, onError: onError)
}

@Suite("Workflow")
struct WorkflowTests {
  private func problems(_ steps: Workflow.Step...) -> [String] {
    do {
      _ = try Workflow(steps)
      return []
    } catch {
      return error.list.map { "\($0.path.joined(separator: ".")): \($0.message)" }
    }
  }

  @Test("steps stand behind what they need, in phases, and the last ones are the answer")
  func order() throws {
    let workflow = try Workflow([
      step("d", needs: ["a", "b"]), step("c", needs: ["b"]), step("b", needs: ["a"]), step("a"),
      step("e", onError: .substitute("aid")), step("aid"),
    ])
    #expect(workflow.steps.map(\.name) == ["a", "e", "b", "c", "d", "aid"])
    #expect(
      workflow.phases.map { $0.map { workflow.steps[$0].name } } == [["a", "e"], ["b"], ["c", "d"]])
    #expect(workflow.last.map { workflow.steps[$0].name } == ["e", "c", "d"])
    #expect(workflow.ancestors[4] == [0, 2])
    #expect(workflow.replaced(by: 5) == ["e"])
  }

  @Test("what is no graph is told, with the way that comes back and the name that was meant")
  func refuses() {
    #expect(
      problems(step("a", needs: ["c"]), step("b", needs: ["a"]), step("c", needs: ["b"])) == [
        "steps.a: steps wait for each other: a → c → b → a"
      ])
    #expect(problems(step("a", needs: ["a"])) == ["steps.a: steps wait for each other: a → a"])
    #expect(
      problems(step("a", onError: .substitute("b")), step("b", onError: .substitute("a"))) == [
        "steps.a.on_error: steps run in place of each other: a → b → a"
      ])
    #expect(
      problems(step("title"), step("b", needs: ["titel"])) == ["steps.b.needs.1: there is no step 'titel'"])
    #expect(problems(step("a", onError: .substitute("x"))) == ["steps.a.on_error: there is no step 'x'"])
    #expect(
      problems(step("a"), step("b", list: .step("a"))) == [
        "steps.b.for_each: 'b' runs for each result of 'a' and does not need it"
      ])
    #expect(
      problems(step("a", onError: .substitute("b")), step("b", needs: ["a"])) == [
        "steps.b.needs: 'b' runs in place of another step, and has no 'needs' of its own"
      ])
    #expect(
      problems(step("a", onError: .substitute("b")), step("b"), step("c", needs: ["b"])) == [
        "steps.c.needs.1: 'b' runs only in place of another step, and cannot be needed"
      ])
  }

  @Test(
    "spans of time are read and written as people do",
    arguments: [
      ("1s", 1.0, "1s"), ("0.5s", 0.5, "0.5s"), ("90m", 5400, "90m"), ("48h", 172_800, "48h"),
      ("1.5h", 5400, "90m"), ("7d", 604_800, "7d"),
    ])
  func durations(text: String, seconds: Double, written: String) {
    #expect(WorkflowDuration.seconds(text) == seconds)
    #expect(WorkflowDuration.text(seconds) == written)
  }

  @Test(
    "what is no span of time is none",
    arguments: ["", "s", "5", "5 s", "-1s", "0s", "1w", "500ms", "400d", "1h30m", "٣s"])
  func noDurations(text: String) { #expect(WorkflowDuration.seconds(text) == nil) }

  @Test("pauses double up to a minute, and only what may go away is attempted again")
  func pauses() {
    let retry = WorkflowTask.Retry(attempts: 9, backoffSeconds: 1)
    let passing = Failure(.upstream, "busy", retryable: true)
    #expect((1...9).map { retry.pause(after: $0, passing) } == [1, 2, 4, 8, 16, 32, 60, 60, nil])
    #expect(retry.pause(after: 1, Failure(.internal, "no")) == nil)
    #expect(retry.pause(after: 0, passing) == nil)
    #expect(
      retry.pause(after: 1, Failure(.rateLimited, "wait", retryable: true, retryAfterSeconds: 5)) == 5)
  }

  @Test(
    "of what failed before a crash that counts which nothing catches, the first in the order of the steps")
  func recordedFailures() throws {
    let workflow = try Workflow([
      step("a", attempts: 2), step("b", needs: ["a"]), step("c", onError: .substitute("aid")), step("aid"),
      step("d", onError: .proceed), step("else", list: .function),
    ])
    let passing = Failure(.upstream, "busy", retryable: true)
    let lasting = Failure(.internal, "no")
    func found(_ recorded: (String, Failure)...) -> Failure? {
      WorkflowKeys.failure(of: workflow, in: recorded.map { (key: Substring($0.0), failure: $0.1) })
    }
    #expect(found(("a/1", passing)) == nil)
    #expect(found(("a/2!", passing)) == passing)
    #expect(found(("a/1!", lasting)) == lasting)
    #expect(found(("c/1!", lasting), ("d/1", lasting)) == nil)
    #expect(found(("c.else.aid/1!", lasting)) == lasting)
    #expect(found(("b/1", lasting), ("a/2", passing)) == passing)
    #expect(found(("else.2/1", lasting), ("else.1/1", passing)) == passing)
    #expect(found(("else/0!", lasting)) == lasting)
    // Of an agent that the step called, or a host call of its function: it may have been caught there.
    #expect(found(("a/1/tool.0.0", lasting), ("a/1:3", lasting), ("a/1.input:1", lasting)) == nil)
  }
}

@Suite("WorkflowEngine")
struct WorkflowEngineTests {
  private static let broken = Failure(.internal, "broken")
  private static let passing = Failure(.upstream, "busy", retryable: true)
  private static let yes = StepResult(RawJSON(true))

  private static func act(_ order: WorkflowEngine.Order) throws -> WorkflowEngine.Unit {
    guard case .act(let unit, _, _) = order else { throw Failure(.internal, "not an action: \(order)") }
    return unit
  }

  private static func names(_ orders: [WorkflowEngine.Order], _ engine: WorkflowEngine) -> [String] {
    orders.map { order in
      switch order {
      case .decide(let step): "decide \(engine.workflow.steps[step].name)"
      case .act(let unit, let attempt, let pause):
        engine.workflow.steps[unit.acting].name + (unit.element.map { "[\($0)]" } ?? "")
          + (attempt > 1 ? " again after \(pause)" : "")
      }
    }
  }

  @Test("independent steps begin together, the others when their needs have ended")
  func parallel() throws {
    var engine = WorkflowEngine(
      try Workflow([
        step("a"), step("b", needs: ["a"]), step("c", needs: ["b"]), step("d", needs: ["a", "b"]),
      ]))
    var orders = engine.start()
    #expect(Self.names(orders, engine) == ["a"])
    orders = engine.finished(try Self.act(orders[0]), Self.yes)
    #expect(Self.names(orders, engine) == ["b"])
    orders = engine.finished(try Self.act(orders[0]), Self.yes)
    #expect(Self.names(orders, engine) == ["c", "d"])
    for order in orders { _ = engine.finished(try Self.act(order), Self.yes) }
    #expect(
      engine.ending == .completed([.init(name: "c", result: Self.yes), .init(name: "d", result: Self.yes)]))
  }

  @Test("a step that is skipped has no result, and what needs it runs")
  func skips() throws {
    var engine = WorkflowEngine(try Workflow([step("a", when: true), step("b", needs: ["a"])]))
    var orders = engine.start()
    #expect(Self.names(orders, engine) == ["decide a"])
    orders = engine.decided(0, .skip)
    #expect(Self.names(orders, engine) == ["b"])
    #expect(engine.needs(of: try Self.act(orders[0])).isEmpty)
    _ = engine.finished(try Self.act(orders[0]), Self.yes)
    #expect(engine.ending == .completed([.init(name: "b", result: Self.yes)]))
  }

  @Test("a list runs no more elements at once than its limit, and its results keep the list's order")
  func lists() throws {
    var engine = WorkflowEngine(try Workflow([step("a", list: .function, limit: 2)]))
    _ = engine.start()
    var orders = engine.decided(0, .each(count: 5))
    #expect(Self.names(orders, engine) == ["a[0]", "a[1]"])
    var waiting = try orders.map(Self.act)
    while let unit = waiting.popLast() {
      orders = engine.finished(unit, StepResult(RawJSON(.integer(Int64(unit.element ?? -1)))))
      #expect(engine.underWay <= 2)
      waiting += try orders.map(Self.act)
    }
    #expect(engine.ending == .completed([.init(name: "a", result: StepResult(RawJSON([0, 1, 2, 3, 4])))]))
  }

  @Test("a list without elements is an empty result")
  func emptyList() throws {
    var engine = WorkflowEngine(try Workflow([step("a", list: .function), step("b", needs: ["a"])]))
    _ = engine.start()
    let orders = engine.decided(0, .each(count: 0))
    #expect(Self.names(orders, engine) == ["b"])
    #expect(engine.needs(of: try Self.act(orders[0])).map(\.value) == [RawJSON([])])
  }

  @Test("a step is attempted again as often as it says, while its error may go away")
  func retries() throws {
    var engine = WorkflowEngine(try Workflow([step("a", attempts: 3)]))
    var orders = engine.start()
    for pause in [1.0, 2.0] {
      orders = engine.failed(try Self.act(orders[0]), attempt: Int(pause), Self.passing)
      #expect(Self.names(orders, engine) == ["a again after \(pause)"])
    }
    #expect(engine.failed(try Self.act(orders[0]), attempt: 3, Self.passing).isEmpty)
    #expect(engine.ending == .failed(Self.passing))
    engine = WorkflowEngine(engine.workflow)
    #expect(engine.failed(try Self.act(engine.start()[0]), attempt: 1, Self.broken).isEmpty)
    #expect(engine.ending == .failed(Self.broken))
  }

  @Test("a step in place of one that failed sees the error, and its result counts as the other's")
  func substitutes() throws {
    var engine = WorkflowEngine(
      try Workflow([
        step("a"), step("b", needs: ["a"], onError: .substitute("c")), step("c", onError: .substitute("d")),
        step("d"), step("e", needs: ["b"]),
      ]))
    var orders = engine.finished(try Self.act(engine.start()[0]), Self.yes)
    orders = engine.failed(try Self.act(orders[0]), attempt: 1, Self.broken)
    #expect(Self.names(orders, engine) == ["c"])
    orders = engine.failed(try Self.act(orders[0]), attempt: 1, Self.passing)
    #expect(Self.names(orders, engine) == ["d"])
    let seen = engine.needs(of: try Self.act(orders[0]))
    #expect(seen.map(\.name) == ["a", "b", "c"])
    #expect(seen[1].value == RawJSON(["error": ["code": "internal", "message": "broken"]]))
    orders = engine.finished(try Self.act(orders[0]), Self.yes)
    #expect(Self.names(orders, engine) == ["e"])
    #expect(engine.needs(of: try Self.act(orders[0])).map(\.name) == ["b"])
  }

  @Test("an element that failed and may is null in its place")
  func proceeds() throws {
    var engine = WorkflowEngine(try Workflow([step("a", list: .function, onError: .proceed)]))
    _ = engine.start()
    let orders = engine.decided(0, .each(count: 2))
    _ = engine.failed(try Self.act(orders[0]), attempt: 1, Self.broken)
    _ = engine.finished(try Self.act(orders[1]), Self.yes)
    #expect(engine.ending == .completed([.init(name: "a", result: StepResult(RawJSON([nil, true])))]))
  }

  @Test(
    "after an error nothing begins; the end waits for what is under way and tells the first in the steps' order"
  )
  func fails() throws {
    var engine = WorkflowEngine(try Workflow([step("a"), step("b"), step("c"), step("d", needs: ["c"])]))
    let orders = engine.start()
    #expect(engine.failed(try Self.act(orders[1]), attempt: 1, Self.broken).isEmpty)
    #expect(engine.isFailing && engine.ending == nil)
    #expect(engine.finished(try Self.act(orders[2]), Self.yes).isEmpty)
    #expect(engine.failed(try Self.act(orders[0]), attempt: 1, Self.passing).isEmpty)
    #expect(engine.ending == .failed(Self.passing))
  }

  @Test("more than so many actions are never under way at once")
  func bounded() throws {
    var engine = WorkflowEngine(try Workflow((0..<100).map { step("s\($0)") }))
    var waiting = try engine.start().map(Self.act)
    #expect(waiting.count == WorkflowEngine.actionsMax)
    var count = 0
    while let unit = waiting.popLast() {
      count += 1
      waiting += try engine.finished(unit, Self.yes).map(Self.act)
      #expect(engine.underWay <= WorkflowEngine.actionsMax)
    }
    #expect(count == 100 && engine.ending != nil)
  }
}
