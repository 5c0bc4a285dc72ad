// SPDX-License-Identifier: Apache-2.0
import JSONCodec

/// One turn between its two writes: the user's message before, the answer or the failure after.
final class StoredTurn: Sendable {
  let request: ChatRequest
  let sessionID: String
  let user: Principal
  let agent: Agent
  let store: any Store
  let environment: Run.Environment
  let cancellation: RunCancellation
  let runs: LiveRuns

  init(
    request: ChatRequest, sessionID: String, user: Principal, agent: Agent, store: any Store,
    environment: Run.Environment, cancellation: RunCancellation, runs: LiveRuns
  ) {
    self.request = request
    self.sessionID = sessionID
    self.user = user
    self.agent = agent
    self.store = store
    self.environment = environment
    self.cancellation = cancellation
    self.runs = runs
  }

  private var time: any TimeSource { environment.time }

  /// Waits for the session, then does the turn; whoever watches is told how it ended.
  func complete(behind gate: SessionGate) async -> Result<ChatReply, Failure> {
    let result = await enter(gate)
    environment.feed?.finish(result)
    return result
  }

  private func enter(_ gate: SessionGate) async -> Result<ChatReply, Failure> {
    let key = SessionGate.Key(userID: user.id, sessionID: sessionID)
    do {
      try await gate.enter(key, policy: agent.busy, interrupt: cancellation.cancel)
    } catch {
      return .failure(Failure(error))
    }
    defer { gate.leave(key) }
    return await complete()
  }

  private func complete() async -> Result<ChatReply, Failure> {
    let startedAt = time.now
    let runID = Identifier.uuid(at: startedAt)
    do {
      // The message is kept before anything is done about it, so that a crash loses neither.
      let opened = try await store.openTurn(
        TurnOpening(
          runID: runID, messageID: Identifier.uuid(at: startedAt), userID: user.id, sessionID: sessionID,
          agent: agent.name, version: environment.host.version,
          message: request.message,
          historyMessages: agent.historyMessages, at: startedAt))
      runs.begin(
        runID, LiveRuns.Entry(userID: user.id, cancellation: cancellation, feed: environment.feed))
      defer { runs.end(runID) }
      environment.feed?.append(.started(runID: runID, sessionID: sessionID))
      return await answer(runID, opened)
    } catch {
      return .failure(Failure(error))
    }
  }

  private func answer(_ runID: String, _ opened: OpenedTurn) async -> Result<ChatReply, Failure> {
    let run = Run(
      RunContext(
        runID: runID, agent: agent, user: user, sessionID: sessionID, state: opened.state,
        input: request.scriptInput,
        history: opened.history),
      message: request.message, environment: environment)
    let deadline = environment.deadlines.start(
      after: .seconds(agent.limits.seconds), cancel: cancellation.cancel)
    let result: Result<(Turn.Ending, RawJSON?), Failure>
    do {
      result = .success(try await run.complete())
    } catch {
      // A run that was stopped may end with the error of whatever was cancelled in it.
      let stopped = deadline.isOver ? run.timeout : Failure(CancellationError())
      result = .failure(Task.isCancelled ? stopped : Failure(error))
    }
    environment.deadlines.end(deadline)
    return await close(run, result)
  }

  private func close(
    _ run: Run, _ result: Result<(Turn.Ending, RawJSON?), Failure>
  ) async -> Result<ChatReply, Failure> {
    let progress = run.progress
    let messageID = Identifier.uuid(at: time.now)
    var closing = TurnClosing(
      runID: run.context.runID, userID: user.id, sessionID: sessionID, messageID: messageID,
      status: .completed,
      failure: nil, message: progress.message == request.message ? nil : progress.message, text: "",
      steps: progress.steps, usage: progress.usage, state: nil, at: time.now)
    switch result {
    case .success(let (ending, state)):
      closing.text = ending.reply.text
      closing.state = state
    case .failure(let failure):
      closing.status = failure.code == .cancelled ? .cancelled : .failed
      closing.failure = failure
    }
    do {
      // Cancellation ends the run, not the record of it: the store goes on.
      try await store.closeTurn(closing)
      let (ending, _) = try result.get()
      return .success(reply(ending, closing))
    } catch {
      return .failure(Failure(error))
    }
  }

  private func reply(_ ending: Turn.Ending, _ closing: TurnClosing) -> ChatReply {
    ChatReply(
      sessionID: sessionID, messageID: closing.messageID, runID: closing.runID, agent: agent.name,
      version: environment.host.version, text: ending.reply.text, data: ending.reply.data,
      usingStub: ending.usingStub, finishReason: ending.finishReason, calls: ending.reply.calls,
      usage: closing.usage,
      at: closing.at)
  }
}
