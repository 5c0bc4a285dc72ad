// SPDX-License-Identifier: Apache-2.0
public import Core
public import HostModules
import JSONCodec
import Lint
import Logging
import LuaHost

/// One bundle, ready to run: its definitions, and the cells in which its functions run.
public final class LuaScriptHost: ScriptHost {
  public struct Settings: Sendable {
    public var memoryBytesMax: Int
    /// Lua time of one run.
    public var cpu: Duration
    public var runsPerCell: Int
    /// Cells that are used beside each other from the start.
    public var spread: Int
    /// What `ctx.env` shows.
    public var environment: [String: String]

    public init(
      memoryBytesMax: Int = 32 << 20, cpu: Duration = .seconds(2), runsPerCell: Int = 32, spread: Int = 8,
      environment: [String: String] = [:]
    ) {
      self.memoryBytesMax = memoryBytesMax
      self.cpu = cpu
      self.runsPerCell = runsPerCell
      self.spread = spread
      self.environment = environment
    }
  }

  public let bundle: ScriptBundle
  public var version: String { bundle.version }
  public var agents: [String: Agent] { bundle.agents }
  public var tools: [String: Tool] { bundle.tools }
  public var usage: ScriptUsage { pool.usage }

  let resources: ScriptResources
  public let lifecycles: [String: AgentLifecycle]
  let pool: CellPool
  let budget: RunBudget
  let environment: RawJSON

  /// Makes the tables that the bundle's tools want, then stands ready.
  ///
  /// - Parameter migrates: False: the tables are as they are, for a version that is in force no longer.
  /// - Throws: ``Failure`` when a `schema` is refused.
  public init(
    _ bundle: ScriptBundle, resources: ScriptResources, settings: Settings = Settings(), migrates: Bool = true
  ) async throws(Failure) {
    self.bundle = bundle
    lifecycles = bundle.agents.mapValues { _ in AgentLifecycle() }
    // What an agent's file says was checked when the bundle was made of it.
    for agent in lifecycles.values { try agent.move(to: .initializing) }
    self.resources = resources
    environment = RawJSON(
      .object(JSONObject(settings.environment.sorted { $0.key < $1.key }.map { ($0.key, .string($0.value)) }))
    )
    budget = RunBudget(cpu: settings.cpu)
    pool = CellPool(runsPerCell: settings.runsPerCell, spread: settings.spread) { () throws(ScriptError) in
      try ScriptBundle.makeCell(
        programs: bundle.programs, memoryBytesMax: settings.memoryBytesMax, runsMax: settings.runsPerCell)
    }
    for warning in bundle.warnings {
      resources.logger.warning(
        "\(warning.file):\(warning.line):\(warning.column): \(warning.message) [\(warning.code)]")
    }
    for agent in lifecycles.values { try agent.move(to: .validating) }
    if migrates { try await migrate() }
    for agent in lifecycles.values {
      try agent.move(to: .validated)
      try agent.move(to: .ready)
    }
  }

  private func migrate() async throws(Failure) {
    for (file, schema) in bundle.schemas.sorted(by: { $0.key < $1.key }) {
      do {
        try await resources.database.migrate(owner: file, schema: schema)
      } catch {
        let failure = Failure(error)
        throw Failure(failure.code, "\(file): schema: \(failure.message)", diagnostic: failure.diagnostic)
      }
    }
  }

  /// Frees what is kept for new runs: it is in force no longer, and its last runs take their cells with them.
  func retire() {
    pool.retire()
    for agent in lifecycles.values { agent.retire() }
  }

  public func open(
    _ context: RunContext, services: any RunServices, caller: (any ScriptRun)?, journal: Journal,
    prefix: String, within transaction: (any OpenTransaction)?
  ) async throws -> any ScriptRun {
    let scope = ScriptScope(
      agentOf: context, services: services, resources: resources, tools: bundle.tools, texts: bundle.texts,
      journal: journal, prefix: prefix, within: transaction)
    return try await LuaScriptRun.open(
      scope, host: self, caller: caller as? LuaScriptRun, journal: journal)
  }
}
