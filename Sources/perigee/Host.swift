// SPDX-License-Identifier: Apache-2.0
import Core
import FoundationEssentials
import HostModules
import Lint
import Logging
import Models
import ServiceLifecycle
import Settings
import Storage
import Telemetry
import Threads
import Transport
import Workspace

/// The parts of a running Perigee, wired together from the configuration.
struct Host: Sendable {
  let configuration: Configuration
  let store: SQLiteStore
  let scripts: SQLiteScriptDatabase
  let client: HTTPClient
  let model: any Model
  let workspace: Workspace
  let runner: Runner
  /// `nil` where no collector is configured.
  let tracing: Tracing?
  /// `nil` where what was said does not belong in the log.
  let contentLog: ContentLog?
  /// `nil` = a worker.
  let lease: DataLease?
  let start: Timestamp
  /// Runs that the last server left under way; `nil` = commands are at work here, and some runs may be theirs.
  let unfinished: [AdoptedRun]?
  let dataDirectory: String
  let time = SystemTime()
  /// Of a command; servers and workers have a service for it.
  private(set) var exporting: Task<Void, Never>?

  static func open(
    _ options: WorkspaceOptions, _ configuration: Configuration, cassette: CassetteOptions, logger: Logger,
    role: Workspace.Role = .guest, isWorker: Bool = false
  ) async throws -> Host {
    try configuration.refuseUnavailable()
    let time = SystemTime()
    let directory = options.dataDirectory(configuration)
    let client = try HTTPClient(
      configuration: .init(connectionsPerHostMax: FileDescriptors.connectionsPerHostMax))
    let models = try ModelClient.Configuration(configuration, environment: options.environment)
    let model = try cassette.model(
      ModelClient(configuration: models, client: client, time: time, logger: logger),
      RequestNormalization(configuration, models, environment: options.environment), directory: directory,
      logger: logger)
    // Before anything in it is opened: until then somebody may put another folder in its place.
    try DataLease.prepare(directory)
    // A worker that is there is no reason for a server to leave runs as the last one left them.
    let lease: DataLease? =
      if isWorker { nil } else if role == .guest {
        try DataLease.join(directory, file: guests)
      } else {
        try DataLease.take(directory)
      }
    let store = try await options.openStore(configuration)
    let start = time.now
    var unfinished: [UnfinishedRun]? = []
    if let lease, lease.isFirst {
      _ = try await store.interruptLoneRuns(at: start)
      unfinished = try await DataLease.ifUnused(directory, file: guests) {
        try await store.unfinishedRuns(begunBefore: start)
      }
      try lease.share()
    }
    try ActivationSignal.prepare(directory)
    let scripts = try await SQLiteScriptDatabase.open(directory: directory)
    let resources = ScriptResources(
      database: scripts, keyValue: SQLiteKeyValueStore(store: store, time: time), jobs: store,
      http: client, httpPolicy: try HTTPPolicy(configuration),
      secrets: try ScriptSecrets(configuration.scripts, environment: options.environment), time: time,
      logger: logger)
    let workspace = try await Workspace(
      directory: options.workspace, resources: resources,
      settings: LuaScriptHost.Settings(configuration.scripts, environment: options.environment),
      defaults: RunLimits(configuration),
      lint: LintSettings(configuration), store: store, role: role)
    var limits = Runner.Limits(
      messageCharactersMax: configuration.limits.messageCharsMax, runsMax: configuration.limits.runsTotal,
      // The one user of a server without authentication is whoever works on this machine.
      runsPerUserMax: configuration.auth.mode == .none || configuration.limits.runsConcurrent == 0
        ? nil : configuration.limits.runsConcurrent,
      day: SpendingLimits(
        tokens: configuration.limits.tokensPerDay, costUSD: configuration.limits.costUSDPerDay),
      session: SpendingLimits(
        tokens: configuration.limits.tokensPerSession, costUSD: configuration.limits.costUSDPerSession))
    limits.runsQueuedMax = configuration.limits.runsQueued
    limits.queueTime = configuration.limits.queueTime
    limits.guards = try configuration.guardRules()
    let blotter = SecretBlotter(configuration.secrets(models, environment: options.environment))
    let tracing = try Tracing(
      configuration, environment: options.environment, client: client, time: time, blotter: blotter,
      logger: logger)
    let isCommand = role == .guest && !isWorker
    // Commands show what was said to whom they answer.
    let contentLog =
      configuration.log.content && !isCommand
      ? ContentLog(blotter: blotter, time: time, logger: logger) : nil
    let runner = Runner(
      store: store, model: model, time: time, limits: limits, executor: { TurnLine() },
      observer: tracing == nil && contentLog == nil
        ? nil
        : RunObserver(sampler: tracing?.sampler) { runID, trace in
          if let trace { tracing?.runs.add(trace) }
          contentLog?.runs.add(runID)
        },
      deployment: { workspace.deployment })
    var host = Host(
      configuration: configuration, store: store, scripts: scripts, client: client, model: model,
      workspace: workspace, runner: runner, tracing: tracing, contentLog: contentLog, lease: lease,
      start: start,
      unfinished: unfinished?.map { runner.adopt($0) },
      dataDirectory: directory)
    if let tracing, isCommand {
      host.exporting = Task { [host] in await tracing.export(host) }
    }
    return host
  }

  /// Says that a command has runs of its own under way.
  private static let guests = "guests"

  /// Runs that nobody has under way any more, once no command is at work here; `nil` = one is.
  func abandonedRuns() async throws -> [UnfinishedRun]? {
    try await DataLease.ifUnused(dataDirectory, file: Self.guests) {
      try await store.unfinishedRuns(begunBefore: start)
    }
  }

  /// First in a group, so that they are the last to stop: what the others end with is told, too.
  var tellingOfRuns: [any Service] {
    let tracing = tracing.map { ExportingTraces(tracing: $0, host: self) }
    let log = contentLog.map { LoggingContent(log: $0, store: store) }
    return [tracing, log].compactMap { (service: (any Service)?) in service }
  }

  func close() async throws {
    tracing?.runs.stop()
    await exporting?.value
    await client.shutdown()
    await scripts.close()
    try await store.close()
    lease?.giveBack()
  }
}

extension SpendingLimits {
  /// As the configuration has them: 0 is no limit.
  fileprivate init(tokens: Int, costUSD: Double) {
    self.init(tokens: tokens > 0 ? tokens : nil, costUSD: costUSD > 0 ? costUSD : nil)
  }
}

extension ModelClient.Configuration {
  init(_ configuration: Configuration, environment: [String: String]) throws {
    var providers: [ProviderConfiguration] = []
    for (name, provider) in configuration.providers.sorted(by: { $0.key < $1.key }) {
      providers.append(try ProviderConfiguration(name, provider, environment: environment))
    }
    // The first is the default one: `openai` where there is one.
    if let index = providers.firstIndex(where: { $0.name == "openai" }) {
      providers.insert(providers.remove(at: index), at: 0)
    }
    self.init(
      providers: providers, defaultModel: configuration.models.default,
      prices: configuration.models.prices.mapValues {
        TokenPrice(inputPerMillion: $0.inputPerMillion, outputPerMillion: $0.outputPerMillion)
      },
      temperature: configuration.models.temperature, tokensMax: configuration.models.maxTokens)
  }
}

extension ProviderConfiguration {
  fileprivate init(_ name: String, _ provider: Configuration.Provider, environment: [String: String]) throws {
    let dialect: Dialect =
      switch provider.dialect {
      case .openai: .openai
      case .azure: .azure
      case .responses: .responses
      case .anthropic: .anthropic
      }
    let key = try Configuration.secret(
      env: provider.apiKeyEnv, file: provider.apiKeyFile, environment: environment)
    var headers = provider.headers.sorted { $0.key < $1.key }.map { (name: $0.key, value: $0.value) }
    for (header, variable) in provider.headersEnv.sorted(by: { $0.key < $1.key }) {
      guard let value = try Configuration.secret(env: variable, environment: environment) else { continue }
      headers.append((header, value.reveal()))
    }
    self.init(
      name: name, dialect: dialect, baseURL: provider.baseURL, apiKey: key?.reveal(), headers: headers,
      timeoutSeconds: provider.timeout / .seconds(1), retries: provider.retries,
      hedgeSeconds: provider.hedge / .seconds(1),
      usesDeveloperRole: provider.developerRole, usesMaxCompletionTokens: provider.maxCompletionTokens,
      apiVersion: provider.apiVersion, requestsPerMinute: provider.requestsPerMinute,
      tokensPerMinute: provider.tokensPerMinute)
  }
}

extension HTTPPolicy {
  init(_ configuration: Configuration) throws {
    let http = configuration.http
    self.init(
      allow: try http.allow.map { try HostPattern(configured: $0, key: "http.allow") },
      allowsPrivateAddresses: http.privateAddresses,
      timeoutSeconds: http.timeout / .seconds(1), bodyBytesMax: http.bodyBytesMax)
    blockedPorts = Set(configuration.policies.blockedPorts)
  }
}

extension RunLimits {
  /// Of agents that say nothing of it.
  init(_ configuration: Configuration) {
    self.init(seconds: configuration.scripts.runTime / .seconds(1))
    if let most = configuration.policies.runTimeMax { secondsMax = most / .seconds(1) }
  }
}

extension HostPattern {
  fileprivate init(configured text: String, key: String) throws {
    guard let pattern = HostPattern(text) else {
      throw CommandError(
        message: "\(key): '\(text)' is not a host", hint: "write api.example.com or *.example.org:8443")
    }
    self = pattern
  }
}

extension LuaScriptHost.Settings {
  init(_ configuration: Configuration.Scripts, environment: [String: String]) {
    self.init(
      memoryBytesMax: configuration.memoryBytesMax, cpu: configuration.cpuTime,
      runsPerCell: configuration.runsPerCell,
      environment: environment.filter { configuration.env.contains($0.key) })
  }
}

extension ScriptSecrets {
  init(_ configuration: Configuration.Scripts, environment: [String: String]) throws {
    var entries: [String: Entry] = [:]
    for (name, binding) in configuration.secrets {
      guard !configuration.env.contains(binding.env) else {
        throw CommandError(
          message:
            "scripts.env shows \(binding.env) to scripts, and scripts.secrets.\(name) keeps it from them",
          hint: "take it out of scripts.env")
      }
      entries[name] = Entry(
        value: try Configuration.secret(env: binding.env, environment: environment)?.reveal(),
        variable: binding.env,
        hosts: try binding.hosts.map { try HostPattern(configured: $0, key: "scripts.secrets.\(name).hosts") }
      )
    }
    self.init(entries)
  }
}
