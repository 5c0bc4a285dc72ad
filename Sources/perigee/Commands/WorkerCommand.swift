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

/// `perigee worker`.
struct WorkerCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "worker", abstract: "Does jobs that were published, without a server.",
    discussion: """
      As many processes as you like may work on one data folder, beside a server or without one;
      with --workers 0 a server leaves all jobs to them. SIGTERM stops it when the jobs under way
      are done (server.drain_seconds). SIGHUP loads the scripts again, and a version that is
      activated comes into force by itself.

      Examples:
        perigee worker
        perigee worker --workers 16 --data /var/lib/perigee
      """)

  @OptionGroup var working: WorkingOptions

  @OptionGroup var cassette: CassetteOptions

  @OptionGroup var options: WorkspaceOptions

  func run() async throws {
    let configuration = try options.configuration(
      flags: working.workers.map { [(path: "queue.workers", value: String($0))] } ?? [])
    guard configuration.queue.workers > 0 else {
      throw CommandError(message: "a worker with 0 workers does nothing", hint: "perigee worker --workers 4")
    }
    let logger = Logger.server(configuration.log)
    FileDescriptors.raiseLimit()
    let host = try await Host.open(options, configuration, cassette: cassette, logger: logger, isWorker: true)
    do {
      try await work(host, logger)
    } catch {
      try await host.close()
      throw error
    }
    try await host.close()
  }

  private func work(_ host: Host, _ logger: Logger) async throws {
    let reloader = Reloader(
      workspace: host.workspace, logger: logger, speaks: !host.configuration.log.isJSON, time: host.time)
    let count = host.configuration.queue.workers
    let group = ServiceGroup(
      services: host.tellingOfRuns + [
        Working(host: host, count: count, logger: logger), ReloadOnHangup(reloader: reloader),
        ReloadOnActivation(reloader: reloader, directory: host.dataDirectory),
      ], gracefulShutdownSignals: [.sigterm, .sigint], logger: logger)
    let actions = host.workspace.deployment.active.tools.values.filter(\.isAction).map(\.name).sorted()
    Console.print(
      "Perigee does jobs, \(count) at once: "
        + (actions.isEmpty ? "no tool has action = true yet" : actions.joined(separator: ", ")))
    try await withTaskExecutorPreference(TurnThreads.shared) { try await group.run() }
  }
}

/// How many jobs a process does at once.
struct WorkingOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp("Jobs that are done at once (queue.workers); 4 unless said.", valueName: "count"))
  var workers: Int?
}
