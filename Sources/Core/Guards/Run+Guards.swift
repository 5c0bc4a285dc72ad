// SPDX-License-Identifier: Apache-2.0
import JSONCodec

/// Where in a run a rule found something.
enum GuardStage: String, Sendable {
  case input, output, tool
}

extension Run {
  /// Puts on record that rules found something, for the run's trace and the audit trail; nothing of what it was.
  ///
  /// Runs in which nothing is found write nothing.
  ///
  /// - Parameters:
  ///   - agent: Whose rules they are.
  ///   - key: Of the decision in the journal.
  ///   - tool: That brought it.
  @inline(never) func decided(
    _ stage: GuardStage, isRefused: Bool, _ rules: [String], by agent: Agent, key: String, tool: String? = nil
  ) {
    let call = JournalCall(key: key, name: JournalCall.guardrail)
    // In an earlier life of the run it was put on record then.
    if case .ended = try? journal.recall(call) { return }
    let names = JSON.array(rules.map { .string($0) })
    let now = environment.time.now
    var decision = JSONObject([
      ("stage", .string(stage.rawValue)), ("action", .string(isRefused ? "refused" : "masked")),
      ("rules", names),
    ])
    var detail = JSONObject([("rules", names)])
    if let tool {
      decision["tool"] = .string(tool)
      detail["tool"] = .string(tool)
    }
    journal.keep(call, .result(RawJSON(.object(decision))), startedAt: now, milliseconds: 0)
    journal.record(
      AuditEntry(
        isRefused ? .guardrailRefused : .guardrailMasked, at: now, by: context.user.actor,
        runID: journal.runID, agent: agent.name, version: environment.host.version,
        detail: RawJSON(.object(detail))))
  }

  /// Does what a model called, and lets the guards see what came of it before the model does.
  ///
  /// - Parameter key: Of the call in the journal, which keeps what came of it as it was.
  func guarding(
    _ name: String, key: String, _ body: () async throws -> RawJSON
  ) async throws -> RawJSON {
    guard let guards, guards.seesTools else { return try await body() }
    let outcome: Result<RawJSON, Failure>
    do {
      outcome = .success(try await body())
    } catch {
      try Task.checkCancellation()
      if error is CancellationError { throw error }
      outcome = .failure(Failure(error))
    }
    let (read, rules, isRefused) = guards.reading(outcome, of: name)
    if !rules.isEmpty {
      decided(.tool, isRefused: isRefused, rules, by: agent, key: "\(key).guard", tool: name)
    }
    return try read.get()
  }
}

extension Failure {
  /// The rules for which it was refused.
  var guardRules: [String] { (detail?["rules"]?.array ?? []).compactMap(\.string) }
}
