// SPDX-License-Identifier: Apache-2.0
import JSONCodec

/// What came of doing a run again with what its journal holds.
public struct ReplayedRun: Sendable {
  /// What the scripts did first that the run had not done, or did otherwise; `nil` = nothing.
  public var divergence: Failure?
  /// Calls of the run that were not made this time, by their keys and names.
  public var missing: [(key: String, name: String)]
  /// The answer, or why there was none.
  public var answer: Result<String, Failure>
  /// The answer that the run had; `nil` = none.
  public var earlierAnswer: String?

  /// Whether the scripts do what the run did, to the same end.
  public var isSame: Bool {
    guard divergence == nil, missing.isEmpty else { return false }
    switch answer {
    case .success(let text): return text == earlierAnswer
    case .failure: return earlierAnswer == nil
    }
  }
}

extension Runner {
  /// Runs scripts again on a run's journal: nothing is asked, done or written. Ends at the first call that is not in
  /// it.
  ///
  /// - Parameter host: The scripts: the run's own version, or others.
  /// - Throws: ``Failure`` `not_found` without such a run or agent, `conflict` when its message is not kept.
  public func replay(run id: String, on host: any ScriptHost) async throws(Failure) -> ReplayedRun {
    do {
      let name = try await store.run(id: id, visibleTo: .everyone).agent
      guard let agent = host.agents[name] else { throw Failure(.notFound, "there is no agent '\(name)'") }
      let kept = try await store.keptRun(
        id: id, visibleTo: .everyone, historyMessages: agent.historyMessagesWanted,
        wantsSummary: agent.summarizer != nil)
      var request = ChatRequest(
        agent: name, message: kept.run.message, sessionID: kept.run.sessionID, input: kept.run.beginning.input
      )
      request.idempotencyKey = nil
      let journal = Journal(
        replaying: kept.turn.journal, runID: id, seed: kept.turn.seed, time: time, deadlines: deadlines)
      let run = Run(
        RunContext(
          runID: id, agent: agent, user: kept.run.beginning.user, sessionID: kept.run.sessionID,
          state: kept.turn.opened.state, input: request.scriptInput, history: kept.turn.opened.history),
        message: kept.run.message, summary: kept.turn.opened.summary,
        environment: Run.Environment(
          host: host, model: model, time: time, deadlines: deadlines, feed: nil, cabinet: cabinet,
          onDelegatedCall: nil, mayLeave: false), journal: journal)
      let answer: Result<String, Failure>
      do {
        answer = .success(try await run.complete().0.reply.text)
      } catch {
        answer = .failure(Failure(error))
      }
      return ReplayedRun(
        divergence: journal.divergence, missing: journal.divergence == nil ? journal.unread : [],
        answer: answer, earlierAnswer: kept.answer)
    } catch {
      throw Failure(error)
    }
  }

  /// Does a run again that has failed, was cancelled or interrupted, under the same name and from its start.
  ///
  /// - Parameter user: Who asks for it. Their own run acts with what they may do now; somebody else's with what that
  ///   user might when it began, which is all that is known of them.
  /// - Returns: When it has begun.
  /// - Throws: ``Failure`` `not_found`, `conflict` for one that has not ended or was answered, `denied` for an agent
  ///   that the run's user may not use, `rejected` for a message that a rule refuses by now.
  public func retry(run id: String, as user: Principal) async throws(Failure) {
    do {
      let (kept, agent, host) = try await failedRun(id, visibleTo: user.visibility)
      let run = kept.run
      let owner = run.beginning.user.id == user.id ? user : run.beginning.user
      try agent.admit(owner)
      var request = ChatRequest(
        agent: run.agent, message: run.message, sessionID: run.sessionID, input: run.beginning.input)
      request.idempotencyKey = run.beginning.idempotencyKey
      _ = try start(
        request, as: owner, agent, on: host, again: kept, feed: nil,
        cancellation: RunCancellation(), onEnd: { _, _ in })
    } catch {
      throw Failure(error)
    }
  }

  /// As ``retry(run:as:)`` of somebody else's run, by a server on the same data, now or when one starts.
  public func queueAgain(run id: String) async throws(Failure) {
    do {
      let (kept, agent, host) = try await failedRun(id, visibleTo: .everyone)
      let run = kept.run
      try agent.admit(run.beginning.user)
      var opening = TurnOpening(
        runID: run.runID, messageID: kept.messageID, userID: run.beginning.user.id, sessionID: run.sessionID,
        agent: agent.name, version: host.version, message: run.message, historyMessages: 0, isAgain: true,
        at: time.now)
      opening.seed = Identifier.randomNumber()
      opening.earlierSeed = kept.turn.seed
      opening.isUnchecked = agent.checksMessages
      opening.beginning = run.beginning
      opening.beginning?.checkedMessage = nil
      try await store.queueTurn(opening)
    } catch {
      throw Failure(error)
    }
  }

  private func failedRun(
    _ id: String, visibleTo: Visibility
  ) async throws -> (KeptRun, Agent, any ScriptHost) {
    let record = try await store.run(id: id, visibleTo: visibleTo)
    guard [.failed, .cancelled, .interrupted].contains(record.status) else {
      throw Failure(
        .conflict, "only a run that has failed can be done again: this one is \(record.status.rawValue)")
    }
    let kept = try await store.keptRun(id: id, visibleTo: visibleTo, historyMessages: 0, wantsSummary: false)
    let host = deployment().host(userID: kept.run.beginning.user.id, sessionID: kept.run.sessionID)
    guard let agent = host.agents[kept.run.agent] else {
      throw Failure(.notFound, "there is no agent '\(kept.run.agent)'")
    }
    if kept.hasWaitingSuccessor { throw Failure.laterRunWaits }
    // From its start is under the rules of today.
    try cabinet.guards(of: agent)?.check(kept.run.message, kept.run.beginning.input)
    return (kept, agent, host)
  }
}

extension Failure {
  /// What a run that waits has read it would find otherwise.
  public static let laterRunWaits = Failure(
    .conflict, "a later run of this session waits: once it has ended, this one can be done again")
}
