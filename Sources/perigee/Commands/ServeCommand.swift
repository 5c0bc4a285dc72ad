// SPDX-License-Identifier: Apache-2.0
import ArgumentParser

/// `perigee serve`.
struct ServeCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "serve", abstract: "Serves the workspace's agents over HTTP.",
    discussion: """
      SIGTERM stops it when the turns under way are done (server.drain_seconds); SIGHUP loads the scripts again.
      With --watch (reload.watch) saved scripts come into force by themselves. It does the jobs that agents publish, with
      --workers 0 it leaves them to perigee worker.

      Examples:
        perigee serve
        perigee serve --workspace my-agents --port 9000 --data /var/lib/perigee
        perigee serve --watch
        perigee serve --workers 16
        perigee serve --cassette demo
      """)

  @Flag(help: "Loads the scripts again when they are saved (reload.watch).")
  var watch = false

  @OptionGroup var listening: ListeningOptions

  @OptionGroup var working: WorkingOptions

  @OptionGroup var cassette: CassetteOptions

  @OptionGroup var options: WorkspaceOptions

  func run() async throws {
    try await Serving.run(
      listening, cassette, options, workers: working.workers, isDevelopment: false, watches: watch)
  }
}

/// `perigee dev`.
struct DevCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "dev", abstract: "Serves the workspace's agents and takes over every edit as it is saved.",
    discussion: """
      What is saved is checked first: a good version is in force with the next message, what is wrong with a bad one
      is shown here and on the page at http://127.0.0.1:8080, and the version before stays.

      Examples:
        perigee dev
        perigee dev --workspace my-agents --port 9000
      """)

  @OptionGroup var listening: ListeningOptions

  @OptionGroup var cassette: CassetteOptions

  @OptionGroup var options: WorkspaceOptions

  func run() async throws {
    try await Serving.run(listening, cassette, options, isDevelopment: true, watches: true)
  }
}

/// Where a server listens.
struct ListeningOptions: ParsableArguments {
  @Option(help: ArgumentHelp("Address to listen on (server.host).", valueName: "address"))
  var host: String?

  @Option(help: ArgumentHelp("Port to listen on (server.port); 0 = any.", valueName: "port"))
  var port: Int?

  /// As the configuration takes them.
  var flags: [(path: String, value: String)] {
    (host.map { [(path: "server.host", value: $0)] } ?? [])
      + (port.map { [(path: "server.port", value: String($0))] } ?? [])
  }
}
