// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import FoundationEssentials
import Settings

/// What every command that reads a workspace takes.
struct WorkspaceOptions: ParsableArguments {
  @Option(
    name: .customLong("workspace"),
    help: ArgumentHelp("Folder with agents/, tools/ and perigee.yaml. (default: .)", valueName: "dir"))
  var givenWorkspace: String?

  @Option(help: ArgumentHelp("Folder of the databases (data.directory).", valueName: "dir"))
  var data: String?

  var workspace: String { givenWorkspace ?? "." }

  /// What perigee.yaml, the environment and the flags say together.
  func configuration(flags: [(path: String, value: String)] = []) throws -> Configuration {
    var isDirectory = false
    guard FileManager.default.fileExists(atPath: workspace, isDirectory: &isDirectory), isDirectory else {
      throw CommandError(
        message: "there is no folder '\(workspace)'",
        hint: "name one with --workspace, or make one: perigee init")
    }
    let dataFlag = data.map { [(path: "data.directory", value: $0)] } ?? []
    return try Configuration.load(
      file: workspace + "/perigee.yaml", environment: environment, flags: flags + dataFlag
    ).withPolicies()
  }

  var environment: [String: String] { Self.processEnvironment }

  static var processEnvironment: [String: String] { ProcessInfo.processInfo.environment }

  /// The data folder; a relative one of the configuration stands in the workspace, one of the flag where one is.
  func dataDirectory(_ configuration: Configuration) -> String {
    let directory = configuration.data.directory
    return directory.hasPrefix("/") || data != nil ? directory : workspace + "/" + directory
  }
}
