// SPDX-License-Identifier: Apache-2.0
import Core
import Evals
import FoundationEssentials
import Logging
import Models
import Settings
import Storage
import Transport
import Workspace

/// What a command needs to run cases on versions of the scripts.
struct EvalBench: Sendable {
  private let options: WorkspaceOptions
  private let configuration: Configuration
  private let client: HTTPClient
  private let answers: EvalAnswers
  private let logger = Logger.command(.error)
  /// A folder for this command alone.
  private let directory: String

  /// - Throws: ``CommandError`` when models are to be asked and none is configured.
  init(_ options: WorkspaceOptions, mode: EvalAnswers.Mode) throws {
    self.options = options
    configuration = try options.configuration()
    try configuration.refuseUnavailable()
    client = try HTTPClient()
    let models = try ModelClient.Configuration(configuration, environment: options.environment)
    answers = EvalAnswers(
      mode: mode,
      client: ModelClient(configuration: models, client: client, time: SystemTime(), logger: logger),
      normalization: RequestNormalization(configuration, models, environment: options.environment),
      workspace: options.workspace)
    directory = FileManager.default.temporaryDirectory.path + "/perigee-eval-" + UUID().uuidString
    if mode != .offline, !answers.client.isConfigured(for: []) {
      throw CommandError(
        message: "no model is configured to be asked",
        hint: "set OPENAI_API_KEY, or leave out --\(mode == .live ? "live" : "record")")
    }
  }

  /// Lets go of everything.
  func close() async {
    try? FileManager.default.removeItem(atPath: directory)
    await client.shutdown()
  }

  /// - Parameter name: Of a version that is kept, or the beginning of it; `nil` or `workspace` = the folder.
  func bundle(_ name: String?) async throws -> ScriptBundle {
    let defaults = RunLimits(configuration)
    guard let name, name != "workspace" else {
      return try await ScriptBundle.load(directory: options.workspace, defaults: defaults)
    }
    let sources = try await options.withStore { store, _ in
      try await store.sources(ofVersion: try await store.version(named: name).id)
    }
    return try await ScriptBundle.load(sources: sources, defaults: defaults)
  }

  /// The cases that are named, as they are in the folder, for the agents of a version.
  func cases(
    _ paths: [String], filter: String?, on bundle: ScriptBundle
  ) async throws -> (suite: EvalSuite, cases: [EvalCase]) {
    let selection = EvalSelection(paths: paths, workspace: options.workspace)
    let suite = try await EvalSuite.load(
      directory: options.workspace, bundle: bundle, where: selection.contains)
    return (suite, try selection.cases(of: suite, filter: filter))
  }

  /// - Parameter name: Of the runner, among those of the command.
  func runner(of bundle: ScriptBundle, _ suite: EvalSuite, _ name: String) -> EvalRunner {
    EvalRunner(
      bundle: bundle, suite: suite, answers: answers, configuration: configuration,
      environment: options.environment, client: client, logger: logger, directory: "\(directory)/\(name)")
  }
}
