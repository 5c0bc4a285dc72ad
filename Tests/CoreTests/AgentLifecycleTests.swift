// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import Core

@Suite("The lifecycle of an agent")
struct AgentLifecycleTests {
  /// All that the contract allows, beside the end, which may follow everything.
  private static let allowed: Set<[AgentLifecycle.State]> = [
    [.created, .initializing], [.initializing, .validating], [.validating, .validated], [.validated, .ready],
    [.ready, .executing], [.executing, .completed], [.executing, .failed], [.completed, .ready],
    [.failed, .ready],
  ]

  /// One that has come to a state by the way that there is.
  private static func agent(_ state: AgentLifecycle.State) throws -> AgentLifecycle {
    let agent = AgentLifecycle()
    let way: [AgentLifecycle.State] = [.initializing, .validating, .validated, .ready, .executing]
    switch state {
    case .created: break
    case .completed, .failed, .terminated: for next in way + [state] { try agent.move(to: next) }
    default: for next in way.prefix(through: way.firstIndex(of: state) ?? 0) { try agent.move(to: next) }
    }
    return agent
  }

  @Test(
    "of all pairs of states exactly those of the contract follow each other",
    arguments: AgentLifecycle.State.allCases)
  func transitions(from state: AgentLifecycle.State) throws {
    for next in AgentLifecycle.State.allCases {
      let agent = try Self.agent(state)
      #expect(agent.state == state)
      if Self.allowed.contains([state, next]) || (next == .terminated && state != .terminated) {
        try agent.move(to: next)
        #expect(agent.state == next)
      } else {
        let failure = #expect(throws: Failure.self) { try agent.move(to: next) }
        #expect(failure?.code == .conflict && agent.state == state)
      }
    }
  }

  @Test("it executes until its last run has ended, and ends as that one did")
  func runs() throws {
    let agent = try Self.agent(.ready)
    try agent.begin()
    try agent.begin()
    agent.end(completed: false)
    #expect(agent.state == .executing && agent.running == 1)
    agent.end(completed: true)
    #expect(agent.state == .completed)
    try agent.begin()
    #expect(agent.state == .executing)
    agent.end(completed: false)
    #expect(agent.state == .failed)
  }

  @Test("it does nothing before it is ready, and is let go of with its last run")
  func ends() throws {
    #expect(throws: Failure.self) { try AgentLifecycle().begin() }
    let agent = try Self.agent(.ready)
    try agent.begin()
    agent.retire()
    #expect(agent.state == .executing)
    agent.end(completed: true)
    #expect(agent.state == .terminated)
    let idle = try Self.agent(.ready)
    idle.retire()
    #expect(idle.state == .terminated)
  }
}
