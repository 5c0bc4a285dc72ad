// SPDX-License-Identifier: Apache-2.0
import JSONCodec
import Synchronization

/// One run of an agent: does what its ``Turn`` says, and serves the host calls of its script.
final class Run: Sendable {
  /// Agents that may call one another in a chain.
  static let depthMax = 8
  /// Calls by scripts to tools and agents that may be under way at once in one turn, those of called agents too.
  static let callsInFlightMax = 64
  /// Agents that scripts may call in one turn.
  static let agentCallsMax = 256

  /// What all runs of a turn may do together.
  private final class Calls: Sendable {
    let inFlight = Atomic<Int>(0)
    let agents = Atomic<Int>(0)
  }

  struct Environment: Sendable {
    let host: any ScriptHost
    let model: any Model
    let time: any TimeSource
    let deadlines: DeadlineQueue
    /// Where a watched run tells what happens.
    let feed: RunFeed?
  }

  let environment: Environment
  let context: RunContext
  /// The conversation as its caller sent it.
  private let callers: CallerConversation?
  private let depth: Int
  private let startedAt: Duration
  private let turn: Mutex<Turn>
  /// Shared with the runs that this one calls.
  private let calls: Calls
  private let budget: Budget
  /// The script that called this agent.
  private let caller: (any ScriptRun)?
  /// Calls that the script itself made: each has a key of its own.
  private let callsMade = Atomic<Int>(0)
  /// The script's side of this run, once something of it was wanted.
  private let openedScript = Mutex<(any ScriptRun)?>(nil)

  /// - Parameter budgets: What the turn shares with others; a called agent shares its caller's.
  init(
    _ context: RunContext, message: String, conversation: CallerConversation? = nil, summary: String? = nil,
    environment: Environment,
    budgets: [Budget] = [],
    calledBy parent: Run? = nil
  ) {
    self.context = context
    self.callers = conversation
    self.environment = environment
    depth = parent.map { $0.depth + 1 } ?? 0
    calls = parent?.calls ?? Calls()
    caller = parent?.script
    budget = Budget(
      .run, limits: SpendingLimits(tokens: context.limits.tokens, costUSD: context.limits.costUSD),
      parents: parent.map { [$0.budget] } ?? budgets)
    startedAt = environment.time.elapsed
    turn = Mutex(
      Turn(
        agent: context.agent, limits: context.limits, message: message, history: context.history,
        callers: conversation, summary: summary))
  }

  /// What old turns were folded into in this one.
  var newSummary: ConversationSummary? { turn.withLock { $0.newSummary } }

  /// What the run has come to so far; complete steps only.
  var progress: (message: String, steps: [TurnStep], usage: Usage, answerTokens: Int?) {
    turn.withLock { ($0.message, $0.steps, $0.usage, $0.answerTokens) }
  }

  private var agent: Agent { context.agent }

  private var remaining: Duration {
    max(.zero, .seconds(context.limits.seconds) - (environment.time.elapsed - startedAt))
  }

  var timeout: Failure {
    Failure(.timeout, "the run took longer than \(context.limits.seconds) s", retryable: true)
  }

  /// Runs the turn to its end; time is the caller's to watch.
  ///
  /// - Returns: How it ended, and the session's state if a script changed it.
  /// - Throws: ``Failure``, or `CancellationError`.
  func complete() async throws -> (Turn.Ending, state: RawJSON?) {
    let result: Result<(Turn.Ending, state: RawJSON?), any Error>
    do {
      let ending = try await perform()
      result = .success((ending, try await script?.changedState()))
    } catch {
      result = .failure(error)
    }
    await closeScript()
    return try result.get()
  }

  /// Does what the turn says, one thing after another.
  private func perform() async throws -> Turn.Ending {
    var action = turn.withLock { $0.start() }
    while true {
      try Task.checkCancellation()
      switch action {
      case .before(let message):
        let accepted = try await openScript().before(message: message)
        if accepted.isBlank {
          throw Failure(.internal, "the agent '\(agent.name)' made an empty message of it")
        }
        action = turn.withLock { $0.accepted(accepted) }
      case .prepare:
        action = try await prepare()
      case .callModel(let messages):
        action = try await callModel(messages)
      case .callTools(let planned):
        let calls = try await callTools(planned, in: openScript())
        action = try turn.withLock { turn throws(Failure) in try turn.ran(calls) }
      case .runBody:
        let reply = try await openScript().run()
        action = try turn.withLock { turn throws(Failure) in try turn.answered(reply) }
      case .runStub:
        let message = turn.withLock { $0.message }
        let reply = try await openScript().stub(message: message)
        action = try turn.withLock { turn throws(Failure) in try turn.answered(reply) }
      case .after(let reply):
        let changed = try await openScript().after(reply)
        action = try turn.withLock { turn throws(Failure) in try turn.finished(changed) }
      case .finish(let ending):
        return ending
      }
    }
  }

  private func prepare() async throws -> Turn.Action {
    guard environment.model.isConfigured(for: agent.models) else {
      return try turn.withLock { turn throws(Failure) in try turn.modelIsMissing() }
    }
    await compact()
    let prompt =
      switch agent.body {
      case .prompt(.constant(let text)): text
      case .prompt(.function): try await openScript().prompt()
      case .run: ""
      }
    let names =
      switch agent.tools {
      case .names(let names): names
      case .function: try await openScript().tools()
      }
    var toolbox = try Toolbox(names: names, delegates: agent.agents, host: environment.host)
    if let callers { try toolbox.add(callers.tools) }
    let tools = toolbox
    return try turn.withLock { turn throws(Failure) in try turn.prepared(prompt: prompt, toolbox: tools) }
  }

  /// Folds the turns that no longer fit into a summary; without one they are left out.
  private func compact() async {
    guard agent.compactsHistory, let (compaction, earlier) = turn.withLock({ $0.compaction }) else { return }
    let request = compaction.request(models: agent.models, after: earlier)
    guard let reply = try? await ask(request) else { return }
    turn.withLock { turn in
      turn.spent(reply.usage)
      if !reply.text.isBlank { turn.compacted(compaction, into: reply.text) }
    }
  }

  private func callModel(_ messages: [ModelMessage]) async throws -> Turn.Action {
    let (tools, output, showsText) = turn.withLock { ($0.toolDescriptions, $0.output, $0.showsTextAtOnce) }
    let request = ModelRequest(
      models: agent.models, messages: messages, tools: tools, output: output,
      temperature: callers?.temperature ?? agent.temperature,
      tokensMax: callers?.tokensMax ?? agent.tokensMax, toolChoice: callers?.toolChoice ?? .auto,
      allowsParallelCalls: callers?.allowsParallelCalls ?? true)
    do {
      let feed = showsText ? environment.feed : nil
      let onText = feed.map { feed in { @Sendable (text: String) in feed.append(.text(text)) } }
      let reply = try await ask(request, onText: onText)
      return try turn.withLock { turn throws(Failure) in try turn.replied(reply) }
    } catch let error as ModelError {
      return try turn.withLock { turn throws(Failure) in try turn.modelFailed(error) }
    } catch let exhausted as Budget.Exhausted {
      let now = environment.time.now
      return try turn.withLock { turn throws(Failure) in try turn.exhausted(exhausted, at: now) }
    }
  }

  /// Asks the model within what the budgets have left.
  ///
  /// - Throws: ``ModelError``, ``Budget/Exhausted``, or `CancellationError`.
  private func ask(
    _ request: ModelRequest, onText: (@Sendable (String) -> Void)? = nil
  ) async throws -> ModelReply {
    let told = Told()
    do {
      guard let onText else { return try await askCounted(request, onText: nil, told) }
      return try await askCounted(
        request,
        onText: { text in
          told.bytes.add(text.utf8.count, ordering: .relaxed)
          onText(text)
        }, told)
    } catch {
      // What was sent and said is billed, whoever left.
      if let usage = usage(of: request, told, after: error) { turn.withLock { $0.spent(usage) } }
      throw error
    }
  }

  /// Bytes of an answer that came before its call failed.
  private final class Told: Sendable {
    let bytes = Atomic<Int>(0)
  }

  /// What a call that failed has probably taken; `nil` when the provider has refused it, or was not asked.
  private func usage(of request: ModelRequest, _ told: Told, after error: any Error) -> Usage? {
    switch error {
    case is CancellationError: break
    case let error as ModelError where [.timeout, .connection, .badReply].contains(error.kind): break
    default: return nil
    }
    let output = Usage.estimatedTokens(bytes: told.bytes.load(ordering: .relaxed))
    let price = environment.model.price(of: request.models)
    return Usage(
      inputTokens: request.estimatedTokens, outputTokens: output,
      costUSD: price?.cost(inputTokens: request.estimatedTokens, outputTokens: output), isEstimated: true)
  }

  private func askCounted(
    _ request: ModelRequest, onText: (@Sendable (String) -> Void)?, _ told: Told
  ) async throws -> ModelReply {
    let model = environment.model
    if budget.isUnlimited { return try await model.respond(to: request, within: remaining, onText: onText) }
    let call = Budget.Call(
      inputTokens: request.estimatedTokens, outputTokensMax: request.tokensMax,
      price: model.price(of: request.models))
    let failed = { (error: any Error) in self.usage(of: request, told, after: error) ?? Usage() }
    return try await spending(call, failing: failed) { reservation in
      let reply = try await model.respond(
        to: request.limited(to: reservation?.outputTokensMax), within: remaining, onText: onText)
      return (reply, reply.usage)
    }
  }

  /// Makes a call within what the budgets have left.
  private func spending<Reply>(
    _ call: Budget.Call, failing: (any Error) -> Usage = { _ in Usage() },
    _ make: (Budget.Reservation?) async throws -> (Reply, Usage)
  ) async throws -> Reply {
    let reservation = try budget.reserve(call)
    do {
      let (reply, usage) = try await make(reservation)
      budget.settle(reservation, usage)
      return reply
    } catch {
      budget.settle(reservation, failing(error))
      throw error
    }
  }
}

// MARK: Tools

extension Run {
  /// Runs the calls of one answer: reads beside each other, a write alone and after all before it.
  private func callTools(_ planned: [Turn.PlannedCall], in script: any ScriptRun) async throws -> [ToolCall] {
    let step = turn.withLock { $0.steps.count }
    var finished: [ToolCall] = []
    var reads: ArraySlice<(Int, Turn.PlannedCall)> = []
    for (position, call) in planned.enumerated() {
      guard isWrite(call) else {
        reads.append((position, call))
        continue
      }
      finished += try await callAtOnce(reads, step: step, in: script)
      reads = []
      finished += try await callAtOnce([(position, call)], step: step, in: script)
    }
    return finished + (try await callAtOnce(reads, step: step, in: script))
  }

  private func isWrite(_ call: Turn.PlannedCall) -> Bool {
    guard case .execute = call.plan, case .tool(let tool) = turn.withLock({ $0.target(of: call.request) })
    else {
      return false
    }
    return tool.effect == .write
  }

  private func callAtOnce(
    _ calls: ArraySlice<(Int, Turn.PlannedCall)>, step: Int, in script: any ScriptRun
  ) async throws -> [ToolCall] {
    if calls.count < 2 {
      guard let (position, call) = calls.first else { return [] }
      return [try await make(call, key: "\(context.runID):\(step).\(position)", in: script)]
    }
    return try await withThrowingTaskGroup(of: (Int, ToolCall).self) { group in
      for (position, call) in calls {
        group.addTask {
          (position, try await self.make(call, key: "\(self.context.runID):\(step).\(position)", in: script))
        }
      }
      var finished: [(Int, ToolCall)] = []
      for try await call in group { finished.append(call) }
      return finished.sorted { $0.0 < $1.0 }.map(\.1)
    }
  }

  /// Makes one call of the model; whatever goes wrong in it is its outcome.
  private func make(_ call: Turn.PlannedCall, key: String, in script: any ScriptRun) async throws -> ToolCall
  {
    let request = call.request
    switch (call.plan, turn.withLock { $0.target(of: request) }) {
    case (.execute(let arguments), .tool(let tool)):
      return try await record(id: request.id, name: request.name, arguments: RawJSON(arguments)) {
        try await self.attempt(tool, arguments: RawJSON(arguments), id: request.id, key: key, in: script)
      }
    case (.execute(let arguments), .agent(let name)):
      return try await record(id: request.id, name: request.name, arguments: RawJSON(arguments)) {
        let reply = try await self.runAgent(name: name, input: arguments)
        return reply.data ?? RawJSON(.string(reply.text))
      }
    case (.execute(let arguments), .rest):
      return try await record(id: request.id, name: request.name, arguments: RawJSON(arguments)) {
        try self.turn.withLock { turn throws(Failure) in try turn.rest(arguments) }
      }
    case (.refuse(let failure), _):
      let arguments = (try? JSON(parsing: request.arguments)) ?? .string(request.arguments)
      return try await record(id: request.id, name: request.name, arguments: RawJSON(arguments)) {
        throw failure
      }
    case (.execute, .caller), (.execute, nil), (.handOut, _):
      return try await record(id: request.id, name: request.name, arguments: .emptyObject) {
        throw Failure(.notFound, "there is no tool '\(request.name)'")
      }
    }
  }

  /// Times a call and turns its error into its outcome; only cancellation goes further.
  private func record(
    id: String, name: String, arguments: RawJSON, _ body: @Sendable () async throws -> RawJSON
  ) async throws -> ToolCall {
    let time = environment.time
    let startedAt = time.now
    let start = time.elapsed
    environment.feed?.append(.toolStarted(id: id, name: name, arguments: arguments))
    let outcome: ToolCall.Outcome
    do {
      outcome = .result(try await body())
    } catch {
      try Task.checkCancellation()
      outcome = .failed(Failure(error))
    }
    let call = ToolCall(
      id: id, name: name, arguments: arguments, outcome: outcome, startedAt: startedAt,
      durationMilliseconds: (time.elapsed - start) / .milliseconds(1))
    environment.feed?.append(.toolFinished(call))
    return call
  }

  /// Runs a tool within its time, and again as often as its `retry` allows while its error is retryable.
  private func attempt(
    _ tool: Tool, arguments: RawJSON, id: String, key: String, in script: any ScriptRun
  ) async throws -> RawJSON {
    let time = environment.time
    for attempt in 1... {
      do {
        let call = ToolCallContext(id: id, key: key, attempt: attempt)
        return try await environment.deadlines.withTimeout(
          .seconds(tool.timeoutSeconds), "\(tool.name) took longer than \(tool.timeoutSeconds) s"
        ) { try await script.call(tool, arguments: arguments, call: call) }
      } catch let failure as Failure where failure.retryable && attempt <= tool.retries {
        try await time.sleep(for: .milliseconds(100 << min(attempt, 6)))
      }
    }
    throw Failure(.internal, "a tool without attempts")
  }
}

// MARK: What scripts ask for

extension Run {
  private struct Services: RunServices {
    let run: Run

    func callTool(name: String, arguments: JSON) async throws -> RawJSON {
      guard let script = run.script else { throw CancellationError() }
      return try await run.counted { try await run.callTool(name, arguments, in: script) }
    }

    func runAgent(name: String, input: JSON) async throws -> ScriptReply {
      try await run.counted { try await run.runAgent(name: name, input: input) }
    }

    func chat(_ request: ModelRequest) async throws -> ModelReply {
      try await run.chat(request)
    }

    func embed(_ request: EmbeddingRequest) async throws -> EmbeddingReply {
      try await run.embed(request)
    }
  }

  /// Bounds the calls under way, so that a tool that calls itself ends.
  private func counted<Value>(_ body: () async throws -> Value) async throws -> Value {
    defer { calls.inFlight.subtract(1, ordering: .relaxed) }
    guard calls.inFlight.add(1, ordering: .relaxed).newValue <= Run.callsInFlightMax else {
      throw Failure(
        .limit, "more than \(Run.callsInFlightMax) calls of tools and agents are under way in this run")
    }
    return try await body()
  }

  private func callTool(_ name: String, _ arguments: JSON, in script: any ScriptRun) async throws -> RawJSON {
    let names =
      switch agent.tools {
      case .names(let names): names
      case .function: try await script.tools()
      }
    guard names.contains(name), let tool = environment.host.tools[name] else {
      throw Misuse(
        failure: Failure(
          .notFound,
          "\(agent.name) has no tool '\(name)'; "
            + (names.isEmpty ? "it has none" : "it has: \(names.joined(separator: ", "))")))
    }
    let valid: JSON
    do {
      valid = try tool.parameters.validate(arguments)
    } catch {
      throw Failure.invalidArguments(of: name, error)
    }
    let id = "call_" + Identifier.uuid(at: environment.time.now)
    let number = callsMade.add(1, ordering: .relaxed).newValue
    let call = try await record(id: id, name: name, arguments: RawJSON(valid)) {
      try await self.attempt(
        tool, arguments: RawJSON(valid), id: id, key: "\(self.context.runID):s\(number)", in: script)
    }
    turn.withLock { $0.recorded(call, hasEffect: tool.effect == .write) }
    switch call.outcome {
    case .result(let result): return result
    case .failed(let failure): throw failure
    }
  }

  private func chat(_ request: ModelRequest) async throws -> ModelReply {
    try await onBehalfOfScript(request.models) {
      let reply = try await ask(request)
      return (reply, reply.usage)
    }
  }

  private func embed(_ request: EmbeddingRequest) async throws -> EmbeddingReply {
    let call = Budget.Call(
      inputTokens: Usage.estimatedTokens(bytes: request.inputs.reduce(0) { $0 + $1.utf8.count }),
      outputTokensMax: 0, price: environment.model.price(of: [request.model]))
    return try await onBehalfOfScript([request.model]) {
      let reply = try await spending(call) { _ in
        let reply = try await environment.model.embed(request, within: remaining)
        return (reply, reply.usage)
      }
      return (reply, reply.usage)
    }
  }

  /// Asks a model for the script, and counts what it took.
  private func onBehalfOfScript<Reply>(
    _ models: [String], _ ask: () async throws -> (Reply, Usage)
  ) async throws -> Reply {
    guard environment.model.isConfigured(for: models) else {
      throw Failure(.upstream, "no model is configured", detail: ["kind": "notConfigured"])
    }
    do {
      let (reply, usage) = try await ask()
      turn.withLock { $0.spent(usage) }
      return reply
    } catch let error as ModelError {
      throw Failure(error)
    } catch let exhausted as Budget.Exhausted {
      throw exhausted.failure(at: environment.time.now)
    }
  }

  private func runAgent(name: String, input: JSON) async throws -> ScriptReply {
    guard depth < Run.depthMax else {
      throw Failure(.limit, "agents call one another more than \(Run.depthMax) deep")
    }
    guard let agent = environment.host.agents[name] else {
      throw Failure(.notFound, "there is no agent '\(name)'")
    }
    try agent.admit(context.user)
    guard calls.agents.add(1, ordering: .relaxed).newValue <= Run.agentCallsMax else {
      throw Failure(.limit, "more than \(Run.agentCallsMax) agents were called in this run")
    }
    let message = input["message"]?.string ?? input.string ?? RawJSON(input).text
    var object = input.object ?? JSONObject()
    object["message"] = .string(message)
    var child = context
    child.runID = Identifier.uuid(at: environment.time.now)
    child.agent = agent
    child.limits = agent.limits
    child.limits.seconds = min(agent.limits.seconds, remaining / .seconds(1))
    child.state = .emptyObject
    child.history = []
    child.input = RawJSON(.object(object))
    let run = Run(child, message: message, environment: environment.silent, calledBy: self)
    defer { turn.withLock { $0.spent(run.progress.usage) } }
    return try await environment.deadlines.withTimeout(
      .seconds(child.limits.seconds), run.timeout.message
    ) {
      try await run.complete().0.reply
    }
  }
}

// MARK: The script's side

extension Run {
  private var script: (any ScriptRun)? { openedScript.withLock { $0 } }

  /// The place in which this run's functions run, opened when the first of them is wanted: many turns want none.
  ///
  /// Called by ``perform()`` alone, which does one thing at a time.
  private func openScript() async throws -> any ScriptRun {
    if let script { return script }
    let script = try await environment.host.open(context, services: Services(run: self), caller: caller)
    openedScript.withLock { $0 = script }
    return script
  }

  private func closeScript() async {
    // The script's side knows the run through its services: without this, neither would ever go.
    let script = openedScript.withLock { $0.take() }
    await script?.close()
  }
}

extension Run.Environment {
  /// The same for an agent that another one called: its text is not the answer.
  fileprivate var silent: Self {
    Self(host: host, model: model, time: time, deadlines: deadlines, feed: nil)
  }
}

extension Agent {
  /// - Throws: ``Failure`` `denied` when the user has none of the roles that the agent wants.
  func admit(_ user: Principal) throws(Failure) {
    guard roles.isEmpty || roles.contains(where: user.roles.contains) else {
      throw Failure(.denied, "you may not use the agent '\(name)'")
    }
  }
}
