// SPDX-License-Identifier: Apache-2.0
import Core
package import HTTPTypes
import Metrics
import Synchronization
package import Telemetry

/// What the server counts; its instruments are made once per set of labels and kept.
package final class ServerMetrics: Sendable {
  private struct RequestKey: Hashable {
    let method: HTTPRequest.Method
    let route: String
    let status: Int
  }

  private struct Pair: Hashable {
    let first: String
    let second: String
  }

  private struct Instruments {
    var requests: [RequestKey: Counter] = [:]
    var requestSeconds: [String: Timer] = [:]
    var turns: [Pair: Counter] = [:]
    var turnSeconds: [String: Timer] = [:]
    var toolCalls: [Pair: Counter] = [:]
    var canaryTurns: [Pair: Counter] = [:]
    var breakers: [Pair: Meter] = [:]
    var hedges: [Pair: HedgeCounters] = [:]
    var limited: [String: Counter] = [:]
    var errors: [String: Counter] = [:]
    var connections: ConnectionLimits?
  }

  /// What was counted elsewhere, and how much of it is told.
  private struct HedgeCounters {
    let won: Counter
    let lost: Counter
    var told = ModelHealth.Hedges()
  }

  let registry: PrometheusRegistry
  private let instruments = Mutex(Instruments())
  private let tokensIn: Counter
  private let tokensOut: Counter
  private let cost: FloatingPointCounter
  private let conversations: Counter
  private let responseSeconds: Timer
  private let connections: Meter
  private let runsInProgress: Meter
  private let runsQueued: Meter
  private let cells: Meter
  private let scriptRuns: Meter
  private let luaMemory: Meter
  private let scriptProblems: Meter
  private let canaryPercent: Meter
  private let jobs: JobMeters
  let versions: VersionMetrics
  private let spans: SpanCounters?

  package init(registry: PrometheusRegistry, exporter: SpanExporter? = nil) {
    self.registry = registry
    tokensIn = Counter(label: "perigee_tokens_total", dimensions: [("kind", "input")], factory: registry)
    tokensOut = Counter(label: "perigee_tokens_total", dimensions: [("kind", "output")], factory: registry)
    cost = FloatingPointCounter(label: "perigee_cost_usd_total", factory: registry)
    conversations = Counter(label: "conversations_total", factory: registry)
    responseSeconds = Timer(label: "response_time_seconds", factory: registry)
    connections = Meter(label: "perigee_connections", factory: registry)
    runsInProgress = Meter(label: "perigee_runs_in_progress", factory: registry)
    runsQueued = Meter(label: "perigee_runs_queued", factory: registry)
    cells = Meter(label: "perigee_lua_cells", factory: registry)
    scriptRuns = Meter(label: "perigee_lua_runs", factory: registry)
    luaMemory = Meter(label: "perigee_lua_memory_bytes", factory: registry)
    scriptProblems = Meter(label: "perigee_script_problems", factory: registry)
    canaryPercent = Meter(label: "perigee_canary_percent", factory: registry)
    jobs = JobMeters(registry: registry)
    versions = VersionMetrics(registry: registry)
    spans = exporter.map { SpanCounters($0, registry: registry) }
    for (name, help) in [
      ("perigee_http_requests_total", "Requests answered, by method, route and status."),
      (
        "perigee_requests_limited_total",
        "Requests that were turned away, by what was limited: user, key, address."
      ),
      ("perigee_cost_usd_total", "US dollars that completed turns took, of models whose price is known."),
      (
        "perigee_model_request_seconds",
        "Time of one request to a provider, by model and outcome: ok, interrupted, cancelled, or what went wrong."
      ),
      ("conversations_total", "Chat turns that have ended."),
      ("response_time_seconds", "Time of a chat turn of any agent."),
      ("errors_total", "Chat turns that failed, by the failure's code."),
      ("perigee_connections", "Connections that are open."),
      (
        "perigee_connections_cut_off_total",
        "Connections that were ended or not let in, by reason: too_many, slow_request, slow_reader."
      ),
      ("perigee_http_request_seconds", "Time from a request's head to its answer."),
      ("perigee_turns_total", "Chat turns, by agent and outcome: completed, or the code of the failure."),
      ("perigee_turn_seconds", "Time of a chat turn, waiting for its session included."),
      ("perigee_runs_in_progress", "Chat turns that are being answered now."),
      ("perigee_runs_queued", "Chat turns that wait for others to end, because the server is full."),
      ("perigee_lua_cells", "Lua states that are kept, of all versions of the scripts that runs are in."),
      ("perigee_lua_runs", "Runs that have a place in a Lua state now."),
      ("perigee_lua_memory_bytes", "Memory of these Lua states."),
      (
        "perigee_script_problems",
        "What keeps the scripts as they are now from coming into force; 0 = nothing."
      ),
      ("perigee_canary_percent", "Share of sessions that run the candidate; 0 = there is none."),
      (
        "perigee_canary_turns_total",
        "Chat turns while there is a candidate, by track (active, candidate, earlier) and outcome."
      ), ("perigee_tokens_total", "Tokens of models in completed turns, by kind."),
      (
        "perigee_model_breaker_state",
        "Whether a model is asked, by provider and model: 0 it is, 1 one request probes it, 2 it is left alone."
      ),
      (
        "perigee_model_hedges_total",
        "Requests that were made a second time because the first was slow, by whether the second answered: won, lost."
      ), ("perigee_tool_calls_total", "Tool calls in completed turns, by tool and outcome."),
    ] { registry.describe(name, help) }
  }

  /// Why a connection was ended, or not let in.
  enum CutOff: String {
    case tooMany = "too_many"
    case slowRequest = "slow_request"
    case slowReader = "slow_reader"
  }

  func cutOff(_ reason: CutOff) {
    Counter(
      label: "perigee_connections_cut_off_total", dimensions: [("reason", reason.rawValue)], factory: registry
    ).increment()
  }

  /// Tells from now on how many connections there are.
  func watch(_ limits: ConnectionLimits) { instruments.withLock { $0.connections = limits } }

  /// Counts a request that was turned away.
  func limited(by kind: String) {
    count(\.limited, "perigee_requests_limited_total", "by", kind)
  }

  /// - Parameter route: The template of the path, so that the label has few values.
  package func answered(_ method: HTTPRequest.Method, route: String, status: Int, nanoseconds: Int64) {
    let method = Self.methods.contains(method) ? method : Self.otherMethod
    let key = RequestKey(method: method, route: route, status: status)
    let (counter, timer) = instruments.withLock { instruments in
      let counter =
        instruments.requests[key]
        ?? Counter(
          label: "perigee_http_requests_total",
          dimensions: [("method", method.rawValue), ("route", route), ("status", "\(status)")],
          factory: registry)
      let timer =
        instruments.requestSeconds[route]
        ?? Timer(label: "perigee_http_request_seconds", dimensions: [("route", route)], factory: registry)
      if instruments.requests[key] == nil { instruments.requests[key] = counter }
      if instruments.requestSeconds[route] == nil { instruments.requestSeconds[route] = timer }
      return (counter, timer)
    }
    counter.increment()
    timer.recordNanoseconds(nanoseconds)
  }

  /// - Parameters:
  ///   - agent: An agent that exists.
  ///   - trace: Of the turn.
  package func turned(agent: String, outcome: String, nanoseconds: Int64, trace: TraceContext?) {
    let key = Pair(first: agent, second: outcome)
    let (counter, timer) = instruments.withLock { instruments in
      let counter =
        instruments.turns[key]
        ?? Counter(
          label: "perigee_turns_total", dimensions: [("agent", agent), ("outcome", outcome)],
          factory: registry)
      let timer =
        instruments.turnSeconds[agent]
        ?? Timer(label: "perigee_turn_seconds", dimensions: [("agent", agent)], factory: registry)
      if instruments.turns[key] == nil { instruments.turns[key] = counter }
      if instruments.turnSeconds[agent] == nil { instruments.turnSeconds[agent] = timer }
      return (counter, timer)
    }
    counter.increment()
    conversations.increment()
    let measure = { [responseSeconds] in
      timer.recordNanoseconds(nanoseconds)
      responseSeconds.recordNanoseconds(nanoseconds)
    }
    if let trace { trace.measuring(measure) } else { measure() }
    if !["completed", "stub", "waiting"].contains(outcome) {
      count(\.errors, "errors_total", "error_type", outcome)
    }
  }

  private func count(
    _ counters: WritableKeyPath<Instruments, [String: Counter]>, _ label: String, _ dimension: String,
    _ value: String
  ) {
    instruments.withLock { instruments in
      if let counter = instruments[keyPath: counters][value] { return counter }
      let counter = Counter(label: label, dimensions: [(dimension, value)], factory: registry)
      instruments[keyPath: counters][value] = counter
      return counter
    }.increment()
  }

  /// Counts what a completed turn used; a tool that does not exist is counted as `unknown`.
  func used(_ reply: ChatReply, scripts: any ScriptHost) {
    if reply.usage.inputTokens > 0 { tokensIn.increment(by: reply.usage.inputTokens) }
    if let dollars = reply.usage.costUSD, dollars > 0 { cost.increment(by: dollars) }
    if reply.usage.outputTokens > 0 { tokensOut.increment(by: reply.usage.outputTokens) }
    for call in reply.calls {
      let isKnown =
        scripts.tools[call.name] != nil
        // A model may make up any name.
        || call.name.hasPrefix("agent_") && scripts.agents.values.contains { $0.toolName == call.name }
      let outcome =
        switch call.outcome {
        case .result: "ok"
        case .failed(let failure): failure.code.metricLabel
        }
      count(
        \.toolCalls, "perigee_tool_calls_total", "tool",
        Pair(first: isKnown ? call.name : "unknown", second: outcome))
    }
  }

  /// Counts a turn by what its version is to the deployment; `nil` = a version that is no longer in force.
  func tried(_ track: Deployment.Track?, outcome: String) {
    count(
      \.canaryTurns, "perigee_canary_turns_total", "track",
      Pair(first: track?.rawValue ?? "earlier", second: outcome))
  }

  /// Counts one of what is told apart by `dimension` and outcome; the counter is made on first use.
  private func count(
    _ counters: WritableKeyPath<Instruments, [Pair: Counter]>, _ label: String, _ dimension: String,
    _ key: Pair
  ) {
    instruments.withLock { instruments in
      if let counter = instruments[keyPath: counters][key] { return counter }
      let counter = Counter(
        label: label, dimensions: [(dimension, key.first), ("outcome", key.second)], factory: registry)
      instruments[keyPath: counters][key] = counter
      return counter
    }.increment()
  }

  /// - Parameter jobs: `nil` = the store did not say.
  func text(
    as format: MetricsFormat, runsInProgress runs: Int, queued: Int, scripts versions: any ScriptVersions,
    models: [ModelHealth],
    jobs: JobCounts?
  ) -> String {
    runsInProgress.set(runs)
    runsQueued.set(queued)
    if let limits = instruments.withLock({ $0.connections }) { connections.set(limits.count) }
    if let jobs { self.jobs.set(jobs) }
    spans?.count()
    scriptProblems.set(versions.problems.count)
    canaryPercent.set(versions.deployment.candidate?.percent ?? 0)
    let scripts = versions.usage
    for health in models {
      set(health)
      count(health)
    }
    cells.set(scripts.cells)
    scriptRuns.set(scripts.runs)
    luaMemory.set(scripts.memoryBytes)
    return registry.text(as: format)
  }

  private func set(_ health: ModelHealth) {
    let value =
      switch health.state {
      case .closed: 0
      case .probing: 1
      case .open: 2
      }
    instruments.withLock { instruments in
      let key = Pair(first: health.provider, second: health.model)
      if let meter = instruments.breakers[key] { return meter }
      let meter = Meter(
        label: "perigee_model_breaker_state",
        dimensions: [("provider", health.provider), ("model", health.model)], factory: registry)
      instruments.breakers[key] = meter
      return meter
    }.set(value)
  }

  private func count(_ health: ModelHealth) {
    guard health.hedges != ModelHealth.Hedges() else { return }
    instruments.withLock { instruments in
      let key = Pair(first: health.provider, second: health.model)
      var counters = instruments.hedges[key] ?? hedgeCounters(of: health)
      // A model that was forgotten meanwhile begins anew.
      counters.won.increment(by: max(0, health.hedges.won - counters.told.won))
      counters.lost.increment(by: max(0, health.hedges.lost - counters.told.lost))
      counters.told = health.hedges
      instruments.hedges[key] = counters
    }
  }

  private func hedgeCounters(of health: ModelHealth) -> HedgeCounters {
    func counter(_ outcome: String) -> Counter {
      Counter(
        label: "perigee_model_hedges_total",
        dimensions: [("provider", health.provider), ("model", health.model), ("outcome", outcome)],
        factory: registry)
    }
    return HedgeCounters(won: counter("won"), lost: counter("lost"))
  }

  private static let methods: Set<HTTPRequest.Method> = [
    .get, .head, .post, .put, .patch, .delete, .options, .trace, .connect,
  ]
  private static let otherMethod = HTTPRequest.Method("OTHER") ?? .options
}
