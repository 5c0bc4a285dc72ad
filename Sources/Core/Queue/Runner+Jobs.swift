// SPDX-License-Identifier: Apache-2.0
import JSONCodec

/// How an attempt of a job went, for logs and metrics.
public struct JobReport: Sendable {
  public enum Result: Sendable, Hashable {
    case done
    case failed(Failure, again: Timestamp)
    case released
    case dead(Failure)
    /// Another worker has it, or the store did not take its end: it is done again.
    case lost(Failure?)
  }

  public var taken: TakenJob
  /// Of the scripts.
  public var version: String
  public var result: Result
  public var took: Duration
}

extension Runner {
  /// Does a job that was taken, on the version of the scripts that is in force, and writes how it ended.
  ///
  /// - Parameter cancellation: Cancels it; a job that is cancelled is dead, unless the server stops.
  func work(on taken: TakenJob, cancellation: RunCancellation) async -> JobReport {
    let start = time.elapsed
    let job = taken.job
    let host = deployment().host(userID: job.user.id, sessionID: job.id)
    let attempt = JobAttempt(
      taken: taken, host: host, tool: host.tools[job.action].flatMap { $0.isAction ? $0 : nil },
      sessionID: Identifier.randomUUID())
    runs.enter()
    if let interrupted = taken.interruptedRunID {
      observer?.ended(
        interrupted, observer?.trace(ofRun: interrupted, attempt: taken.attempt - 1, of: job))
    }
    // A task of its own: what cancels the job leaves the worker to hear how it ended.
    let task = Task(executorPreference: executor()) { [self] in
      await attempt.complete(in: self, cancellation: cancellation)
    }
    cancellation.set { task.cancel() }
    let result = await task.value
    runs.leave()
    return JobReport(taken: taken, version: host.version, result: result, took: time.elapsed - start)
  }
}

/// One attempt of a job, between the two writes of its run.
private struct JobAttempt: Sendable {
  let taken: TakenJob
  let host: any ScriptHost
  /// `nil` = the version in force has no such action.
  let tool: Tool?
  /// Of the run alone: the values that it keeps for its session go with it.
  let sessionID: String

  private var job: Job { taken.job }

  func complete(in runner: Runner, cancellation: RunCancellation) async -> JobReport.Result {
    let run: Run
    do {
      run = try await open(in: runner)
    } catch {
      // Left to the end of its lease: where the store takes nothing, it cannot be given back either.
      return .lost(Failure(error))
    }
    runner.runs.begin(
      taken.runID,
      LiveRuns.Entry(
        userID: job.user.id, cancellation: cancellation, feed: nil, waits: run.journal.waits))
    defer { runner.runs.end(taken.runID) }
    let call = await perform(run)
    await run.closeScript()
    return await close(run, call, in: runner)
  }

  private func open(in runner: Runner) async throws -> Run {
    let opening = TurnOpening(
      runID: taken.runID, messageID: "", userID: job.user.id, sessionID: sessionID, agent: agent.name,
      version: host.version, message: "", historyMessages: 0, hasSession: false, at: runner.time.now)
    let budgets = try await runner.ledger.budgets(userID: job.user.id, sessionID: sessionID)
    _ = try await runner.store.openTurn(opening)
    let journal = Journal(
      runID: taken.runID, seed: Identifier.randomNumber(), store: runner.store, time: runner.time)
    var context = RunContext(
      runID: taken.runID, agent: agent, user: job.user, sessionID: sessionID, state: .emptyObject,
      input: job.payload, history: [])
    context.trace = runner.observer?.trace(ofRun: taken.runID, attempt: taken.attempt, of: job)
    return Run(
      context, message: "", environment: runner.jobEnvironment(host), journal: journal, budgets: budgets)
  }

  /// What stands in an agent's place: the action alone, which lists no other tools.
  private var agent: Agent {
    Agent(
      name: Job.agentPrefix + job.action, file: tool?.file ?? "", body: .run,
      limits: RunLimits(seconds: tool?.timeoutSeconds ?? 0))
  }

  private func perform(_ run: Run) async -> ToolCall {
    let time = run.environment.time
    let (startedAt, start) = (time.now, time.elapsed)
    var arguments = job.payload
    let outcome: ToolCall.Outcome
    do {
      guard let tool else { throw Failure.noAction(job.action) }
      guard tool.admits(job.user) else {
        run.journal.record(
          AuditEntry(
            refusalOf: tool.name, to: job.user.actor, runID: taken.runID, agent: agent.name,
            version: host.version, arguments: job.payload, at: startedAt))
        throw tool.refusal
      }
      guard taken.failures < tool.attemptsOfJobs else { throw Failure.workersLost }
      do {
        // Its parameters may have changed since.
        arguments = RawJSON(try tool.parameters.validate(try job.payload.value()))
      } catch let violation as SchemaViolation {
        throw Failure.invalidArguments(of: tool.name, violation)
      }
      let valid = arguments
      let call = ToolCallContext(
        id: "call_" + job.id, key: job.id, place: "job", attempt: taken.attempt)
      let script = try await run.openScript()
      outcome = .result(
        try await run.environment.deadlines.withTimeout(
          .seconds(tool.timeoutSeconds), "\(tool.name) took longer than \(tool.timeoutSeconds) s"
        ) { try await script.call(tool, arguments: valid, call: call, within: nil) })
    } catch {
      outcome = .failed(Task.isCancelled ? Failure(CancellationError()) : Failure(error))
    }
    let call = ToolCall(
      id: "call_" + job.id, name: job.action, arguments: arguments, outcome: outcome, startedAt: startedAt,
      durationMilliseconds: (time.elapsed - start) / .milliseconds(1))
    run.journal.keep(
      JournalCall(key: "job", name: "tool \(job.action)", digest: arguments.digest, arguments: arguments),
      outcome.entry, startedAt: startedAt, milliseconds: call.durationMilliseconds)
    return call
  }

  private func close(_ run: Run, _ call: ToolCall, in runner: Runner) async -> JobReport.Result {
    let now = runner.time.now
    let outcome = outcome(of: call, isOver: runner.runs.isOver, at: now)
    var closing = TurnClosing(
      runID: taken.runID, userID: job.user.id, sessionID: sessionID, messageID: "", status: .completed,
      failure: nil, text: "", steps: [TurnStep(text: "", calls: [call])], usage: run.progress.usage,
      state: nil,
      hasSession: false, at: now)
    if case .failed(let failure) = call.outcome {
      closing.failure = failure
      closing.status = failure.code != .cancelled ? .failed : outcome == .released ? .interrupted : .cancelled
    }
    closing.journal = run.journal.takeUnwritten()
    closing.events = run.journal.takeUntold()
    closing.audit = run.journal.takeUnrecorded()
    closing.mayHaveTold = run.journal.hasTold
    closing.job = JobEnding(jobID: job.id, outcome: outcome)
    do {
      try await runner.store.closeTurn(closing)
    } catch {
      // Nobody knows that it was done: it is done again when its lease ends.
      return .lost(Failure(error))
    }
    runner.observer?.ended(taken.runID, run.context.trace)
    switch outcome {
    case .done: return .done
    case .failed(let failure, let again): return .failed(failure, again: again)
    case .released: return .released
    case .dead(let failure): return .dead(failure)
    }
  }

  private func outcome(of call: ToolCall, isOver: Bool, at now: Timestamp) -> JobEnding.Outcome {
    guard case .failed(let failure) = call.outcome else { return .done }
    if failure.code == .cancelled { return isOver ? .released : .dead(failure) }
    return JobVerdict.outcome(
      of: failure, failures: taken.failures + 1, attemptsMax: tool?.attemptsOfJobs ?? 0,
      chance: Double.random(in: 0...1), at: now)
  }
}

extension ToolCall.Outcome {
  fileprivate var entry: JournalEntry.Outcome {
    switch self {
    case .result(let result): .result(result)
    case .failed(let failure): .failed(failure)
    }
  }
}

extension Failure {
  fileprivate static func noAction(_ name: String) -> Failure {
    Failure(.notFound, "the scripts in force have no action '\(name)'")
  }
}
