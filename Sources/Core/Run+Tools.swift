// SPDX-License-Identifier: Apache-2.0
import JSONCodec
import Synchronization

/// The calls of tools that a model asked for.
extension Run {
  /// Runs the calls of one answer: reads beside each other, a write alone and after all before it.
  func callTools(_ planned: [Turn.PlannedCall], in script: any ScriptRun) async throws -> [ToolCall] {
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

  func isWrite(_ call: Turn.PlannedCall) -> Bool {
    guard case .execute = call.plan, case .tool(let tool) = turn.withLock({ $0.target(of: call.request) })
    else {
      return false
    }
    return tool.effect == .write
  }

  func callAtOnce(
    _ calls: ArraySlice<(Int, Turn.PlannedCall)>, step: Int, in script: any ScriptRun
  ) async throws -> [ToolCall] {
    if calls.count < 2 {
      guard let (position, call) = calls.first else { return [] }
      return [try await make(call, key: "\(prefix)tool.\(step).\(position)", in: script)]
    }
    let finished = await withTaskGroup(of: (Int, Result<ToolCall, any Error>).self) { group in
      let waits = journal.waits
      for (position, call) in calls {
        waits.count(lines: 1)
        group.addTask {
          do {
            let key = "\(self.prefix)tool.\(step).\(position)"
            return (position, .success(try await self.make(call, key: key, in: script)))
          } catch {
            return (position, .failure(error))
          }
        }
      }
      var finished: [(Int, Result<ToolCall, any Error>)] = []
      for _ in calls {
        waits.count(lines: -1)
        guard let call = await group.next() else { break }
        if case .failure = call.1 { group.cancelAll() }
        finished.append(call)
      }
      return finished
    }
    return try finished.sorted { $0.0 < $1.0 }.map { try $0.1.get() }
  }

  /// Makes one call of the model; whatever goes wrong in it is its outcome.
  ///
  /// - Parameter key: Of the call in the journal.
  func make(_ call: Turn.PlannedCall, key: String, in script: any ScriptRun) async throws -> ToolCall {
    let request = call.request
    switch (call.plan, turn.withLock { $0.target(of: request) }) {
    case (.execute(let arguments), .tool(let tool)):
      return try await record(
        id: request.id, name: request.name, arguments: RawJSON(arguments), of: tool.name, key: key, in: script
      ) {
        try await self.perform(tool, arguments: RawJSON(arguments), id: request.id, key: key, in: script)
      }.call
    case (.execute(let arguments), .agent(let name)):
      return try await record(
        id: request.id, name: request.name, arguments: RawJSON(arguments), of: name, key: key, in: script
      ) {
        let reply = try await self.runAgent(name: name, input: arguments, key: key)
        return reply.data ?? RawJSON(.string(reply.text))
      }.call
    case (.execute(let arguments), .rest):
      return try await record(id: request.id, name: request.name, arguments: RawJSON(arguments)) {
        try self.turn.withLock { turn throws(Failure) in try turn.rest(arguments) }
      }.call
    case (.refuse(let failure), let target):
      let arguments = RawJSON((try? JSON(parsing: request.arguments)) ?? .string(request.arguments))
      return try await record(id: request.id, name: request.name, arguments: arguments) {
        if case .tool(let tool)? = target, !tool.admits(self.context.user) {
          return try await self.refuse(tool, arguments: arguments, key: key, within: self.transaction)
        }
        throw failure
      }.call
    case (.execute, .caller), (.execute, nil), (.handOut, _):
      return try await record(id: request.id, name: request.name, arguments: .emptyObject) {
        throw Failure(.notFound, "there is no tool '\(request.name)'")
      }.call
    }
  }

  /// Times a call and turns its error into its outcome; only cancellation, and what a function that guards it raises,
  /// go further.
  ///
  /// - Parameters:
  ///   - source: The tool or agent whose guards see what came of it before anybody else; `nil` = what the run says
  ///     itself.
  ///   - key: Of the call in the journal, which keeps what came of it as it was.
  /// - Returns: The call as models and watchers see it, and what really came of it.
  func record(
    id: String, name: String, arguments: RawJSON, of source: String? = nil, key: String = "",
    in script: (any ScriptRun)? = nil, _ body: @Sendable () async throws -> RawJSON
  ) async throws -> (call: ToolCall, brought: ToolCall.Outcome) {
    let time = environment.time
    let startedAt = time.now
    let start = time.elapsed
    if let feed = environment.feed {
      feed.append(
        .toolStarted(id: id, name: name, arguments: guards?.shown(arguments) ?? arguments))
    }
    let outcome: ToolCall.Outcome
    do {
      outcome = .result(try await body())
    } catch {
      try Task.checkCancellation()
      outcome = .failed(Failure(error))
    }
    var read: ToolCall.Outcome?
    if let source, let script {
      read = try await guarded(outcome, of: source, key: "\(key).guard", in: script)
    }
    let call = ToolCall(
      id: id, name: name, arguments: arguments, outcome: read ?? outcome, startedAt: startedAt,
      durationMilliseconds: (time.elapsed - start) / .milliseconds(1))
    if let feed = environment.feed { feed.append(.toolFinished(guards?.shown(call) ?? call)) }
    if depth > 0 { environment.onDelegatedCall?(agent.name, call) }
    return (call, outcome)
  }

  /// Runs a tool, unless it ran in an earlier life of the run: then what came of it is handed back.
  func perform(
    _ tool: Tool, arguments: RawJSON, id: String, key: String, in script: any ScriptRun,
    within given: (any OpenTransaction)? = nil
  ) async throws -> RawJSON {
    let transaction = given ?? transaction
    guard tool.admits(context.user) else {
      return try await refuse(tool, arguments: arguments, key: key, within: transaction)
    }
    if transaction != nil, let failure = tool.misfitsTransactions { throw failure }
    let call = JournalCall(
      key: key, name: "tool \(tool.name)", digest: arguments.digest, arguments: arguments)
    if tool.approval != .never { try await approve(tool, arguments: arguments, id: id, key: key, in: script) }
    defer { journal.forgetInside(key) }
    let attempt = {
      try await self.attempt(
        tool, arguments: arguments, id: id, key: key, in: script, within: transaction)
    }
    if let transaction {
      // Its result is worth nothing without what it wrote: it is run again, and is handed back what it saw.
      journal.enclose("\(key)#", in: transaction)
      return try await attempt()
    }
    guard tool.effect == .write else { return try await journal.observe(call, attempt) }
    return try await journal.perform(
      call, unknown: { try await self.settle(tool, $0, arguments: arguments, id: id, in: script) },
      attempt)
  }

  /// Refuses a call of a tool that the user may not use, which stands in the audit trail once, however often the run is
  /// led past it.
  ///
  /// - Throws: ``Failure`` `denied`, always.
  private func refuse(
    _ tool: Tool, arguments: RawJSON, key: String, within transaction: (any OpenTransaction)?
  ) async throws -> RawJSON {
    let refuse = { () throws -> RawJSON in
      self.journal.record(
        AuditEntry(
          refusalOf: tool.name, to: self.context.user.actor, runID: self.journal.runID,
          agent: self.agent.name, version: self.environment.host.version, arguments: arguments,
          at: self.environment.time.now))
      throw tool.refusal
    }
    if let transaction {
      if transaction.isReplayed { throw tool.refusal }
      return try refuse()
    }
    let call = JournalCall(
      key: key, name: "tool \(tool.name)", digest: arguments.digest, arguments: arguments)
    return try await journal.observe(call) { try refuse() }
  }

  /// Finds out what became of a call that nobody saw the end of.
  ///
  /// - Returns: Its result; `nil` = it is made again, with the same key.
  private func settle(
    _ tool: Tool, _ begun: JournalEntry, arguments: RawJSON, id: String, in script: any ScriptRun
  ) async throws -> RawJSON? {
    record(tool, arguments, attempt: 0, .unknown, since: environment.time.elapsed)
    switch tool.unknown {
    case .retry: return nil
    case .check:
      return try await script.check(
        tool, arguments: arguments,
        // Each attempt is asked about anew: what was found out of one says nothing of the next.
        call: ToolCallContext(
          id: id, key: idempotencyKey(of: begun.key), place: begun.unknownOutcomeKey, attempt: 1))
    case .ask: return try await askWhetherDone(begun, tool.name, arguments: arguments)
    }
  }

  /// Asks a person what became of a call that nobody saw the end of.
  ///
  /// - Returns: As ``settle(_:_:arguments:id:in:)``.
  func askWhetherDone(
    _ begun: JournalEntry, _ name: String, arguments: RawJSON?
  ) async throws -> RawJSON? {
    let question = Approval.Question(
      title: "\(name) was under way when the server stopped. Did it do its work?",
      detail: RawJSON([
        "call": .string(name), "key": .string(idempotencyKey(of: begun.key)),
        "arguments": try arguments?.value() ?? .null,
      ]), choices: Approval.Question.unknownOutcome)
    let answer = try await ask(question, timeout: nil, key: begun.unknownOutcomeKey)
    switch answer["decision"]?.string {
    case "retry": return nil
    case "done": return answer["values"].map { RawJSON($0["result"] ?? $0) } ?? .null
    default:
      throw Failure(
        .conflict, "\(name) was under way when the server stopped, and a person gave it up",
        detail: ["reason": "unknown_outcome"])
    }
  }

  /// Asks a person whether a tool may be called, where it wants that.
  ///
  /// - Throws: ``Failure`` `denied` when it may not.
  private func approve(
    _ tool: Tool, arguments: RawJSON, id: String, key: String, in script: any ScriptRun
  ) async throws {
    var question = Approval.Question(title: "\(tool.name) wants to run")
    if tool.approval == .asked {
      let wish = try await journal.observe(JournalCall(key: "\(key).approve", name: "approve \(tool.name)")) {
        try await script.wantsApproval(
          tool, arguments: arguments,
          call: ToolCallContext(id: id, key: idempotencyKey(of: key), place: "\(key).approve", attempt: 1))
      }.value()
      if wish.isNull || wish == false { return }
      if let title = wish["title"]?.string { question.title = title }
      question.roles = (wish["by"]?["roles"]?.array ?? []).compactMap(\.string)
    }
    question.detail = RawJSON(["tool": .string(tool.name), "arguments": try arguments.value()])
    let answer = try await ask(question, timeout: nil, key: "\(key).approval")
    guard answer["approved"] == true else {
      let comment = answer["comment"]?.string.map { ": \($0)" } ?? ""
      throw Failure(.denied, "a person rejected this call of \(tool.name)\(comment)")
    }
  }

  /// What the outside world knows a call by.
  func idempotencyKey(of key: String) -> String { "\(journal.runID):\(key)" }

  /// Records for the audit trail that a tool was called, and what came of it.
  ///
  /// - Parameter isReplayed: It was called in an earlier life of the run, and is only led past what it saw then.
  private func recording(
    _ tool: Tool, arguments: RawJSON, attempt: Int, isReplayed: Bool, _ body: () async throws -> RawJSON
  ) async throws -> RawJSON {
    if isReplayed { return try await body() }
    let start = environment.time.elapsed
    do {
      let result = try await body()
      record(tool, arguments, attempt: attempt, .completed, since: start)
      return result
    } catch let failure as Failure {
      record(tool, arguments, attempt: attempt, .failed(failure.code), since: start)
      throw failure
    } catch {
      // Whoever hangs up hides nothing: it may have done its work.
      record(tool, arguments, attempt: attempt, .cutOff, since: start)
      throw error
    }
  }

  private func record(
    _ tool: Tool, _ arguments: RawJSON, attempt: Int, _ outcome: AuditEntry.ToolOutcome, since start: Duration
  ) {
    journal.record(
      AuditEntry(
        tool: tool.name, by: context.user.actor, runID: journal.runID, agent: agent.name,
        version: environment.host.version, attempt: attempt, arguments: arguments, outcome: outcome,
        milliseconds: (environment.time.elapsed - start) / .milliseconds(1), at: environment.time.now))
  }

  /// Runs a tool within its time, and again as often as its `retry` allows while its error is retryable.
  func attempt(
    _ tool: Tool, arguments: RawJSON, id: String, key: String, in script: any ScriptRun,
    within transaction: (any OpenTransaction)? = nil
  ) async throws -> RawJSON {
    let time = environment.time
    for attempt in 1... {
      do {
        let call = ToolCallContext(
          id: id, key: idempotencyKey(of: key), place: "\(key)#\(attempt)", attempt: attempt)
        // Time in which it waits for a person is not its own.
        let isHeld = { @Sendable [waits = journal.waits] in waits.isWaiting(under: "\(key)#") }
        let make = {
          try await self.recording(
            tool, arguments: arguments, attempt: attempt, isReplayed: transaction?.isReplayed ?? false
          ) {
            try await self.environment.deadlines.withTimeout(
              .seconds(tool.timeoutSeconds), "\(tool.name) took longer than \(tool.timeoutSeconds) s",
              unless: isHeld
            ) { try await script.call(tool, arguments: arguments, call: call, within: transaction) }
          }
        }
        guard let transaction else { return try await make() }
        return try await transaction.calling(call.place, make)
      } catch let failure as Failure where failure.retryable && attempt <= tool.retries {
        try await time.sleep(for: .milliseconds(100 << min(attempt, 6)))
      }
    }
    throw Failure(.internal, "a tool without attempts")
  }
}
