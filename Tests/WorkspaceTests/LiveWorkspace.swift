// SPDX-License-Identifier: Apache-2.0
import Core
import Foundation
import HostModules
import JSONCodec
import Logging
import Storage
import Transport

@testable import Workspace

/// A folder and the databases beside it, on which workspaces are opened as often as a server starts.
final class LiveWorkspace: Sendable {
  let folder: TestFolder
  let store: SQLiteStore
  private let scripts: SQLiteScriptDatabase
  private let client: HTTPClient
  private let resources: ScriptResources

  private init(_ files: [String: String]) async throws {
    folder = TestFolder(files)
    client = try HTTPClient()
    store = try await SQLiteStore.open(directory: folder.path + "/data", synchronous: .normal)
    scripts = try await SQLiteScriptDatabase.open(directory: folder.path + "/data")
    resources = ScriptResources(
      database: scripts, keyValue: SQLiteKeyValueStore(store: store, time: RealTime()), jobs: store,
      http: client,
      httpPolicy: HTTPPolicy(), secrets: ScriptSecrets(), time: RealTime(),
      logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
  }

  static func with(_ files: [String: String], _ body: (LiveWorkspace) async throws -> Void) async throws {
    let live = try await LiveWorkspace(files)
    try await body(live)
    await live.client.shutdown()
    await live.scripts.close()
    try await live.store.close()
  }

  func open(_ role: Workspace.Role = .server(canaryPercent: 0)) async throws -> Workspace {
    try await Workspace(
      directory: folder.path, resources: resources, settings: LuaScriptHost.Settings(), defaults: RunLimits(),
      store: store, role: role)
  }
}

extension ScriptVersions {
  /// Opens a run of an agent, as a turn does.
  func run(_ agent: String, session: String = "s") async throws -> any ScriptRun {
    let host = deployment.host(userID: "u", sessionID: session)
    guard let agent = host.agents[agent] else { throw Failure(.notFound, agent) }
    let context = RunContext(
      runID: "r", agent: agent, user: .local, sessionID: session, state: .emptyObject,
      input: RawJSON(["message": "hi"]), history: [])
    return try await host.open(
      context, services: NoServices(), caller: nil,
      journal: Journal(runID: "r", seed: 1, store: NoJournal(), time: RealTime()), prefix: "",
      within: nil)
  }

  /// What an agent's `run` answers.
  func answer(_ agent: String, session: String = "s") async throws -> String {
    let run = try await run(agent, session: session)
    let answer = try await run.run().text
    await run.close()
    return answer
  }
}

private struct NoServices: RunServices {
  private var none: Failure { Failure(.internal, "there is nothing here") }

  func callTool(
    name: String, arguments: JSON, key: String, within transaction: (any OpenTransaction)?
  ) async throws -> RawJSON { throw none }
  func runAgent(
    name: String, input: JSON, key: String, within transaction: (any OpenTransaction)?
  ) async throws -> ScriptReply { throw none }
  func chat(_ request: ModelRequest, key: String, onText: TextListener?) async throws -> ModelReply {
    throw none
  }
  func embed(_ request: EmbeddingRequest, key: String) async throws -> EmbeddingReply { throw none }
  func ask(_ question: Approval.Question, timeout: Duration?, key: String) async throws -> JSON {
    throw none
  }
  func sleep(for duration: Duration, on clock: any TimeSource, key: String) async throws {}
  func askWhetherDone(_ begun: JournalEntry, arguments: RawJSON?) async throws -> RawJSON? { nil }
}

/// Keeps nothing.
private struct NoJournal: JournalStore {
  func writeJournal(_ batch: JournalBatch, runID: String, done: @escaping @Sendable (Failure?) -> Void) {
    done(nil)
  }
  func journal(ofRun id: String) async throws -> [JournalEntry] { [] }
}

private struct RealTime: TimeSource {
  var now: Timestamp { Timestamp(milliseconds: Int64(Date().timeIntervalSince1970 * 1000)) }
  var elapsed: Duration { .milliseconds(now.milliseconds) }
  func sleep(for duration: Duration) async throws { try await Task.sleep(for: duration) }
}
