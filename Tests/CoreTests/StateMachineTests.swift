// SPDX-License-Identifier: Apache-2.0
import JSONCodec
import Testing

@testable import Core

@Suite("StateMachine")
struct StateMachineTests {
  private static let broken = Failure(.internal, "broken")

  private static func state(
    _ name: String, _ exit: StateMachine.Exit = .end, onError: String? = nil, attempts: Int = 1
  ) -> StateMachine.State {
    StateMachine.State(
      WorkflowTask(
        name: name, action: .function, retry: WorkflowTask.Retry(attempts: attempts, backoffSeconds: 1)),
      exit: exit, onError: onError)
  }

  private func problems(_ initial: String, _ states: StateMachine.State...) -> [String] {
    StateMachine.problems(of: states, initial: initial).map {
      "\($0.kind) \($0.path.joined(separator: "."))"
    }
  }

  private static func state(_ order: StateMachineEngine.Order) -> String {
    switch order {
    case .act(let state, let attempt, _): "\(state.name) \(attempt)"
    case .choose(let state, _): "next of \(state.name)"
    case .finish(let state, let result): "end in \(state.name): \(result.value.text)"
    }
  }

  private static func value(_ text: String) -> StepResult { StepResult(RawJSON(.string(text))) }

  @Test(
    "names that lead nowhere are refused; states that nothing leads to, and circles without end, are told")
  func validates() {
    #expect(problems("s", Self.state("s", .state("t")), Self.state("t")) == [])
    #expect(problems("x", Self.state("s")) == ["unknownName initial", "unreachable states.s"])
    #expect(
      problems("s", Self.state("s", .state("t"), onError: "u")) == [
        "unknownName states.s.on.ok", "unknownName states.s.on.error",
      ])
    #expect(
      problems("s", Self.state("s", .state("s")), Self.state("t")) == [
        "endless states.s", "unreachable states.t",
      ])
    #expect(problems("s", Self.state("s", .function), Self.state("t")) == [])
    #expect(throws: WorkflowProblems.self) { try StateMachine(initial: "s", [Self.state("s", .state("t"))]) }
  }

  @Test("one action at a time, along the ways that are written down, to the end")
  func walks() throws {
    var engine = StateMachineEngine(
      try StateMachine(
        initial: "start",
        [
          Self.state("start", .state("work")), Self.state("work", .function, onError: "error", attempts: 2),
          Self.state("error", .state("work")), Self.state("complete"),
        ]))
    #expect(Self.state(try engine.start()) == "start 1")
    #expect(Self.state(try engine.finished(Self.value("a"))) == "work 1")
    let passing = Failure(.timeout, "slow", retryable: true)
    #expect(Self.state(try engine.failed(attempt: 1, passing)) == "work 2")
    #expect(engine.visit == 2)
    #expect(Self.state(try engine.failed(attempt: 2, passing)) == "error 1")
    #expect(engine.results.map(\.name) == ["start", "work"])
    #expect(engine.results[1].value == RawJSON(["error": ["code": "timeout", "message": "slow"]]))
    #expect(Self.state(try engine.finished(Self.value("b"))) == "work 1")
    #expect(Self.state(try engine.finished(Self.value("c"))) == "next of work")
    #expect(engine.results.map(\.name) == ["start", "error", "work"])
    #expect(Self.state(try engine.chose("complete")) == "complete 1")
    #expect(engine.visit == 5)
    #expect(Self.state(try engine.finished(Self.value("d"))) == "end in complete: \"d\"")
  }

  @Test("an error that nothing catches is the machine's, and so is a state that there is not")
  func fails() throws {
    var engine = StateMachineEngine(try StateMachine(initial: "s", [Self.state("s", .function)]))
    _ = try engine.start()
    #expect(throws: Self.broken) { try engine.failed(attempt: 1, Self.broken) }
    _ = try engine.finished(Self.value("a"))
    let failure = #expect(throws: Failure.self) { try engine.chose("t") }
    #expect(failure?.diagnostic?.contains("there is no state 't'") == true)
    #expect(Self.state(try engine.chose(nil)) == "end in s: \"a\"")
  }

  @Test("a machine that goes in a circle ends after a thousand transitions")
  func ends() throws {
    var engine = StateMachineEngine(try StateMachine(initial: "s", [Self.state("s", .state("s"))]))
    _ = try engine.start()
    for _ in 1..<1000 { _ = try engine.finished(Self.value("a")) }
    let failure = #expect(throws: Failure.self) { try engine.finished(Self.value("a")) }
    #expect(failure?.code == .limit)
  }
}
