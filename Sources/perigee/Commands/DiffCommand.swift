// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Core
import JSONCodec
import Server
import Storage
import Workspace

/// `perigee diff A B`.
struct DiffCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "diff", abstract: "Shows what changed between two versions of the scripts.",
    discussion: """
      A version is named by its hash, or by enough of its beginning; 'workspace' is the folder as it is now. The
      output is a unified diff, which patch and git apply understand.

      Examples:
        perigee diff 1f2a 9c3b
        perigee diff 1f2a workspace
      """)

  @Argument(help: ArgumentHelp("The older version, or 'workspace'.", valueName: "a"))
  var old: String

  @Argument(help: ArgumentHelp("The newer version, or 'workspace'.", valueName: "b"))
  var new: String

  @Flag(help: "Prints JSON, as GET /v1/versions/A/diff/B does.")
  var json = false

  @OptionGroup var options: WorkspaceOptions

  func run() async throws {
    try await options.withStore { store, _ in
      let (from, before) = try await sources(old, store)
      let (to, after) = try await sources(new, store)
      let diff = VersionDiff(from: before, to: after)
      if json {
        Console.print(diff.json(from: from, to: to).text)
      } else {
        Console.print(diff.text, terminator: "")
      }
    }
  }

  private func sources(
    _ name: String, _ store: SQLiteStore
  ) async throws -> (version: String, sources: [String: [UInt8]]) {
    if name == "workspace" { return await ScriptBundle.sources(ofDirectory: options.workspace) }
    let version = try await store.version(named: name).id
    return (version, try await store.sources(ofVersion: version))
  }
}
