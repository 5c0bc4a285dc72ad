// SPDX-License-Identifier: Apache-2.0
import Core
import Testing

@Suite("Deployment")
struct DeploymentTests {
  private struct Version: ScriptHost {
    let version: String
    let agents: [String: Agent] = [:]
    let tools: [String: Tool] = [:]
    let usage = ScriptUsage()
    let lifecycles: [String: AgentLifecycle] = [:]

    func open(
      _ context: RunContext, services: any RunServices, caller: (any ScriptRun)?, journal: Journal,
      prefix: String, within transaction: (any OpenTransaction)?
    ) async throws -> any ScriptRun { throw Failure(.internal, "nothing runs here") }
  }

  private static func sessions(on version: String, percent: Int) -> Set<Int> {
    let deployment = Deployment(
      active: Version(version: "old"), candidate: .init(host: Version(version: version), percent: percent))
    return Set((0..<10_000).filter { deployment.host(userID: "u", sessionID: "s\($0)").version == version })
  }

  @Test("a candidate gets its share of the sessions", arguments: [1, 5, 50, 99])
  func share(percent: Int) {
    let count = Self.sessions(on: "new", percent: percent).count
    // Six standard deviations.
    let expected = Double(percent) * 100
    #expect(abs(Double(count) - expected) < 6 * (expected * (1 - expected / 10_000)).squareRoot())
  }

  @Test("a session stays where it is, also when the share grows")
  func sticky() {
    let few = Self.sessions(on: "new", percent: 5)
    #expect(few == Self.sessions(on: "new", percent: 5))
    #expect(few.isSubset(of: Self.sessions(on: "new", percent: 20)))
  }

  @Test("another candidate is tried by other sessions, and the same name of another user is another session")
  func independent() {
    let few = Self.sessions(on: "new", percent: 5)
    let others = Self.sessions(on: "newer", percent: 5)
    #expect(few.intersection(others).count < few.count / 4)
    let deployment = Deployment(
      active: Version(version: "old"), candidate: .init(host: Version(version: "new"), percent: 5))
    let strangers = few.filter { deployment.host(userID: "v", sessionID: "s\($0)").version == "new" }
    #expect(strangers.count < few.count / 4)
  }

  @Test("without a candidate every session runs what is in force")
  func alone() {
    let deployment = Deployment(active: Version(version: "old"))
    #expect(deployment.host(userID: "u", sessionID: "s").version == "old")
    #expect(deployment.track(of: "old") == .active && deployment.track(of: "new") == nil)
  }
}
