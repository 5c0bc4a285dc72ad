// SPDX-License-Identifier: Apache-2.0
public import Core
public import HostModules
public import Lint
import Synchronization

/// The workspace folder of a process, and the versions of its scripts that runs take.
///
/// A folder comes into force whole or not at all: it is loaded beside what is in force, checked, and put in its place
/// in one step. Runs under way keep what they began with. What is in force is in the store, too: a version that was
/// activated stays until the folder is no longer what it was then, also over a restart.
public final class Workspace: ScriptVersions {
  /// Who decides what is in force.
  public enum Role: Sendable, Hashable {
    /// A command: runs what is in force, and decides nothing for others.
    case guest
    /// A server; a changed folder becomes the candidate for that share of sessions, 0 = comes into force at once.
    case server(canaryPercent: Int)
  }

  public let directory: String
  let library: ScriptLibrary
  let store: any VersionStore
  let time: any TimeSource
  private let role: Role
  private let loads = LoadLine()
  private let state: Mutex<State>

  struct State {
    var deployment: Deployment
    /// What was decided last, and by whom soever.
    var record: DeploymentRecord
    var problems: [ScriptProblem] = []
    /// Cells of versions that runs may still be in, beside those in force.
    var retired: [RetiredPool] = []
    /// Versions that were loaded for runs that go on, by identifier.
    var pinned: [String: PinnedHost] = [:]
    var watchers: [Int: AsyncStream<Void>.Continuation] = [:]
    var lastWatcher = 0
  }

  /// Lives as long as a run that began with it.
  struct PinnedHost {
    weak var host: LuaScriptHost?
  }

  /// Lives as long as its last run.
  struct RetiredPool {
    weak var pool: CellPool?
  }

  /// Loads the folder, or what was activated in its place.
  ///
  /// - Parameter lint: With what the folder's scripts are linted, so that one with an error is refused; nil = only what
  ///   cannot be loaded is.
  /// - Throws: ``WorkspaceError`` when a script is wrong, ``Failure`` when a tools file's `schema` is.
  public init(
    directory: String, resources: ScriptResources, settings: LuaScriptHost.Settings, defaults: RunLimits,
    lint: LintSettings? = nil, store: any VersionStore, role: Role = .guest
  ) async throws {
    self.directory = directory
    self.store = store
    self.role = role
    time = resources.time
    library = ScriptLibrary(
      directory: directory, resources: resources, settings: settings, defaults: defaults, lint: lint,
      store: store)
    let folder = await library.readFolder()
    if !folder.problems.isEmpty { try await library.refuse(folder) }
    let record = try await store.deployment()
    let plan = role.plan(for: folder.version, record, known: nil, at: time.now)
    let deployment = try await library.deployment(plan, folder, inForce: nil)
    if role != .guest, plan != record { try await store.setDeployment(plan, by: nil) }
    state = Mutex(State(deployment: deployment, record: plan))
  }

  public var deployment: Deployment { state.withLock { $0.deployment } }
  public var problems: [ScriptProblem] { state.withLock { $0.problems } }

  public var usage: ScriptUsage {
    let (deployment, retired) = state.withLock { ($0.deployment, $0.retired.compactMap(\.pool)) }
    let pools = deployment.hosts.map(\.pool) + retired
    return pools.map(\.usage).reduce(ScriptUsage()) { sum, one in
      ScriptUsage(
        cells: sum.cells + one.cells, runs: sum.runs + one.runs,
        memoryBytes: sum.memoryBytes + one.memoryBytes)
    }
  }

  public func changes() -> AsyncStream<Void> {
    let (stream, continuation) = AsyncStream<Void>.makeStream(bufferingPolicy: .bufferingNewest(1))
    let number = state.withLock { state in
      state.lastWatcher += 1
      state.watchers[state.lastWatcher] = continuation
      return state.lastWatcher
    }
    continuation.onTermination = { [weak self] _ in
      self?.state.withLock { _ = $0.watchers.removeValue(forKey: number) }
    }
    return stream
  }

  public func host(ofVersion version: String) async throws -> any ScriptHost {
    try await loads.next { [self] in
      let known = state.withLock { state in
        state.deployment.hosts.first { $0.version == version } ?? state.pinned[version]?.host
      }
      if let known { return known }
      let host = try await library.host(ofVersion: version, migrates: false)
      state.withLock { state in
        state.pinned = state.pinned.filter { $0.value.host != nil }
        state.pinned[version] = PinnedHost(host: host)
        state.retired.removeAll { $0.pool == nil }
        state.retired.append(RetiredPool(pool: host.pool))
      }
      return host
    }
  }

  // MARK: Loading

  /// Whether the store has a decision that this process does not know, or does not answer.
  public var isOutdated: Bool {
    get async {
      guard let record = try? await store.deployment() else { return true }
      return record != state.withLock { $0.record }
    }
  }

  /// Loads the folder again, and what was activated meanwhile; new runs take it.
  ///
  /// - Returns: Whether something else is in force now.
  /// - Throws: ``WorkspaceError`` or ``Failure``, which are ``problems`` then; what was in force stays.
  @discardableResult
  public func reload() async throws -> Bool {
    try await loads.next { [self] in
      do {
        return try await load()
      } catch {
        change { $0.problems = ScriptsRefused(error).problems }
        throw error
      }
    }
  }

  private func load() async throws -> Bool {
    let folder = await library.readFolder()
    if !folder.problems.isEmpty { try await library.refuse(folder) }
    let record = try await store.deployment()
    let known = state.withLock { $0.record }
    let plan = role.plan(for: folder.version, record, known: known, at: time.now)
    return try await enforce(plan, instead: record, folder)
  }

  public func activate(_ name: String, canaryPercent: Int?, by actor: AuditEntry.Actor) async throws {
    try await loads.next { [self] in
      let version = try await store.version(named: name).id
      let folder = await library.readFolder()
      let plan = try state.withLock { $0.record }.activating(
        version, canaryPercent: canaryPercent, folder: folder.version, at: time.now)
      do {
        _ = try await enforce(plan, instead: nil, folder, by: actor)
      } catch let error as WorkspaceError {
        throw ScriptsRefused(error)
      }
    }
  }

  /// Brings a decision into force and writes it down.
  private func enforce(
    _ plan: DeploymentRecord, instead record: DeploymentRecord?, _ folder: ScriptLibrary.Folder,
    by actor: AuditEntry.Actor? = nil
  ) async throws -> Bool {
    let before = deployment
    let deployment = try await library.deployment(plan, folder, inForce: before)
    if role != .guest, plan != record { try await store.setDeployment(plan, by: actor) }
    let stay = deployment.hosts
    let go = before.hosts.filter { old in !stay.contains { $0 === old } }
    change { state in
      state.record = plan
      state.problems = []
      state.deployment = deployment
      state.retired.removeAll { $0.pool == nil }
      state.retired += go.map { RetiredPool(pool: $0.pool) }
    }
    for host in go { host.retire() }
    return deployment !== before
  }

  /// Changes what watchers look at, and tells them.
  private func change(_ body: (inout State) -> Void) {
    let watchers = state.withLock { state in
      body(&state)
      return Array(state.watchers.values)
    }
    for watcher in watchers { watcher.yield() }
  }
}

extension Deployment {
  var hosts: [LuaScriptHost] {
    [active, candidate?.host].compactMap { $0 as? LuaScriptHost }
  }
}

extension ScriptLibrary {
  /// Loads what a decision names; what is in force already is taken as it is.
  fileprivate func deployment(
    _ plan: DeploymentRecord, _ folder: Folder, inForce now: Deployment?
  ) async throws -> Deployment {
    func host(_ version: String) async throws -> LuaScriptHost {
      if let host = now?.hosts.first(where: { $0.version == version }) { return host }
      return version == folder.version
        ? try await self.host(of: folder) : try await self.host(ofVersion: version)
    }
    if let now, now.active.version == plan.version,
      now.candidate?.host.version == plan.candidate?.version,
      now.candidate?.percent == plan.candidate?.percent
    {
      return now
    }
    let active = try await host(plan.version)
    guard let candidate = plan.candidate else { return Deployment(active: active) }
    return Deployment(
      active: active,
      candidate: Deployment.Candidate(host: try await host(candidate.version), percent: candidate.percent))
  }
}
