// SPDX-License-Identifier: Apache-2.0
import Core
import Foundation
import HostModules
import JSONCodec
import Logging
import Models
import Storage
import Transport
import Workspace

/// A workspace in a folder of its own, with real databases, whose agents can be talked to.
final class TestWorkspace: Sendable {
  let runner: Runner
  let store: SQLiteStore
  let workspace: Workspace
  private let scripts: SQLiteScriptDatabase
  private let client: HTTPClient
  private let directory: String

  /// - Parameters:
  ///   - files: Lua by path.
  ///   - provider: Base URL of a model's server; without one no model is configured.
  init(
    _ files: [String: String], provider: String? = nil, dialect: ProviderConfiguration.Dialect = .openai,
    policy: HTTPPolicy = HTTPPolicy(allowsPrivateAddresses: true), secrets: ScriptSecrets = ScriptSecrets(),
    settings: LuaScriptHost.Settings = LuaScriptHost.Settings()
  ) async throws {
    directory = try TestWorkspace.write(files)
    client = try HTTPClient()
    let time = MachineTime()
    let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
    store = try await SQLiteStore.open(directory: directory + "/data", synchronous: .normal)
    scripts = try await SQLiteScriptDatabase.open(directory: directory + "/data")
    let model = ModelClient(
      configuration: ModelClient.Configuration(
        providers: [
          provider.map { ProviderConfiguration(dialect: dialect, baseURL: $0, retries: 0) }
            ?? ProviderConfiguration()
        ]), client: client, time: time, logger: logger)
    let workspace = try await Workspace(
      directory: directory,
      resources: ScriptResources(
        database: scripts, keyValue: SQLiteKeyValueStore(store: store, time: time), jobs: store,
        http: client,
        httpPolicy: policy, secrets: secrets,
        time: time, logger: logger), settings: settings, defaults: RunLimits(), store: store)
    self.workspace = workspace
    runner = Runner(store: store, model: model, time: time) { workspace.deployment }
  }

  static func write(_ files: [String: String]) throws -> String {
    let directory = FileManager.default.temporaryDirectory.path + "/perigee-" + UUID().uuidString
    for (path, text) in files {
      let url = URL(filePath: "\(directory)/\(path)")
      try FileManager.default.createDirectory(
        at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
      try Data(text.utf8).write(to: url)
    }
    return directory
  }

  func chat(
    _ agent: String, _ message: String = "hi", session: String? = nil, as user: Principal = .local
  ) async throws -> ChatReply {
    try await runner.chat(ChatRequest(agent: agent, message: message, sessionID: session), as: user).reply()
  }

  func close() async throws {
    await client.shutdown()
    await scripts.close()
    try await store.close()
    try FileManager.default.removeItem(atPath: directory)
  }

  /// Runs `body` with the workspace and takes everything away afterwards.
  @discardableResult
  static func with<Value: Sendable>(
    _ files: [String: String], provider: String? = nil, dialect: ProviderConfiguration.Dialect = .openai,
    policy: HTTPPolicy = HTTPPolicy(allowsPrivateAddresses: true), secrets: ScriptSecrets = ScriptSecrets(),
    settings: LuaScriptHost.Settings = LuaScriptHost.Settings(),
    _ body: (TestWorkspace) async throws -> Value
  ) async throws -> Value {
    let workspace = try await TestWorkspace(
      files, provider: provider, dialect: dialect, policy: policy, secrets: secrets, settings: settings)
    let value: Value
    do {
      value = try await body(workspace)
    } catch {
      try await workspace.close()
      throw error
    }
    try await workspace.close()
    return value
  }

  /// What a `run` agent with this body answers.
  static func answer(
    _ lua: String, access: String = "", tools: String? = nil, lists: String = "", provider: String? = nil,
    policy: HTTPPolicy = HTTPPolicy(allowsPrivateAddresses: true), secrets: ScriptSecrets = ScriptSecrets()
  ) async throws -> String {
    var files = [
      "agents/probe.lua": """
      return { access = { \(access) }, tools = { \(lists) }, run = function(ctx, input)
      \(lua)
      end }
      """
    ]
    if let tools { files["tools/probe.lua"] = tools }
    return try await with(files, provider: provider, policy: policy, secrets: secrets) {
      try await $0.chat("probe").text
    }
  }
}

struct MachineTime: TimeSource {
  var now: Timestamp { Timestamp(milliseconds: Int64(Date().timeIntervalSince1970 * 1000)) }
  var elapsed: Duration { .nanoseconds(Int64(DispatchTime.now().uptimeNanoseconds)) }
  func sleep(for duration: Duration) async throws { try await Task.sleep(for: duration) }
}
