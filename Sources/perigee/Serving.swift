// SPDX-License-Identifier: Apache-2.0
import Core
import Logging
import Metrics
import Server
import ServiceLifecycle
import Settings
import Telemetry
import Threads
import UnixSignals
import Workspace

/// The server of a workspace, from its start to its end.
enum Serving {
  /// - Parameters:
  ///   - isDevelopment: Somebody edits the scripts and looks at the terminal.
  ///   - watches: Whatever `reload.watch` says.
  static func run(
    _ listening: ListeningOptions, _ cassette: CassetteOptions, _ options: WorkspaceOptions,
    workers: Int? = nil, isDevelopment: Bool, watches: Bool
  ) async throws {
    var flags = listening.flags
    if let workers { flags.append(("queue.workers", String(workers))) }
    if watches { flags.append(("reload.watch", "true")) }
    let configuration = try options.configuration(flags: flags)
    let logger = Logger.server(configuration.log)
    let metrics = PrometheusRegistry(time: SystemTime())
    MetricsSystem.bootstrap(metrics)
    FileDescriptors.raiseLimit()
    let host = try await Host.open(
      options, configuration, cassette: cassette, logger: logger,
      role: .server(canaryPercent: configuration.reload.canaryPercent))
    do {
      try await serve(host, metrics, logger, environment: options.environment, isDevelopment: isDevelopment)
    } catch {
      try await host.close()
      throw error
    }
    try await host.close()
  }

  private static func serve(
    _ host: Host, _ metrics: PrometheusRegistry, _ logger: Logger, environment: [String: String],
    isDevelopment: Bool
  ) async throws {
    let settings = host.configuration.server
    let aliases = try host.configuration.aliases()
    try host.configuration.checkRoutes(to: Set(host.workspace.deployment.active.agents.keys))
    let authentication = try await host.authentication(environment: environment, logger: logger)
    let channels = try channels(of: host, environment: environment, logger)
    let server: Server
    let certificate: TLSCertificate?
    do {
      certificate = try settings.tls.certificateFile.flatMap { file throws(ServerError) in
        try settings.tls.keyFile.map { key throws(ServerError) in
          try TLSCertificate(certificateFile: file, keyFile: key)
        }
      }
      server = try Server(
        configuration: Server.Configuration(settings, host.configuration.limits), certificate: certificate,
        authentication: authentication,
        requests: RateLimiter.Limits(
          perMinute: host.configuration.limits.requestsPerMinute,
          perHour: host.configuration.limits.requestsPerHour),
        runner: host.runner, store: host.store, model: host.model, time: host.time,
        aliases: aliases, channels: channels, metrics: metrics, logger: logger,
        scripts: host.workspace,
        machine: { [directory = host.dataDirectory] in MachineRoom.now(directory) },
        sampler: host.tracing?.sampler ?? .standard, exporter: host.tracing?.exporter,
        onListening: { port in Self.greet(host, port) })
    } catch {
      throw CommandError(message: error.message, hint: error.hint)
    }
    let reloader = Reloader(
      workspace: host.workspace, logger: logger,
      speaks: isDevelopment || !host.configuration.log.isJSON, time: host.time)
    var services: [any Service] = [
      Together(services: [
        server, Working(host: host, count: host.configuration.queue.workers, logger: logger),
      ]), ReloadOnHangup(reloader: reloader),
      ReloadOnActivation(reloader: reloader, directory: host.dataDirectory),
      Resuming(host: host, logger: logger), Scheduling(host: host, logger: logger),
      Announcing(host: host, logger: logger), Forgetting(host: host, logger: logger),
      Examining(host: host, logger: logger), Unloading(time: host.time),
      try Delivering(host: host, environment: environment, logger: logger),
    ]
    // Near the last to stop: the last turns are answered, too.
    services.insert(Answering(host: host, channels: channels, logger: logger), at: 0)
    services.insert(contentsOf: host.tellingOfRuns, at: 0)
    if let certificate { services.append(RenewingCertificate(certificate: certificate, logger: logger)) }
    if host.configuration.reload.watch { services.append(ReloadOnChange(reloader: reloader)) }
    do {
      let group = ServiceGroup(
        services: services, gracefulShutdownSignals: [.sigterm, .sigint], logger: logger)
      try await withTaskExecutorPreference(TurnThreads.shared) { try await group.run() }
    } catch let error as ServerError {
      throw CommandError(message: error.message, hint: error.hint)
    }
  }

  /// The messengers that are on; of one that is asked for and is off it is said why.
  private static func channels(
    of host: Host, environment: [String: String], _ logger: Logger
  ) throws -> Channels {
    let configuration = host.configuration
    let channels = try configuration.channels(environment: environment)
    for channel in channels where channel.channel == nil && configuration.asks(for: channel.name) {
      logger.notice("the channel \(channel.name) is off: \(channel.reason)")
    }
    return Channels(
      channels.compactMap(\.channel), store: host.store, runner: host.runner, time: host.time,
      publicURL: configuration.server.publicURL, texts: .init(configuration.channels.texts), logger: logger)
  }

  private static func greet(_ host: Host, _ port: Int) {
    let address = host.configuration.server.host
    let scheme = host.configuration.server.tls.certificateFile == nil ? "http" : "https"
    let url = "\(scheme)://\(address.contains(":") ? "[\(address)]" : address):\(port)"
    let agents = host.workspace.deployment.active.agents.keys.sorted()
    Console.print("Perigee serves \(agents.joined(separator: ", ")) on \(url)")
    guard let agent = agents.contains("todo") ? "todo" : agents.first else { return }
    let message = agent == "todo" ? "add buy milk" : "hello"
    Console.print("Open \(url) in a browser, or try:")
    Console.print(
      "  curl -s \(url)/v1/agents/\(agent)/chat -H 'Content-Type: application/json' -d '{\"message\": \"\(message)\"}'"
    )
  }
}

extension Server.Configuration {
  fileprivate init(_ server: Configuration.Server, _ limits: Configuration.Limits) {
    self.init(
      host: server.host, port: server.port, bodyBytesMax: server.bodyBytesMax, drain: server.drain,
      idleTimeout: server.idleTime, requestTime: server.requestTime, connectionsMax: limits.connections,
      connectionsPerAddressMax: limits.connectionsPerAddress, trustedProxies: server.trustedProxies,
      origins: server.cors.origins)
  }
}
