// SPDX-License-Identifier: Apache-2.0
import Core
import HTTPTypes
import HummingbirdCore

extension Services {
  var runRoutes: [Route] {
    [
      Route(
        .get, "/v1/runs", name: "listRuns",
        summary: "Lists the caller's runs, an operator's everybody's, the latest first.", list: .runs,
        answers: [.init(.ok, "A page.", .json("RunList"))]
      ) { exchange in
        .document(try await store.runs(visibleTo: exchange.user.visibility, page: try exchange.page()))
      },
      Route(
        .get, "/v1/runs/{id}", name: "getRun",
        summary: "Shows one run, and what the caller thinks of it; an operator: what anybody does.",
        access: .agent, answers: [.init(.ok, "The run.", .json("RunWithFeedback"))]
      ) { exchange in
        let run = try await look(at: exchange.parameters[0], as: exchange.user)
        return .document(
          JudgedRun(
            run: run,
            feedback: try await store.feedback(ofRun: run.id, visibleTo: exchange.user.visibility)))
      },
      Route(
        .get, "/v1/runs/{id}/events", name: "getRunEvents",
        summary: "Tells what happens in a run, from the event after Last-Event-ID on.",
        access: .agent, headers: [.lastEventID],
        answers: [.init(.ok, "The events.", .events("RunEvent"))], fails: [.conflict]
      ) { try await events($0) },
      Route(
        .get, "/v1/runs/{id}/trace", name: "getRunTrace",
        summary: "Shows the calls of a run: models, tools and whatever else its script did.",
        access: .agent,
        answers: [.init(.ok, "The run and its calls, in the order in which they began.", .json("RunTrace"))]
      ) { exchange in
        let run = try await look(at: exchange.parameters[0], as: exchange.user)
        var trace = RunTrace(run: run, journal: try await store.journal(ofRun: run.id))
        if hidesContent(from: exchange.user) { trace.hideContent() }
        trace.feedback = try await store.feedback(ofRun: run.id, visibleTo: exchange.user.visibility)
        return .document(trace)
      },
      Route(
        .post, "/v1/runs/{id}/retry", name: "retryRun",
        summary: "Does a run again that has failed, was cancelled or interrupted, under the same name.",
        answers: [.init(.accepted, "It has begun.", .json("Run"))], fails: [.conflict, .tooManyRequests]
      ) { exchange in
        let (id, user) = (exchange.parameters[0], exchange.user)
        let run = try await store.run(id: id, visibleTo: user.visibility)
        try await runner.retry(run: id, as: user)
        try await record(.runRetried, of: run, by: user)
        return .document(status: .accepted, try await store.run(id: id, visibleTo: user.visibility))
      },
      Route(
        .post, "/v1/runs/{id}/cancel", name: "cancelRun", summary: "Cancels a run that is under way.",
        access: .agent, answers: [.init(.accepted, "It will end soon.", .json("Run"))],
        fails: [.conflict]
      ) { try await cancel($0) },
    ]
  }

  /// Whether what runs did is shown to somebody without its contents: guards may keep some of that from users.
  func hidesContent(from user: Principal) -> Bool { !user.isOperator && runner.isGuarded(host()) }

  /// Records what is asked to be done to a run.
  private func record(_ action: AuditEntry.Action, of run: RunRecord, by user: Principal) async throws {
    try await store.record([
      AuditEntry(action, at: time.now, by: user.actor, runID: run.id, agent: run.agent, version: run.version)
    ])
  }

  /// A run that the user may see; that an operator looks at somebody else's is on record.
  private func look(at id: String, as user: Principal) async throws -> RunRecord {
    let run = try await store.run(id: id, visibleTo: user.visibility)
    guard user.mayAsk(run.agent) else { throw Failure(.notFound, "no run '\(id)'") }
    if run.userID != user.id { try await record(.dataRead, of: run, by: user) }
    return run
  }

  private func events(_ exchange: Exchange) async throws -> Reply {
    let id = exchange.parameters[0]
    let last = Int(clamping: try exchange.lastEventID() ?? 0)
    let run = try await look(at: id, as: exchange.user)
    guard let feed = runner.feed(ofRun: id, visibleTo: exchange.user.visibility) else {
      throw Failure(
        .conflict,
        run.finishedAt == nil
          ? "nobody asked for this run's events when it began"
          : "this run's events are no longer kept; its answer is among its session's messages")
    }
    guard last <= feed.count else { throw Problem.noSuchEvent }
    return .events(EventStream(feed, after: last, connection: exchange.connection, encoder: RunEvents()))
  }

  private func cancel(_ exchange: Exchange) async throws -> Reply {
    let id = exchange.parameters[0]
    let run = try await store.run(id: id, visibleTo: exchange.user.visibility)
    guard exchange.user.mayAsk(run.agent) else { throw Failure(.notFound, "no run '\(id)'") }
    guard try await runner.cancel(run: id, visibleTo: exchange.user.visibility) else {
      throw Failure(.conflict, "this run is not under way here: it is \(run.status.rawValue)")
    }
    try await record(.runCancelled, of: run, by: exchange.user)
    return .document(status: .accepted, run)
  }
}
