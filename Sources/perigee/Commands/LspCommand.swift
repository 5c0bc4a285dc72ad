// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Glibc
import LanguageServer
import Workspace

/// `perigee lsp`.
struct LspCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "lsp", abstract: "Tells editors what lint finds, completes and renames, over stdio.",
    discussion: """
      A language server (LSP 3.17) for the scripts and the perigee.yaml of workspaces; editors start it. Standard \
      output carries the protocol and nothing else, what it has to say goes to standard error. It never runs a script. \
      Ends with 0 after shutdown and exit, else with 1.

      Examples:
        perigee lsp
        perigee lsp --workspace my-agents
      """)

  @Option(
    help: ArgumentHelp(
      "The one workspace to serve; found above each file unless given.", valueName: "dir"))
  var workspace: String?

  @Flag(help: "Spoken over standard input and output; the only way, and so the default.")
  var stdio = false

  func run() async throws {
    // An editor that reads no more is told nothing; its last words still count.
    signal(SIGPIPE, SIG_IGN)
    let folders = EditorFolders(only: workspace.map(LintTarget.absolute), environment: environment)
    if let workspace, !folders.isWorkspace(LintTarget.absolute(workspace)) {
      throw CommandError(
        message: "there is no workspace '\(workspace)'", hint: "name a folder with agents/ or perigee.yaml")
    }
    let server = LanguageServer(
      StandardStream(), folders: folders, api: .perigee, version: Perigee.version, log: { Console.note($0) })
    let isShutDown: Bool
    do {
      isShutDown = try await server.run()
    } catch {
      throw CommandError(
        message: "the input is not the language server protocol: \(error)",
        hint: "editors start this command: docs/editor.md says how", status: .bad)
    }
    if !isShutDown { throw ExitCode(ExitStatus.bad.rawValue) }
  }

  private var environment: [String: String] { WorkspaceOptions.processEnvironment }
}
