// SPDX-License-Identifier: Apache-2.0
public import Core
import HTTPTypes
import Hummingbird
import HummingbirdCore
public import Logging
import NIOCore
public import ServiceLifecycle
public import Telemetry

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// The HTTP side of Perigee: chat, sessions, runs, health and metrics over HTTP/1.1.
///
/// Run it in a `ServiceGroup`. On graceful shutdown the listener closes, requests under way are answered within
/// ``Configuration/drain``, and new ones on kept connections are told 503 until the last of those has ended.
public struct Server: Service {
  public struct Configuration: Sendable, Hashable {
    /// Without authentication a loopback address or name.
    public var host: String
    /// 0 lets the system choose.
    public var port: Int
    /// A larger body is refused before it is read.
    public var bodyBytesMax: Int
    /// What one request's head may have, in all its fields.
    public var headerBytesMax: Int
    public var headersMax: Int
    /// How long requests under way may take once the server is told to stop; then their runs are cancelled.
    public var drain: Duration
    /// How long a connection may be silent between requests, or while it sends one.
    public var idleTimeout: Duration
    /// How long a request may take to come to its end, and how long an answer may wait to be taken.
    public var requestTime: Duration
    /// Connections at once, of all and of one address; 0 = no limit.
    public var connectionsMax: Int
    public var connectionsPerAddressMax: Int
    /// Connections that wait to be accepted: ten thousand clients may come back at once.
    public var backlog: Int
    /// Addresses and networks whose `X-Forwarded-For` is believed.
    public var trustedProxies: [String]
    /// Origins whose pages browsers may show answers to, as `https://app.example.com`; `*` = all.
    public var origins: [String]

    public init(
      host: String = "127.0.0.1", port: Int = 8080, bodyBytesMax: Int = 1 << 20,
      headerBytesMax: Int = 32 << 10, headersMax: Int = 100, drain: Duration = .seconds(30),
      idleTimeout: Duration = .seconds(75), requestTime: Duration = .seconds(60), connectionsMax: Int = 0,
      connectionsPerAddressMax: Int = 0, backlog: Int = 4096, trustedProxies: [String] = [],
      origins: [String] = []
    ) {
      self.host = host
      self.port = port
      self.bodyBytesMax = bodyBytesMax
      self.headerBytesMax = headerBytesMax
      self.headersMax = headersMax
      self.drain = drain
      self.idleTimeout = idleTimeout
      self.requestTime = requestTime
      self.connectionsMax = connectionsMax
      self.connectionsPerAddressMax = connectionsPerAddressMax
      self.backlog = backlog
      self.trustedProxies = trustedProxies
      self.origins = origins
    }
  }

  private let configuration: Configuration
  private let certificate: TLSCertificate?
  private let authentication: Authentication
  private let services: Services
  private let sampler: Sampler
  private let exporter: SpanExporter?
  private let onListening: @Sendable (Int) async -> Void
  private let logger: Logger

  /// - Parameters:
  ///   - certificate: `nil` = plain HTTP.
  ///   - requests: How often each user, key and address may ask.
  ///   - model: Asked only whether it is configured, for readiness; the runner has its own reference.
  ///   - aliases: Addresses beside the server's own.
  ///   - channels: Messengers whose webhooks are taken.
  ///   - metrics: Shown at `/metrics`; make it the process's metrics system too, and all rooms are in it.
  ///   - machine: Asked whenever somebody asks for the server's health.
  ///   - sampler: Says which requests, and runs below them, are recorded.
  ///   - exporter: Gets a span of each of these that has been answered; `nil` = no traces are kept.
  ///   - onListening: Called once with the port, as soon as requests are taken.
  /// - Throws: ``ServerError`` `publicWithoutAuthentication` for an address that others can reach,
  ///   `alias` for one that cannot be.
  public init(
    configuration: Configuration = Configuration(), certificate: TLSCertificate? = nil,
    authentication: Authentication = .none,
    requests: RateLimiter.Limits = RateLimiter.Limits(), runner: Runner,
    store: any Store, model: any Model,
    time: any TimeSource, aliases: [Alias] = [], channels: Channels? = nil,
    metrics: PrometheusRegistry = PrometheusRegistry(),
    logger: Logger,
    scripts: any ScriptVersions, machine: @escaping @Sendable () -> MachineRoom = { MachineRoom() },
    sampler: Sampler = .standard, exporter: SpanExporter? = nil,
    onListening: @escaping @Sendable (Int) async -> Void = { _ in }
  ) throws(ServerError) {
    if case .none = authentication.mode, !Loopback.contains(configuration.host) {
      throw ServerError(
        .publicWithoutAuthentication, "\(configuration.host) can be reached by others, and auth.mode is none",
        hint: "listen on 127.0.0.1, or set auth.mode")
    }
    self.configuration = configuration
    self.certificate = certificate
    self.authentication = authentication
    self.logger = logger
    self.sampler = sampler
    self.exporter = exporter
    self.onListening = onListening
    let metrics = ServerMetrics(registry: metrics, exporter: exporter)
    services = Services(
      runner: runner, store: store, model: model, time: time, metrics: metrics, scripts: scripts,
      limits: RequestLimits(RateLimiter(requests, time: time), metrics: metrics), aliases: aliases,
      channels: channels, isEncrypted: certificate != nil,
      isStoreReady: Recent(time: time) {
        do {
          try await store.check()
          return true
        } catch {
          return false
        }
      }, jobCounts: Recent(time: time) { try? await store.jobCounts() }, machine: machine,
      logger: logger)
    try services.checkAliases()
  }

  /// Listens until the task is cancelled, or gracefully shut down.
  ///
  /// - Throws: ``ServerError`` when it cannot listen.
  public func run() async throws {
    let drain = Drain(limit: configuration.drain)
    do {
      // Runs that nobody waits for any more get as long as the others.
      try await withGracefulShutdownHandler {
        try await application(drain).run()
      } onGracefulShutdown: {
        // Before any run is cancelled, so that its client is told why.
        drain.begin()
        services.runner.stop(within: configuration.drain)
      }
      await services.runner.waitForRuns()
    } catch let error as IOError {
      throw ServerError(error, configuration)
    }
  }

  private func application(_ drain: Drain) -> some ApplicationProtocol {
    let routes = services.routes
    let proxies = TrustedProxies(configuration.trustedProxies)
    let origins = CrossOrigin(configuration.origins)
    let connections = ConnectionLimits(
      max: configuration.connectionsMax, perAddressMax: configuration.connectionsPerAddressMax,
      proxies: proxies)
    services.metrics.watch(connections)
    let door = Door(
      table: RouteTable(routes + [OpenAPI.route(describing: routes, authentication)]),
      authenticator: Authenticator(authentication: authentication, proxies: proxies, origins: origins),
      origins: origins, isEncrypted: certificate != nil,
      limits: services.limits,
      time: services.time, metrics: services.metrics, drain: drain, bodyBytesMax: configuration.bodyBytesMax,
      sampler: sampler, onSpan: exporter.map { exporter in { @Sendable span in exporter.add([span]) } },
      logger: logger)
    return Application(
      responder: door,
      server: HTTPServerBuilder { [configuration, certificate, metrics = services.metrics] responder in
        ConnectionChannel(
          responder: responder, configuration: configuration, certificate: certificate, limits: connections,
          metrics: metrics, drain: drain)
      },
      configuration: ApplicationConfiguration(
        address: .hostname(configuration.host, port: configuration.port), backlog: configuration.backlog),
      onServerRunning: { [onListening] channel in await onListening(channel.localAddress?.port ?? 0) },
      logger: logger)
  }
}

extension ServerError {
  fileprivate init(_ error: IOError, _ configuration: Server.Configuration) {
    let address = "\(configuration.host):\(configuration.port)"
    if error.errnoCode == EADDRINUSE {
      self.init(
        .addressInUse, "\(address) is in use", hint: "choose another port, or stop what listens there")
    } else {
      self.init(
        .addressNotAvailable, "cannot listen on \(address): \(error)",
        hint: "check server.host and server.port")
    }
  }
}
