// SPDX-License-Identifier: Apache-2.0
import JSONCodec

extension Runner {
  /// Keeps what somebody thinks of a run of theirs, in the place of what they thought of it before.
  ///
  /// - Parameters:
  ///   - score: One of ``Feedback/scores``.
  ///   - comment: Goes by the rules for messages to the run's agent, but not by its functions: no run is there to
  ///     call them in.
  /// - Throws: ``Failure`` `not_found`, `conflict` while the run goes on, `rejected` for a comment that breaks a rule.
  public func judge(
    run id: String, score: Double, comment: String?, as user: Principal
  ) async throws(Failure) -> Feedback {
    do {
      let run = try await store.run(id: id, visibleTo: user.visibility)
      guard user.mayAsk(run.agent) else { throw Failure(.notFound, "no run '\(id)'") }
      if let comment { try await check(comment, on: run, by: user) }
      return try await store.keepFeedback(
        ofRun: id, score: score, comment: comment, by: user, at: time.now)
    } catch {
      throw Failure(error)
    }
  }

  private func check(_ comment: String, on run: RunRecord, by user: Principal) async throws {
    do {
      try cabinet.guards(of: deployment().active.agents[run.agent])?.check(comment: comment)
    } catch {
      try await store.record([
        AuditEntry(
          .guardrailRefused, at: time.now, by: user.actor, target: "run:\(run.id)", runID: run.id,
          agent: run.agent, version: run.version,
          detail: RawJSON(["rules": error.detail?["rules"] ?? .null]))
      ])
      throw error
    }
  }
}
