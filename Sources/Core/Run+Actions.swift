// SPDX-License-Identifier: Apache-2.0
import JSONCodec
import Synchronization

/// The actions of steps and states.
extension Run {
  /// One attempt of one action.
  struct Attempt: Sendable {
    let task: WorkflowTask
    /// Keys from the agent's table: `steps`, `publish`.
    let path: [String]
    /// Of the action in the journal, whichever attempt it is: `step.publish`.
    let key: String
    /// From 1.
    let number: Int
    /// Before it, after one that failed.
    let pauseSeconds: Double
    /// What it gets unless the script's `input` says otherwise.
    let input: JSONObject
    /// Of the list that its step runs for.
    var element: (item: JSON, position: Int)?
    /// What its functions get behind `ctx`.
    let arguments: [RawJSON]
    /// Names of what may come after it.
    let next: [String]
  }

  /// Makes an attempt, or hands back what came of it in an earlier life of the run.
  ///
  /// Its result is kept by what the action calls; its failure here, for it may be of this attempt alone, as a time-out.
  ///
  /// - Parameter next: Finds out what comes after it, where that is not written down.
  func make(
    _ attempt: Attempt, in script: any ScriptRun, next: ((StepResult) async -> [String])? = nil
  ) async throws -> StepResult {
    try await telling(attempt, next: next) { try await makeUntold(attempt, in: script) }
  }

  private func makeUntold(_ attempt: Attempt, in script: any ScriptRun) async throws -> StepResult {
    let key = "\(attempt.key)/\(attempt.number)"
    return try await keepingFailure(at: key, of: attempt.task.name) {
      if attempt.pauseSeconds > 0 {
        try await self.sleep(
          for: .seconds(attempt.pauseSeconds), on: self.environment.time, key: "\(key).pause")
      }
      // An approval expires by itself.
      guard let limit = attempt.task.timeoutSeconds, !attempt.task.action.isApproval else {
        return try await self.perform(attempt, key: key, in: script)
      }
      return try await self.environment.deadlines.withTimeout(
        .seconds(limit), "'\(attempt.task.name)' took longer than \(WorkflowDuration.text(limit))",
        // Who waits for a person or for the clock does not work meanwhile.
        unless: { [waits = self.journal.waits] in waits.isWaiting(under: key) }
      ) { try await self.perform(attempt, key: key, in: script) }
    }
  }

  /// Does something of a step, and keeps its failure under a key of its own: `step.publish/1!`.
  ///
  /// - Throws: ``Failure``; `CancellationError` only when this task is cancelled.
  func keepingFailure<Value: Sendable>(
    at key: String, of step: String, _ body: @Sendable () async throws -> Value
  ) async throws -> Value {
    let mark = JournalCall(key: key + JournalCall.failureMark, name: "step \(step)")
    if case .ended(.failed(let failure)) = try journal.recall(mark) { throw failure }
    do {
      return try await body()
    } catch {
      try Task.checkCancellation()
      try journal.check()
      let failure = Failure(error)
      journal.keep(mark, .failed(failure), startedAt: environment.time.now, milliseconds: 0)
      journal.spill()
      throw failure
    }
  }

  private func perform(_ attempt: Attempt, key: String, in script: any ScriptRun) async throws -> StepResult {
    let task = attempt.task
    switch task.action {
    case .function:
      let function = StepFunction(.run, at: attempt.path, arguments: attempt.arguments, place: "\(key):")
      return StepResult(try await script.call(function))
    case .sleep(let seconds):
      try await sleep(for: .seconds(seconds), on: environment.time, key: key)
      return StepResult(.null)
    case .tool(let name):
      guard let tool = environment.host.tools[name] else {
        throw Failure(.notFound, "there is no tool '\(name)'")
      }
      var input = try await input(of: attempt, key: key, in: script)
      if !task.hasInput { input = tool.parameters.narrowed(input) }
      return StepResult(try await call(tool, input, key: key, in: script))
    case .agent(let name):
      let reply = try await runAgent(
        name: name, input: try await input(of: attempt, key: key, in: script), key: key)
      return StepResult(reply.data ?? RawJSON(.string(reply.text)), words: reply.text)
    case .webhook(let url):
      let input = try await input(of: attempt, key: key, in: script)
      return StepResult(
        try await tell(url, of: task.name, input, key: key, idempotencyKey: attempt.key, in: script))
    case .approval(let approval):
      let detail =
        if let detail = approval.detail { detail } else {
          try await input(of: attempt, key: key, in: script)
        }
      return StepResult(
        RawJSON(
          try await requestApproval(approval, detail: detail, timeout: task.timeoutSeconds, key: key)))
    }
  }

  private func input(of attempt: Attempt, key: String, in script: any ScriptRun) async throws -> JSON {
    guard attempt.task.hasInput else { return .object(attempt.input) }
    return try await script.call(
      StepFunction(.input, at: attempt.path, arguments: attempt.arguments, place: "\(key).input:")
    ).value()
  }

  private func tell(
    _ url: String, of step: String, _ input: JSON, key: String, idempotencyKey: String,
    in script: any ScriptRun
  ) async throws -> RawJSON {
    var writer = JSONWriter()
    writer.object {
      $0.member("run_id", context.runID)
      $0.member("agent", agent.name)
      $0.member("step", step)
      $0.member("input", input)
    }
    let body = writer.raw
    var digest = StableHash()
    digest.combine(url)
    digest.combine(body.digest)
    // An address may be a key to it: of its parts only the host is told.
    let name = "webhook \(url.hostOfAddress)"
    let call = JournalCall(key: key, name: name, digest: digest.value, arguments: body)
    let send = { try await script.post(body, to: url, key: self.idempotencyKey(of: idempotencyKey)) }
    return try await journal.perform(
      call, unknown: { try await self.askWhetherDone($0, name, arguments: body) }, send)
  }

  /// Asks a person, and waits until somebody has decided.
  ///
  /// - Returns: The answer, which agrees.
  /// - Throws: ``Failure`` `denied` when it was rejected, `timeout` when nobody decided in time.
  private func requestApproval(
    _ approval: ApprovalStep, detail: JSON, timeout: Double?, key: String
  ) async throws -> JSON {
    let question = Approval.Question(
      title: approval.title, detail: RawJSON(detail), form: approval.form?.json, roles: approval.roles)
    let answer = try await ask(question, timeout: timeout.map { .seconds($0) }, key: key)
    if answer["approved"] == true { return answer }
    guard answer["decision"] != "expired" else {
      throw Failure(.timeout, "nobody decided in time: \(approval.title)")
    }
    let comment = answer["comment"]?.string.map { ": \($0)" } ?? ""
    throw Failure(.denied, "a person rejected '\(approval.title)'\(comment)")
  }
}

extension String {
  /// `example.com:8443` of `https://me@example.com:8443/a?b`.
  fileprivate var hostOfAddress: Substring {
    let rest = firstRange(of: "://").map { self[$0.upperBound...] } ?? self[...]
    let authority = rest.prefix { !"/?#".contains($0) }
    return authority.lastIndex(of: "@").map { authority[authority.index(after: $0)...] } ?? authority
  }
}

extension Schema {
  /// Of a step's input what a tool knows: the rest is for other steps.
  func narrowed(_ input: JSON) -> JSON {
    guard let object = input.object, let properties = root["properties"]?.object,
      root["additionalProperties"] == .bool(false)
    else { return input }
    let known = Set(properties.keys)
    return .object(JSONObject(object.members.filter { known.contains($0.key) }.map { ($0.key, $0.value) }))
  }
}
