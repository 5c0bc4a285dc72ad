// SPDX-License-Identifier: Apache-2.0
import Synchronization

/// Runs the turns of all sessions: opens them in the store, lets a ``Run`` do the work, and writes how they ended.
public final class Runner: Sendable {
  public struct Limits: Sendable {
    public var messageCharactersMax: Int
    /// Runs at once, of all users.
    public var runsMax: Int
    /// That may wait for one of those to end, and for how long.
    public var runsQueuedMax = 0
    public var queueTime: Duration = .seconds(10)
    /// Of one user; `nil` = no limit.
    public var runsPerUserMax: Int?
    /// Of one user in a day, UTC.
    public var day: SpendingLimits
    public var session: SpendingLimits
    /// Of all agents.
    public var guards = GuardRules()

    public init(
      messageCharactersMax: Int = 10_000, runsMax: Int = 20_000, runsPerUserMax: Int? = nil,
      day: SpendingLimits = SpendingLimits(), session: SpendingLimits = SpendingLimits()
    ) {
      self.messageCharactersMax = messageCharactersMax
      self.runsMax = runsMax
      self.runsPerUserMax = runsPerUserMax
      self.day = day
      self.session = session
    }
  }

  /// Told how a run ended, and on which version of the scripts.
  public typealias OnEnd = @Sendable (Result<ChatOutcome, Failure>, _ version: String) -> Void

  /// Told of each call of a tool that an agent made which another agent called, as it ends.
  public typealias OnDelegatedCall = @Sendable (_ agent: String, ToolCall) -> Void

  let store: any Store
  let model: any Model
  let time: any TimeSource
  private let limits: Limits
  let deployment: @Sendable () -> Deployment
  let executor: @Sendable () -> (any TaskExecutor)?
  private let onDelegatedCall: OnDelegatedCall?
  let observer: RunObserver?
  private let letsRunsLeave: Bool
  let deadlines: DeadlineQueue
  private let gate = SessionGate()
  let runs: LiveRuns
  let ledger: BudgetLedger
  private let unsettled: UnsettledTurns
  private let queue: RunQueue
  private let slots: RunSlots
  let cabinet: GuardCabinet
  public let totals = RunTotals()
  /// Tells whoever resumes due runs that there may be one.
  public let wakeups = AsyncStream<Void>.makeStream(bufferingPolicy: .bufferingNewest(1))

  /// - Parameters:
  ///   - executor: On which the task of a new run prefers to run.
  ///   - letsRunsLeave: Whether runs leave memory while they wait; false where nobody would wake them.
  ///   - deployment: Gives the versions of the scripts that new runs take.
  public init(
    store: any Store, model: any Model, time: any TimeSource, limits: Limits = Limits(),
    executor: @escaping @Sendable () -> (any TaskExecutor)? = { nil },
    onDelegatedCall: OnDelegatedCall? = nil, observer: RunObserver? = nil, letsRunsLeave: Bool = true,
    deployment: @escaping @Sendable () -> Deployment
  ) {
    self.store = store
    self.model = model
    self.time = time
    self.executor = executor
    self.onDelegatedCall = onDelegatedCall
    self.observer = observer
    self.letsRunsLeave = letsRunsLeave
    deadlines = DeadlineQueue(time: time)
    runs = LiveRuns(deadlines: deadlines)
    ledger = BudgetLedger(limits: limits, store: store, time: time)
    unsettled = UnsettledTurns(store: store, deadlines: deadlines)
    self.limits = limits
    queue = RunQueue(
      runningMax: limits.runsMax, waitingMax: limits.runsQueuedMax, patience: limits.queueTime,
      deadlines: deadlines)
    slots = RunSlots(max: limits.runsPerUserMax)
    cabinet = GuardCabinet(limits.guards)
    self.deployment = deployment
  }

  public var runsInProgress: Int { queue.counts.running }

  /// That wait for others to end, because the server is full.
  public var runsQueued: Int { queue.counts.waiting }

  /// Answers one message; cancelling the task cancels the run.
  ///
  /// - Parameters:
  ///   - cancellation: Cancels the run as well, from wherever.
  ///   - onEnd: Told how it ended.
  /// - Throws: ``Failure``: `invalid_arguments`, `not_found` (agent), `denied`, `rejected`, `conflict` (busy session),
  ///   `rate_limited`, `timeout`, `upstream`, `cancelled`, `internal`, or what the script raised.
  public func chat(
    _ request: ChatRequest, as user: Principal, cancellation: RunCancellation = RunCancellation(),
    onEnd: @escaping OnEnd = { _, _ in }
  ) async throws(Failure) -> ChatOutcome {
    let task = try start(request, as: user, feed: nil, cancellation: cancellation, onEnd: onEnd)
    return try await withTaskCancellationHandler {
      await task.value
    } onCancel: {
      task.cancel()
    }.get()
  }

  /// Answers one message in a task of its own and tells what happens; only `cancellation` cancels the run.
  ///
  /// - Throws: ``Failure`` for a message that is not taken at all; everything else is told by the feed.
  public func stream(
    _ request: ChatRequest, as user: Principal, cancellation: RunCancellation = RunCancellation(),
    onEnd: @escaping OnEnd = { _, _ in }
  ) throws(Failure) -> RunFeed {
    let feed = RunFeed(deadlines: deadlines)
    _ = try start(request, as: user, feed: feed, cancellation: cancellation, onEnd: onEnd)
    return feed
  }

  /// Answers one message and tells what happens meanwhile; cancelling the task cancels the run.
  ///
  /// - Throws: ``Failure`` as ``chat(_:as:cancellation:onEnd:)`` does.
  public func chat(
    _ request: ChatRequest, as user: Principal, onEvent: @escaping @Sendable (RunEvent) -> Void
  ) async throws(Failure) -> ChatOutcome {
    let cancellation = RunCancellation()
    let feed = try stream(request, as: user, cancellation: cancellation)
    // A task of its own: a cancelled one could not hear how the run ends.
    let task = Task { () async -> Result<ChatOutcome, Failure> in
      var watcher = feed.watch()
      while let events = try? await watcher.next(within: .seconds(60)) {
        for event in events {
          onEvent(event)
          switch event {
          case .completed(let reply): return .success(.answered(reply))
          case .waiting(let run): return .success(.waiting(run))
          case .failed(let failure): return .failure(failure)
          case .started, .text, .toolStarted, .toolFinished, .approvalRequested: break
          }
        }
      }
      return .failure(Failure(CancellationError()))
    }
    return try await withTaskCancellationHandler {
      await task.value
    } onCancel: {
      cancellation.cancel()
    }.get()
  }

  private func start(
    _ request: ChatRequest, as user: Principal, feed: RunFeed?, cancellation: RunCancellation,
    onEnd: @escaping OnEnd
  ) throws(Failure) -> Task<Result<ChatOutcome, Failure>, Never> {
    try request.validate(messageCharactersMax: limits.messageCharactersMax)
    var request = request
    // Named here, because a session stays on its version from its first message on.
    let sessionID = request.sessionID ?? Identifier.randomUUID()
    request.sessionID = sessionID
    let host = deployment().host(userID: user.id, sessionID: sessionID)
    guard let agent = host.agents[request.agent] else {
      throw Failure(.notFound, "there is no agent '\(request.agent)'")
    }
    try agent.admit(user)
    guard user.mayAsk(agent.name) else {
      throw Failure(.denied, "this API key is not for the agent '\(agent.name)'")
    }
    return try start(
      request, as: user, agent, on: host, feed: feed, cancellation: cancellation, onEnd: onEnd)
  }

  func start(
    _ request: ChatRequest, as user: Principal, _ agent: Agent, on host: any ScriptHost,
    unfinished: AdoptedRun? = nil, again: KeptRun? = nil, feed: RunFeed?, cancellation: RunCancellation,
    onEnd: @escaping OnEnd
  ) throws(Failure) -> Task<Result<ChatOutcome, Failure>, Never> {
    let lifecycle = host.lifecycles[agent.name]
    // A run that goes on was admitted when it began.
    let takesSlot = unfinished == nil
    if takesSlot { try slots.take(user.id) }
    var place: RunQueue.Place?
    do throws(Failure) {
      try lifecycle?.begin()
      do throws(Failure) {
        if takesSlot { place = try queue.enter() } else { queue.reenter() }
      } catch {
        lifecycle?.end(completed: false)
        throw error
      }
    } catch {
      if takesSlot { slots.giveBack(user.id) }
      throw error
    }
    let turn = StoredTurn(
      request: request, user: user, agent: agent, store: store,
      environment: Run.Environment(
        host: host, model: model, time: time, deadlines: deadlines, feed: feed, cabinet: cabinet,
        onDelegatedCall: onDelegatedCall, mayLeave: letsRunsLeave && request.conversation == nil),
      cancellation: cancellation, runs: runs, ledger: ledger, unsettled: unsettled,
      unfinished: unfinished, again: again, observer: observer)
    runs.enter()
    let start = time.elapsed
    // A task of its own: what cancels the run leaves the caller to hear how it ended.
    let task = Task(executorPreference: executor()) { [self, place] in
      let result: Result<ChatOutcome, Failure>
      if let refusal = await wait(in: place) {
        result = turn.refuse(refusal)
      } else {
        result = await turn.complete(behind: gate)
        queue.leave()
      }
      let isCompleted = if case .success = result { true } else { false }
      lifecycle?.end(completed: isCompleted)
      // One that waits has not ended.
      if case .success(.waiting) = result {} else { totals.add(time.elapsed - start, completed: isCompleted) }
      if takesSlot { slots.giveBack(user.id) }
      runs.leave()
      onEnd(result, host.version)
      return result
    }
    cancellation.set { task.cancel() }
    return task
  }

  /// - Returns: Why the run does not get its turn.
  private func wait(in place: RunQueue.Place?) async -> Failure? {
    guard let place else { return nil }
    do {
      try await queue.wait(in: place)
      return nil
    } catch {
      return Failure(error)
    }
  }
}

extension Runner {
  /// What a run of a job works with; nobody watches it.
  func jobEnvironment(_ host: any ScriptHost) -> Run.Environment {
    Run.Environment(
      host: host, model: model, time: time, deadlines: deadlines, feed: nil, cabinet: cabinet,
      onDelegatedCall: onDelegatedCall,
      mayLeave: false, isJob: true)
  }
}

// MARK: Runs that go on

extension Runner {
  /// Keeps a run's session for it, and its idempotency key, until it has been ``resume(_:on:onEnd:)``d or
  /// ``giveUp(_:_:)``.
  ///
  /// - Parameter keepingSession: False: it waits for its session like a message that comes now.
  public func adopt(_ run: UnfinishedRun, keepingSession: Bool = true) -> AdoptedRun {
    let cancellation = RunCancellation()
    let user = run.beginning.user.id
    return AdoptedRun(
      run: run, cancellation: cancellation,
      holdsKey: keepingSession
        && run.beginning.idempotencyKey.map {
          gate.enterIfFree(SessionGate.Key($0, userID: user)) {}
        } ?? false,
      holdsSession: keepingSession
        && gate.enterIfFree(
          SessionGate.Key(userID: user, sessionID: run.sessionID), interrupt: cancellation.cancel)
    )
  }

  /// Goes on with a run that was under way when its process stopped, and waits for its end.
  ///
  /// - Parameter host: The version that it began with.
  /// - Throws: ``Failure``: how it ended, or `not_found` when that version has no such agent.
  @discardableResult
  public func resume(
    _ adopted: AdoptedRun, on host: any ScriptHost, onEnd: @escaping OnEnd = { _, _ in }
  ) async throws(Failure) -> ChatOutcome {
    let run = adopted.run
    guard let agent = host.agents[run.agent] else {
      let failure = Failure(.notFound, "there is no agent '\(run.agent)'")
      await giveUp(adopted, failure)
      throw failure
    }
    var request = ChatRequest(
      agent: run.agent, message: run.message, sessionID: run.sessionID, input: run.beginning.input)
    request.idempotencyKey = run.beginning.idempotencyKey
    request.trace = run.beginning.trace
    let task = try start(
      request, as: run.beginning.user, agent, on: host, unfinished: adopted, feed: nil,
      cancellation: adopted.cancellation, onEnd: onEnd)
    return try await task.value.get()
  }
}

extension Runner {
  /// Ends a run that cannot go on.
  public func giveUp(_ adopted: AdoptedRun, _ failure: Failure) async {
    let run = adopted.run
    let user = run.beginning.user.id
    defer {
      if adopted.holdsSession { gate.leave(SessionGate.Key(userID: user, sessionID: run.sessionID)) }
      if adopted.holdsKey, let key = run.beginning.idempotencyKey {
        gate.leave(SessionGate.Key(key, userID: user))
      }
    }
    var closing = TurnClosing(
      runID: run.runID, userID: user, sessionID: run.sessionID,
      messageID: Identifier.uuid(at: time.now), status: .failed, failure: failure, text: "", steps: [],
      usage: Usage(), state: nil, at: time.now)
    closing.take(checkedMessage: run.beginning.checkedMessage)
    do {
      try await store.closeTurn(closing)
      observer?.ended(run)
    } catch {
      unsettled.add(closing, key: run.beginning.idempotencyKey, refusedBy: Failure(error))
    }
  }
}

extension Runner {
  /// Whether anything that agents say or do may be kept from their users.
  public func isGuarded(_ host: any ScriptHost) -> Bool {
    host.agents.values.contains { agent in
      cabinet.guards(of: agent)?.mayHide == true
        || !agent.hooks.isDisjoint(with: [.outputGuards, .toolGuards])
    }
  }
}

// MARK: Runs under way

extension Runner {
  /// What happens in a run that is watched, or was until a minute ago.
  public func feed(ofRun id: String, visibleTo: Visibility) -> RunFeed? {
    runs.find(id, visibleTo: visibleTo)?.entry.feed
  }

  /// Whether a run is under way in this process.
  public func isUnderWay(run id: String) -> Bool { runs.find(id, visibleTo: .everyone)?.isRunning ?? false }

  /// Cancels a run; false when none of that name is under way in this process.
  func cancelLive(run id: String, visibleTo: Visibility) -> Bool {
    guard let (entry, isRunning) = runs.find(id, visibleTo: visibleTo), isRunning else { return false }
    entry.cancellation.cancel()
    return true
  }

  /// Cancels the runs that are still under way when `limit` is over.
  public func stop(within limit: Duration) { _ = deadlines.schedule(after: limit, runs.cancelAll) }

  /// Whether what was under way was cut off because the server stops.
  public var hasStopped: Bool { runs.isOver }

  /// Returns when no run is under way, and what became of each was written or cannot be.
  public func waitForRuns() async {
    await runs.waitForNone()
    await unsettled.settle()
  }
}
