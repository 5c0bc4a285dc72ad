// SPDX-License-Identifier: Apache-2.0
import Core
import Evals
import HostModules
import JSONCodec
import Logging
import Settings
import Storage
import Synchronization
import Threads
import Workspace

/// What one case plays on: fresh databases, its own session, its own clock.
struct EvalStage: Examiner {
  private let evalCase: EvalCase
  private let store: SQLiteStore
  private let scripts: SQLiteScriptDatabase
  private let runner: Runner
  private let checks: EvalScript
  private let answerer: EvalAnswers.Answerer
  private let lastRun = LastRun()
  private let delegated: DelegatedCalls

  /// - Parameter folder: Where its databases are.
  init(
    _ evalCase: EvalCase, _ evals: EvalRunner, _ answerer: EvalAnswers.Answerer, in folder: String
  ) async throws {
    self.evalCase = evalCase
    self.answerer = answerer
    store = try await SQLiteStore.open(directory: folder, synchronous: .normal)
    scripts = try await SQLiteScriptDatabase.open(directory: folder)
    let configuration = evals.configuration
    let clock = EvalClock(evalCase.now)
    var resources = ScriptResources(
      database: scripts, keyValue: SQLiteKeyValueStore(store: store, time: clock), jobs: store,
      http: evals.client,
      httpPolicy: try HTTPPolicy(configuration),
      secrets: try ScriptSecrets(configuration.scripts, environment: evals.environment), time: clock,
      logger: evals.logger)
    var settings = LuaScriptHost.Settings(configuration.scripts, environment: evals.environment)
    settings.spread = 1
    let host = try await LuaScriptHost(evals.bundle, resources: resources, settings: settings)
    let deployment = Deployment(active: host)
    let delegated = DelegatedCalls()
    self.delegated = delegated
    runner = Runner(
      store: store, model: answerer.model, time: SystemTime(),
      limits: Runner.Limits(messageCharactersMax: configuration.limits.messageCharsMax),
      executor: { TurnLine() }, onDelegatedCall: { delegated.add(DelegatedCall(agent: $0, call: $1)) },
      letsRunsLeave: false,
      deployment: { deployment })
    resources.time = clock.hurried
    checks = try EvalScript(evalCase, of: evals.suite, resources: resources, settings: settings)
  }

  func close() async throws {
    await scripts.close()
    try await store.close()
  }

  /// Says what the user says, and takes what comes of it.
  ///
  /// - Throws: `CancellationError`, or ``Failure`` when the database fails.
  func answer(_ turn: EvalTurn) async throws -> TurnOutcome {
    let request = ChatRequest(
      agent: evalCase.agent, message: turn.message, sessionID: Self.sessionID, input: turn.input)
    let reply: ChatReply
    do {
      reply = try await self.reply(to: request, deciding: turn.decisions)
    } catch {
      try Task.checkCancellation()
      return try await failed(with: Failure(error))
    }
    lastRun.id.withLock { $0 = reply.runID }
    return TurnOutcome(
      text: reply.text, data: try reply.data?.value(), calls: reply.calls,
      delegatedCalls: delegated.take(), usage: reply.usage, usingStub: reply.usingStub)
  }

  /// The agent's answer, once its questions to people are answered as the turn says.
  private func reply(to request: ChatRequest, deciding decisions: [EvalDecision]) async throws -> ChatReply {
    let decisions = Decisions(decisions)
    let reply = try await withThrowingTaskGroup(of: ChatReply?.self) { group in
      group.addTask { try await runner.chat(request, as: evalCase.user).reply() }
      group.addTask {
        var before: [Approval] = []
        while true {
          // Those of steps side by side come one by one: they are answered once no more have come.
          let open = try await openQuestions()
          if open.map(\.id) == before.map(\.id) { try await answer(open, by: decisions) }
          before = open
          try await Task.sleep(for: Self.questionsInterval)
        }
      }
      defer { group.cancelAll() }
      return try await group.next().flatMap { $0 }
    }
    if let unasked = decisions.next() {
      throw Failure(.conflict, "nothing was asked to which '\(unasked.choice)' would be the answer")
    }
    guard let reply else { throw CancellationError() }
    return reply
  }

  /// How often is looked for questions: nobody tells of those of a run that is not watched.
  private static let questionsInterval = Duration.milliseconds(10)

  /// By the steps that ask: in which order those that run side by side ask is chance.
  private func openQuestions() async throws -> [Approval] {
    try await store.approvals(visibleTo: .local, status: .pending, page: PageRequest()).items
      .sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
  }

  /// - Throws: ``Failure`` for a question to which there is no answer: it would wait for ever.
  private func answer(_ questions: [Approval], by decisions: Decisions) async throws {
    for approval in questions {
      guard let decision = decisions.next() else {
        throw Failure(
          .conflict, "it asks '\(approval.question.title)', to which the turn has no answer in 'decide'")
      }
      try await runner.decide(
        approval: approval.id, decision.choice, comment: decision.comment, values: decision.values, as: .local
      )
    }
  }

  /// What a turn that failed had done by then; one that was not taken at all has no run.
  private func failed(with failure: Failure) async throws -> TurnOutcome {
    var outcome = TurnOutcome(text: failure.message, delegatedCalls: delegated.take(), failure: failure)
    guard let run = try await store.runs(visibleTo: .everyone, page: PageRequest(limit: 1)).items.first,
      lastRun.id.withLock({ last in
        defer { last = run.id }
        return last != run.id
      })
    else { return outcome }
    outcome.usage = run.usage
    outcome.calls =
      try await store.steps(ofRuns: [run.id], userID: run.userID)[run.id]?.flatMap(\.calls) ?? []
    return outcome
  }

  /// What is still to be answered in the turn under way.
  private final class Decisions: Sendable {
    private let left: Mutex<ArraySlice<EvalDecision>>

    init(_ all: [EvalDecision]) { left = Mutex(all[...]) }

    func next() -> EvalDecision? { left.withLock { $0.popFirst() } }
  }

  private final class LastRun: Sendable {
    let id = Mutex<String?>(nil)
  }

  /// What called agents called in the turn under way.
  private final class DelegatedCalls: Sendable {
    private let calls = Mutex<[DelegatedCall]>([])

    func add(_ call: DelegatedCall) { calls.withLock { $0.append(call) } }

    func take() -> [DelegatedCall] {
      calls.withLock { calls in
        defer { calls = [] }
        return calls
      }
    }
  }

  /// Every case has a store of its own, so this may be the same: prompts that speak of it stay the same, too.
  private static let sessionID = "eval"

  // MARK: Examiner

  func matches(_ text: String, _ pattern: String) async throws -> Bool {
    try await checks.matches(text, pattern)
  }

  func complaint(of check: [String], about outcome: TurnOutcome) async throws -> String? {
    try await checks.complaint(of: check, about: outcome)
  }

  func opinion(
    on question: String, about outcome: TurnOutcome, to message: String
  ) async throws -> Judge.Opinion? {
    guard answerer.source != .stub else { return nil }
    return try await Judge(answerer.model).ask(question, about: outcome, to: message)
  }
}
