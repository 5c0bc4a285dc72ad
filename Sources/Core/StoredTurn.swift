// SPDX-License-Identifier: Apache-2.0
import JSONCodec
import Telemetry

/// One turn between its two writes: the user's message before, the answer or the failure after.
final class StoredTurn: Sendable {
  let request: ChatRequest
  let user: Principal
  let agent: Agent
  let store: any Store
  let environment: Run.Environment
  let cancellation: RunCancellation
  let runs: LiveRuns
  let ledger: BudgetLedger
  let unsettled: UnsettledTurns
  /// The run that goes on; `nil` = a new one begins.
  let unfinished: AdoptedRun?
  /// The run that is done again.
  let again: KeptRun?
  let observer: RunObserver?

  init(
    request: ChatRequest, user: Principal, agent: Agent, store: any Store,
    environment: Run.Environment, cancellation: RunCancellation, runs: LiveRuns,
    ledger: BudgetLedger, unsettled: UnsettledTurns, unfinished: AdoptedRun? = nil, again: KeptRun? = nil,
    observer: RunObserver? = nil
  ) {
    self.request = request
    self.user = user
    self.agent = agent
    self.store = store
    self.environment = environment
    self.cancellation = cancellation
    self.runs = runs
    self.ledger = ledger
    self.unsettled = unsettled
    self.unfinished = unfinished
    self.again = again
    self.observer = observer
  }

  private var time: any TimeSource { environment.time }

  /// Waits for the session, then does the turn; whoever watches is told how it ended.
  func complete(behind gate: SessionGate) async -> Result<ChatOutcome, Failure> {
    let result = await enter(gate)
    environment.feed?.finish(result)
    return result
  }

  /// Ends a turn that nothing was done about.
  func refuse(_ failure: Failure) -> Result<ChatOutcome, Failure> {
    environment.feed?.finish(.failure(failure))
    return .failure(failure)
  }

  /// Refuses a message before anything of it is kept.
  ///
  /// - Throws: ``Failure`` `rejected`.
  private func check() async throws(Failure) {
    // One that was taken before was looked at then.
    guard unfinished == nil, again == nil, let guards = environment.cabinet.guards(of: agent) else { return }
    do {
      try guards.check(request.message, request.callerInput)
      try request.conversation.map(guards.check)
    } catch {
      // That it is on record is not worth keeping the refusal back.
      try? await store.record([
        AuditEntry(
          .guardrailRefused, at: time.now, by: user.actor, agent: agent.name,
          version: environment.host.version,
          detail: RawJSON(["rules": error.detail?["rules"] ?? .array([])]))
      ])
      throw error
    }
  }

  private func enter(_ gate: SessionGate) async -> Result<ChatOutcome, Failure> {
    do {
      try await check()
    } catch {
      return .failure(error)
    }
    guard let key = request.idempotencyKey else { return await enter(gate, for: names()) }
    let turn = SessionGate.Key(key, userID: user.id)
    do {
      if unfinished?.holdsKey != true { try await gate.enter(turn, policy: .queue) {} }
    } catch {
      if let unfinished, unfinished.holdsSession {
        gate.leave(SessionGate.Key(userID: user.id, sessionID: unfinished.run.sessionID))
      }
      return .failure(Failure(error))
    }
    defer { gate.leave(turn) }
    if unfinished != nil || again != nil { return await enter(gate, for: names()) }
    do {
      try await unsettled.settle(key, userID: user.id)
      switch try await store.earlierTurn(key, userID: user.id, at: time.now) {
      case .answered(let reply):
        environment.feed?.append(.started(runID: reply.runID, sessionID: reply.sessionID))
        return .success(.answered(reply))
      case .waiting(let run): return .success(.waiting(run))
      case .unanswered(let runID, let messageID, let sessionID, let seed):
        return await enter(
          gate,
          for: Names(
            runID: runID, messageID: messageID, sessionID: sessionID, seed: Identifier.randomNumber(),
            isAgain: true, earlierSeed: seed))
      case nil: return await enter(gate, for: names())
      }
    } catch {
      return .failure(Failure(error))
    }
  }

  /// What the turn is called in the store.
  private struct Names {
    let runID: String
    let messageID: String
    let sessionID: String
    let seed: UInt64
    var isAgain = false
    var earlierSeed: UInt64?
    var isResumed = false
  }

  private func names() -> Names {
    let now = time.now
    if let unfinished {
      return Names(
        runID: unfinished.run.runID, messageID: "", sessionID: unfinished.run.sessionID, seed: 0,
        isResumed: true)
    }
    if let again {
      return Names(
        runID: again.run.runID, messageID: again.messageID, sessionID: again.run.sessionID,
        seed: Identifier.randomNumber(), isAgain: true, earlierSeed: again.turn.seed)
    }
    return Names(
      runID: Identifier.uuid(at: now), messageID: Identifier.uuid(at: now),
      sessionID: request.sessionID ?? Identifier.randomUUID(), seed: Identifier.randomNumber())
  }

  private func enter(_ gate: SessionGate, for names: Names) async -> Result<ChatOutcome, Failure> {
    let key = SessionGate.Key(userID: user.id, sessionID: names.sessionID)
    do {
      if unfinished?.holdsSession != true {
        try await gate.enter(
          key, policy: names.isResumed ? .queue : agent.busy, interrupt: cancellation.cancel)
      }
    } catch {
      return .failure(Failure(error))
    }
    defer { gate.leave(key) }
    return await complete(names)
  }

  private func complete(_ names: Names) async -> Result<ChatOutcome, Failure> {
    let runID = names.runID
    await unsettled.settle(sessionID: names.sessionID, userID: user.id)
    do {
      let (opened, journal, budgets) = try await begin(names)
      runs.begin(
        runID,
        LiveRuns.Entry(
          userID: user.id, cancellation: cancellation, feed: environment.feed, waits: journal.waits))
      defer { runs.end(runID) }
      environment.feed?.append(.started(runID: runID, sessionID: names.sessionID))
      return await answer(names, opened, journal, budgets)
    } catch {
      if names.isResumed, cancellation.isCancelled, !runs.isOver { await closeUnopened(names) }
      return .failure(Failure(error))
    }
  }

  /// Ends a run that was cancelled before it could be taken up again: nobody else would.
  @inline(never) private func closeUnopened(_ names: Names) async {
    let closing = TurnClosing.cancelled(names.runID, user: user, sessionID: names.sessionID, at: time.now)
    do {
      try await store.closeTurn(closing)
      ended(names.runID)
    } catch {
      unsettled.add(closing, key: request.idempotencyKey, refusedBy: Failure(error))
    }
  }

  private func ended(_ runID: String) {
    observer?.ended(runID, observer?.trace(ofRun: runID, parent: request.trace))
  }

  /// Opens the turn; a run that is to go on has nobody else who would try again.
  @inline(never) private func begin(_ names: Names) async throws -> (OpenedTurn, Journal, [Budget]) {
    var attempt = 0
    while true {
      do {
        let budgets = try await ledger.budgets(userID: user.id, sessionID: names.sessionID)
        // The message is kept before anything is done about it, so that a crash loses neither.
        let (opened, journal) = try await open(names)
        return (opened, journal, budgets)
      } catch let failure as Failure where names.isResumed && failure.code == .internal {
        if runs.isOver { throw failure }
        attempt += 1
        try await time.sleep(for: .milliseconds(min(100 << min(attempt, 4), 1000)))
      }
    }
  }

  // Not inlined, as what follows: what it needs is not kept in the frame that waits for the run.
  @inline(never) private func open(_ names: Names) async throws -> (OpenedTurn, Journal) {
    if names.isResumed { return try await reopen(names) }
    var opening = TurnOpening(
      runID: names.runID, messageID: names.messageID, userID: user.id, sessionID: names.sessionID,
      agent: agent.name, version: environment.host.version, message: request.message,
      historyMessages: agent.historyMessages, idempotencyKey: request.idempotencyKey,
      isAgain: names.isAgain, hasSession: request.conversation == nil, at: time.now)
    opening.seed = names.seed
    opening.earlierSeed = names.earlierSeed
    opening.isUnchecked = agent.checksMessages
    if request.conversation == nil {
      opening.beginning = beginning
      opening.wantsSummary = agent.summarizer != nil
      opening.historyMessages = agent.historyMessagesWanted
    }
    let journal = Journal(
      runID: names.runID, seed: names.seed, store: store, time: time, deadlines: environment.deadlines)
    if environment.mayLeave { journal.waits.onIdle(cancellation.leave) }
    return (try await store.openTurn(opening), journal)
  }

  private var beginning: RunBeginning {
    var beginning = RunBeginning(
      user: user, input: request.callerInput, idempotencyKey: request.idempotencyKey)
    beginning.trace = request.trace
    return beginning
  }

  /// Takes an unfinished run up where it was.
  ///
  /// - Throws: `CancellationError` when it has ended meanwhile.
  private func reopen(_ names: Names) async throws -> (OpenedTurn, Journal) {
    guard
      let resumed = try await store.resumeTurn(
        runID: names.runID, from: unfinished?.run.status ?? .running,
        historyMessages: agent.historyMessagesWanted, wantsSummary: agent.summarizer != nil)
    else { throw CancellationError() }
    let journal = Journal(
      runID: names.runID, seed: resumed.seed, recorded: resumed.journal, isFromWaiting: resumed.wasWaiting,
      store: store, time: time, deadlines: environment.deadlines)
    if environment.mayLeave {
      // Should the next crash be near, the run is not counted among those that may be why.
      journal.waits.onIdle(after: resumed.wasWaiting ? RunWaits.grace : .zero, cancellation.leave)
    }
    if resumed.resumptions > Self.resumptionsMax { journal.refuse(.givenUp) }
    return (resumed.opened, journal)
  }

  /// A run that was under way each time the server stopped may be why it did.
  private static let resumptionsMax = 10

  @inline(never) private func answer(
    _ names: Names, _ opened: OpenedTurn, _ journal: Journal, _ budgets: [Budget]
  ) async -> Result<ChatOutcome, Failure> {
    let run = makeRun(names, opened, journal, budgets)
    let deadline = environment.deadlines.start(
      after: .seconds(agent.limits.seconds), cancel: cancellation.cancel)
    let result: Result<(Turn.Ending, RawJSON?), Failure>
    do {
      try journal.check()
      result = .success(try await run.complete())
      environment.deadlines.end(deadline)
    } catch {
      // From here on it is settled whether its time was over.
      environment.deadlines.end(deadline)
      // A run that was stopped may end with the error of whatever was cancelled in it.
      let stopped = deadline.isOver ? run.timeout : Failure(CancellationError())
      result = .failure(Task.isCancelled ? stopped : Failure(error))
    }
    if case .failure = result {
      if journal.waits.isSuspended, !deadline.isOver, !cancellation.isCancelled {
        return await suspend(run, names)
      }
      if Task.isCancelled, !deadline.isOver, runs.isOver, request.conversation == nil {
        // The server stops, not the run: it goes on at the next start, from as far as it has come.
        try? await journal.flush()
        return .failure(Failure(CancellationError()))
      }
    }
    return await close(run, names, result)
  }

  /// Lets a run leave memory that has nothing to do but wait.
  @inline(never) private func suspend(_ run: Run, _ names: Names) async -> Result<ChatOutcome, Failure> {
    let journal = run.journal
    run.countDropped()
    do {
      var suspension = TurnSuspension(
        runID: names.runID, journal: journal.takeUnwritten(inside: true), keys: journal.waits.keysLeft,
        usage: run.progress.usage)
      suspension.events = journal.takeUntold()
      suspension.audit = journal.takeUnrecorded()
      let progress = run.progress
      let message = agent.checksMessages && progress.isChecked ? progress.message : nil
      if message != nil || agent.summarizer != nil {
        suspension.beginning = beginning
        suspension.beginning?.checkedMessage = message
        if agent.summarizer != nil { suspension.beginning?.read = run.earlierReading }
      }
      try await store.suspendTurn(suspension)
      // Who cancelled it meanwhile was told that it will end.
      if cancellation.isCancelled {
        var closing = TurnClosing.cancelled(
          names.runID, user: user, sessionID: names.sessionID, at: time.now)
        closing.take(checkedMessage: message)
        if try await store.endWaitingTurn(closing) { ended(names.runID) }
        return .failure(Failure(CancellationError()))
      }
    } catch {
      // What it waits for is not on record, so nobody would wake it.
      return await close(run, names, .failure(Failure(error)))
    }
    let keys = Set(journal.waits.keysLeft)
    return .success(
      .waiting(
        WaitingRun(
          runID: names.runID, sessionID: names.sessionID,
          approval: journal.waits.approvals.last { keys.contains($0.key) })))
  }

  @inline(never) private func makeRun(
    _ names: Names, _ opened: OpenedTurn, _ journal: Journal, _ budgets: [Budget]
  ) -> Run {
    var context = RunContext(
      runID: names.runID, agent: agent, user: user, sessionID: names.sessionID, state: opened.state,
      input: request.scriptInput, history: request.conversation?.history ?? opened.history)
    context.trace = observer?.trace(ofRun: names.runID, parent: request.trace)
    return Run(
      context, message: request.message, conversation: request.conversation, summary: opened.summary,
      environment: environment, journal: journal, budgets: budgets)
  }

  @inline(never) private func close(
    _ run: Run, _ names: Names, _ result: Result<(Turn.Ending, RawJSON?), Failure>
  ) async -> Result<ChatOutcome, Failure> {
    run.countDropped()
    let progress = run.progress
    let messageID = Identifier.uuid(at: time.now)
    var closing = TurnClosing(
      runID: names.runID, userID: user.id, sessionID: names.sessionID, messageID: messageID,
      status: .completed,
      failure: nil, message: progress.message == request.message ? nil : progress.message, text: "",
      steps: run.shown(progress.steps), usage: progress.usage, state: nil,
      hasSession: request.conversation == nil,
      at: time.now)
    closing.isChecked = agent.checksMessages && progress.isChecked
    closing.isAgain = names.isAgain
    closing.isResumed = names.isResumed
    closing.journal = run.journal.takeUnwritten()
    closing.events = run.journal.takeUntold()
    closing.audit = run.journal.takeUnrecorded()
    (closing.address, closing.keyID) = (user.address, user.keyID)
    closing.mayHaveTold = names.isResumed || run.journal.hasTold
    closing.hasAsked = run.journal.waits.hasWaited
    closing.answerTokens = progress.answerTokens
    closing.summary = run.newSummary
    closing.isKeyed = request.idempotencyKey != nil
    switch result {
    case .success(let (ending, state)):
      closing.text = ending.reply.text
      closing.finishReason = ending.finishReason
      closing.usingStub = ending.usingStub
      closing.data = ending.reply.data
      closing.handedOut = ending.handedOut
      closing.state = state
    case .failure(let failure):
      closing.status = failure.code == .cancelled ? .cancelled : .failed
      closing.failure = failure
      closing.text = failure.misfittingText ?? ""
    }
    do {
      // Cancellation ends the run, not the record of it: the store goes on.
      try await store.closeTurn(closing)
    } catch {
      let failure = Failure(error)
      unsettled.add(closing, key: request.idempotencyKey, refusedBy: failure)
      return .failure(failure)
    }
    observer?.ended(names.runID, run.context.trace)
    return result.map { ending, _ in .answered(reply(ending, closing)) }
  }

  private func reply(_ ending: Turn.Ending, _ closing: TurnClosing) -> ChatReply {
    ChatReply(
      sessionID: closing.sessionID, messageID: closing.messageID, runID: closing.runID, agent: agent.name,
      version: environment.host.version, text: ending.reply.text, data: ending.reply.data,
      usingStub: ending.usingStub, finishReason: ending.finishReason, calls: ending.reply.calls,
      handedOut: ending.handedOut, usage: closing.usage, at: closing.at)
  }
}

extension TurnClosing {
  /// - Parameter checkedMessage: `nil` = its agent has not let it in.
  mutating func take(checkedMessage: String?) {
    message = checkedMessage
    isChecked = checkedMessage != nil
  }

  /// Of a run that waits, and is not to go on.
  public static func cancelled(_ runID: String, user: Principal, sessionID: String, at now: Timestamp)
    -> TurnClosing
  {
    var closing = TurnClosing(
      runID: runID, userID: user.id, sessionID: sessionID, messageID: Identifier.uuid(at: now),
      status: .cancelled, failure: Failure(CancellationError()), text: "", steps: [], usage: Usage(),
      state: nil, at: now)
    closing.hasAsked = true
    (closing.address, closing.keyID) = (user.address, user.keyID)
    return closing
  }
}

extension Failure {
  fileprivate static let givenUp = Failure(
    .internal, "the run was under way each time the server stopped, and is given up",
    detail: ["reason": "resumed_too_often"])
}

/// An unfinished run for which its session is kept: messages that come now wait for its end.
public struct AdoptedRun: Sendable {
  public let run: UnfinishedRun
  let cancellation: RunCancellation
  let holdsKey: Bool
  let holdsSession: Bool
}

extension SessionGate.Key {
  /// Of all turns that come with this key; no session has such a name.
  init(_ key: IdempotencyKey, userID: String) {
    self.init(userID: userID, sessionID: " " + key.name)
  }
}
