// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Core
import Logging
import Metrics
import Server
import ServiceLifecycle
import Settings
import Threads
import UnixSignals
import Workspace

/// `perigee serve`.
struct ServeCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "serve", abstract: "Serves the workspace's agents over HTTP.",
    discussion: """
      SIGTERM stops it when the turns under way are done (server.drain_seconds); SIGHUP loads the scripts again.

      Examples:
        perigee serve
        perigee serve --workspace my-agents --port 9000 --data /var/lib/perigee
        perigee serve --cassette demo
      """)

  @Option(help: ArgumentHelp("Address to listen on (server.host).", valueName: "address"))
  var host: String?

  @Option(help: ArgumentHelp("Port to listen on (server.port); 0 = any.", valueName: "port"))
  var port: Int?

  @OptionGroup var cassette: CassetteOptions

  @OptionGroup var options: WorkspaceOptions

  func run() async throws {
    var flags: [(path: String, value: String)] = []
    if let host { flags.append(("server.host", host)) }
    if let port { flags.append(("server.port", String(port))) }
    let configuration = try options.configuration(flags: flags)
    let logger = Logger.server(configuration.log)
    let metrics = PrometheusRegistry()
    MetricsSystem.bootstrap(metrics)
    FileDescriptors.raiseLimit()
    let host = try await Host.open(options, configuration, cassette: cassette, logger: logger)
    do {
      try await serve(host, metrics, logger)
    } catch {
      try await host.close()
      throw error
    }
    try await host.close()
  }

  private func serve(_ host: Host, _ metrics: PrometheusRegistry, _ logger: Logger) async throws {
    let settings = host.configuration.server
    let server: Server
    do {
      server = try Server(
        configuration: Server.Configuration(
          host: settings.host, port: settings.port, bodyBytesMax: settings.bodyBytesMax, drain: settings.drain
        ),
        runner: host.runner, store: host.store, model: host.model, time: host.time, metrics: metrics,
        logger: logger,
        onListening: { port in Self.greet(host, port) }, host: { host.workspace.host })
    } catch {
      throw CommandError(message: error.message, hint: error.hint)
    }
    do {
      let services = ServiceGroup(
        services: [server, ReloadOnHangup(workspace: host.workspace, logger: logger)],
        gracefulShutdownSignals: [.sigterm, .sigint], logger: logger
      )
      try await withTaskExecutorPreference(TurnThreads.shared) { try await services.run() }
    } catch let error as ServerError {
      throw CommandError(message: error.message, hint: error.hint)
    }
  }

  private static func greet(_ host: Host, _ port: Int) {
    let address = host.configuration.server.host
    let url = "http://\(address.contains(":") ? "[\(address)]" : address):\(port)"
    let agents = host.workspace.host.agents.keys.sorted()
    Console.print("Perigee serves \(agents.joined(separator: ", ")) on \(url)")
    guard let agent = agents.contains("todo") ? "todo" : agents.first else { return }
    let message = agent == "todo" ? "add buy milk" : "hello"
    Console.print(
      "Try: curl -s \(url)/v1/agents/\(agent)/chat -H 'Content-Type: application/json' -d '{\"message\": \"\(message)\"}'"
    )
  }
}

/// Loads the scripts again on SIGHUP; a version that is wrong is reported and the one before stays.
private struct ReloadOnHangup: Service {
  let workspace: Workspace
  let logger: Logger

  func run() async throws {
    for await _ in await UnixSignalsSequence(trapping: .sighup).cancelOnGracefulShutdown() {
      do {
        let version = try await workspace.reload()
        logger.info("the scripts were loaded again", metadata: ["version": "\(version)"])
      } catch {
        logger.error("the scripts were not loaded again: \(error)")
      }
    }
  }
}
