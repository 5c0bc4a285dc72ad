// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Core
import Storage
import Workspace

/// `perigee activate V`.
struct ActivateCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "activate", abstract: "Brings a version of the scripts into force, an older or a newer one.",
    discussion: """
      It stays in force, over restarts too, until the scripts in the workspace are no longer what they are now. A
      server on the same data folder takes it at once; runs under way end on the version that they began with.

      With --canary it is tried by that share of the sessions, and the others go on with what is in force: activate
      it without --canary to give it to all, or activate what is in force to end the trial.

      Examples:
        perigee activate 1f2a
        perigee activate 9c3b --canary 5
      """)

  @Argument(help: ArgumentHelp("The version's hash, or enough of its beginning.", valueName: "version"))
  var version: String

  @Option(help: ArgumentHelp("Share of the sessions that run it, 1 to 99.", valueName: "percent"))
  var canary: Int?

  @OptionGroup var options: WorkspaceOptions

  func validate() throws {
    if let canary, !(1...99).contains(canary) { throw ValidationError("--canary must be 1 to 99") }
  }

  func run() async throws {
    try await options.withStore { store, directory in
      let version = try await store.version(named: version).id
      do {
        _ = try await ScriptBundle.load(sources: try await store.sources(ofVersion: version))
      } catch let error as WorkspaceError {
        Console.note(error.description)
        throw CommandError(
          message: "\(version.shortVersion) no longer loads; nothing has changed",
          hint: "activate another one: perigee versions", status: .bad)
      }
      let folder = await ScriptBundle.version(ofDirectory: options.workspace)
      let time = SystemTime().now
      let now = try await store.deployment() ?? DeploymentRecord(version: folder, folder: folder, at: time)
      try await store.setDeployment(
        try now.activating(version, canaryPercent: canary, folder: folder, at: time),
        by: Principal.local.actor)
      try ActivationSignal.send(directory, at: time)
      Console.note(
        canary.map {
          "\(version.shortVersion) is tried by \($0) % of the sessions; \(now.version.shortVersion) stays in force."
        } ?? "\(version.shortVersion) is in force until the scripts change.")
    }
  }
}
