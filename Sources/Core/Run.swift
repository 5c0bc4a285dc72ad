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
  final class Calls: Sendable {
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
    let cabinet: GuardCabinet
    let onDelegatedCall: Runner.OnDelegatedCall?
    /// Whether the run may leave memory while it waits.
    let mayLeave: Bool
    /// It is an attempt of a job: nobody waits for it whom it could ask.
    var isJob = false
  }

  let masked = Mutex(MaskedWords())
  let environment: Environment
  let context: RunContext
  let journal: Journal
  /// Before the keys of what this run does: empty, or the key of the call that made it and a slash.
  let prefix: String
  /// Of what was said before the history that it got.
  private let summary: String?
  /// The conversation as its caller sent it.
  let callers: CallerConversation?
  let depth: Int
  let startedAt: Duration
  let turn: Mutex<Turn>
  /// Shared with the runs that this one calls.
  let calls: Calls
  let budget: Budget
  /// In which it was called.
  let transaction: (any OpenTransaction)?
  /// The script that called this agent.
  let caller: (any ScriptRun)?
  /// The script's side of this run, once something of it was wanted.
  let openedScript = Mutex<(any ScriptRun)?>(nil)

  /// - Parameter budgets: What the turn shares with others; a called agent shares its caller's.
  init(
    _ context: RunContext, message: String, conversation: CallerConversation? = nil, summary: String? = nil,
    environment: Environment, journal: Journal, prefix: String = "",
    budgets: [Budget] = [],
    calledBy parent: Run? = nil, within transaction: (any OpenTransaction)? = nil
  ) {
    self.transaction = transaction
    self.context = context
    self.summary = summary
    self.callers = conversation
    self.environment = environment
    self.journal = journal
    self.prefix = prefix
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
    if parent == nil, journal.inherited.tokens > 0 {
      turn.withLock { $0.spent(journal.inherited) }
      journal.recount(journal.inherited, in: budget)
    }
  }

  /// What old turns were folded into in this one.
  var newSummary: ConversationSummary? { turn.withLock { $0.newSummary } }

  /// What it was given of its session.
  var earlierReading: RunBeginning.EarlierReading {
    RunBeginning.EarlierReading(summary: summary, firstMessageID: context.history.first?.id)
  }

  /// Counts what earlier lives of the run took of models and this one was not handed back.
  func countDropped() {
    let dropped = journal.takeDropped()
    guard dropped.tokens > 0 else { return }
    turn.withLock { $0.spent(dropped) }
    journal.recount(dropped, in: budget)
  }

  /// What the run has come to so far; complete steps only.
  var progress: (message: String, isChecked: Bool, steps: [TurnStep], usage: Usage, answerTokens: Int?) {
    turn.withLock { ($0.message, $0.isChecked, $0.steps, $0.usage, $0.answerTokens) }
  }

  var agent: Agent { context.agent }

  var guards: Guards? { environment.cabinet.guards(of: agent) }

  var remaining: Duration {
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
      let state = try await script?.changedState()
      try journal.check()
      result = .success((ending, state))
    } catch {
      result = .failure((error as? Failure).map(guarded) ?? error)
    }
    await closeScript()
    return try result.get()
  }

  /// Does what the turn says, one thing after another.
  func perform() async throws -> Turn.Ending {
    try await guardInput()
    var action = turn.withLock { $0.start() }
    while true {
      try Task.checkCancellation()
      switch action {
      case .before(let message): action = try await check(message)
      case .prepare: action = try await prepare()
      case .callModel(let messages): action = try await callModel(messages)
      case .callTools(let planned): action = try await runTools(planned)
      case .runBody: action = try await runBody()
      case .runStub: action = try await runStub()
      case .after(let reply): action = try await finish(reply)
      case .finish(let ending): return try await guarded(ending)
      }
    }
  }

  // Steps of their own, never inlined: what they need is not kept in the frame that waits for the model.

  @inline(never) private func check(_ message: String) async throws -> Turn.Action {
    let accepted = try accepted(try await openScript().before(message: message))
    return turn.withLock { $0.accepted(accepted) }
  }

  @inline(never) private func runTools(_ planned: [Turn.PlannedCall]) async throws -> Turn.Action {
    let calls = try await callTools(planned, in: openScript())
    return try turn.withLock { turn throws(Failure) in try turn.ran(calls) }
  }

  @inline(never) private func runBody() async throws -> Turn.Action {
    let script = try await openScript()
    do {
      let reply =
        switch agent.body {
        case .steps(let workflow): try await tellingWorkflow { try await perform(workflow, in: script) }
        case .states(let machine): try await tellingWorkflow { try await perform(machine, in: script) }
        case .run, .prompt: try await script.run()
        }
      return try turn.withLock { turn throws(Failure) in try turn.answered(reply) }
    } catch let failure as Failure {
      guard let kind = failure.modelErrorKind else { throw failure }
      return try turn.withLock { turn throws(Failure) in
        try turn.modelFailed(kind, failure, hasActed: journal.hasActed(under: prefix))
      }
    }
  }

  @inline(never) private func runStub() async throws -> Turn.Action {
    let message = turn.withLock { $0.message }
    let reply = try await openScript().stub(message: message)
    return try turn.withLock { turn throws(Failure) in try turn.answered(reply) }
  }

  @inline(never) private func finish(_ reply: ScriptReply) async throws -> Turn.Action {
    let changed = try await openScript().after(reply)
    return try turn.withLock { turn throws(Failure) in try turn.finished(changed) }
  }

  @inline(never) private func prepare() async throws -> Turn.Action {
    guard try await hasModel() else {
      return try turn.withLock { turn throws(Failure) in try turn.modelIsMissing() }
    }
    try await compact()
    let prompt =
      switch agent.body {
      case .prompt(.constant(let text)): text
      case .prompt(.function): try await openScript().prompt()
      case .run, .steps, .states: ""
      }
    let names =
      switch agent.tools {
      case .names(let names): names
      case .function: try await openScript().tools(askedBy: nil)
      }
    var toolbox = try Toolbox(
      names: names, delegates: agent.agents, host: environment.host, user: context.user)
    if let callers { try toolbox.add(callers.tools) }
    let tools = toolbox
    return try turn.withLock { turn throws(Failure) in try turn.prepared(prompt: prompt, toolbox: tools) }
  }
}

// MARK: The script's side

extension Run {
  var script: (any ScriptRun)? { openedScript.withLock { $0 } }

  /// The place in which this run's functions run, opened when the first of them is wanted: many turns want none.
  ///
  /// Called by ``perform()`` alone, which does one thing at a time.
  func openScript() async throws -> any ScriptRun {
    if let script { return script }
    let script = try await environment.host.open(
      context, services: Services(run: self), caller: caller, journal: journal, prefix: prefix,
      within: transaction)
    openedScript.withLock { $0 = script }
    return script
  }

  func closeScript() async {
    // The script's side knows the run through its services: without this, neither would ever go.
    let script = openedScript.withLock { $0.take() }
    await script?.close()
  }
}

extension Run.Environment {
  /// The same for an agent that another one called: its text is not the answer.
  var silent: Self {
    Self(
      host: host, model: model, time: time, deadlines: deadlines, feed: nil, cabinet: cabinet,
      onDelegatedCall: onDelegatedCall,
      mayLeave: mayLeave, isJob: isJob)
  }
}

extension Agent {
  /// - Throws: ``Failure`` `denied` when the user has none of the roles that the agent wants.
  public func admit(_ user: Principal) throws(Failure) {
    guard roles.isEmpty || roles.contains(where: user.roles.contains) else {
      throw Failure(.denied, "you may not use the agent '\(name)'")
    }
  }
}
