// SPDX-License-Identifier: Apache-2.0
public import JSONCodec

/// Runs that wait for people and for the clock.
extension Runner {
  /// Answers a question on which a run waits; of many who try at once, one does.
  ///
  /// - Parameters:
  ///   - choice: One of the question's choices.
  ///   - values: What its form asks for: a JSON object.
  /// - Throws: ``Failure`` `not_found`, `denied`, `invalid_arguments`, `conflict` when it is decided already.
  @discardableResult
  public func decide(
    approval id: String, _ choice: String, comment: String? = nil, values: JSON? = nil, as user: Principal
  ) async throws(Failure) -> Approval {
    do {
      let decided = try await store.decide(
        approval: id, choice, comment: comment, values: values, as: user, at: time.now)
      tell(decided)
      return decided
    } catch {
      throw Failure(error)
    }
  }

  /// Lets go of questions whose time is over, hears what others have decided, and gives what is due to be woken.
  ///
  /// - Parameter sessions: Those whose next run is not wanted yet.
  /// - Returns: At most `limit` runs, of each session one; each is to be resumed.
  public func dueRuns(
    limit: Int, except sessions: Set<UnfinishedRun.Session> = []
  ) async throws -> [UnfinishedRun] {
    for expired in try await store.expireApprovals(at: time.now) { tell(expired) }
    for approval in runs.pendingApprovals {
      // Another process may have decided it.
      let present = try await store.approval(id: approval.id)
      if present.status != .pending { tell(present) }
    }
    return try await store.dueRuns(at: time.now, limit: limit + sessions.count)
      .filter { !sessions.contains($0.session) }.prefix(limit).map(\.self)
  }

  /// Brings the answer to its run, where that is in memory; else it is woken.
  private func tell(_ approval: Approval) {
    runs.find(approval.runID, visibleTo: .everyone)?.entry.waits.settle(
      approval.key, Approval.answer(approval.decision))
    wakeups.continuation.yield()
  }

  /// Cancels the runs of this process that another one asks to cancel.
  public func cancelAsked() async throws {
    for id in try await store.cancellationsAsked() { _ = cancelLive(run: id, visibleTo: .everyone) }
  }

  /// Cancels a run, be it under way or waiting; false when none of that name is.
  public func cancel(run id: String, visibleTo: Visibility) async throws(Failure) -> Bool {
    do {
      // It may go on, or leave memory, while it is looked for.
      for _ in 0..<3 {
        if cancelLive(run: id, visibleTo: visibleTo) { return true }
        guard let run = try await store.waitingRun(id: id, visibleTo: visibleTo) else { continue }
        var closing = TurnClosing.cancelled(
          run.runID, user: run.beginning.user, sessionID: run.sessionID, at: time.now)
        closing.take(checkedMessage: run.beginning.checkedMessage)
        if try await store.endWaitingTurn(closing) {
          observer?.ended(run)
          return true
        }
      }
      return false
    } catch {
      throw Failure(error)
    }
  }
}

extension ApprovalStore {
  /// Answers a question; the run that waits for it is woken by its server.
  ///
  /// - Throws: ``Failure`` as ``Runner/decide(approval:_:comment:values:as:)`` does.
  public func decide(
    approval id: String, _ choice: String, comment: String?, values: JSON?, as user: Principal, at: Timestamp
  ) async throws -> Approval {
    let approval = try await approval(id: id)
    guard approval.isVisible(to: user) else { throw Failure(.notFound, "no approval '\(id)'") }
    guard approval.mayDecide(user) else {
      throw Failure(
        .denied, "this is for somebody with the role \(approval.question.roles.joined(separator: " or "))")
    }
    guard approval.status == .pending else {
      throw Failure(.conflict, "this approval is \(approval.status.rawValue) already")
    }
    let filled = try approval.question.checked(choice, values)
    return try await decideApproval(
      id: id,
      Approval.Decision(
        choice: choice, comment: comment, values: filled.map { RawJSON($0) }, userID: user.id,
        address: user.address, at: at))
  }
}

extension Approval.Question {
  /// - Returns: What was filled in, with defaults; `nil` = there is no form.
  fileprivate func checked(_ choice: String, _ values: JSON?) throws(Failure) -> JSON? {
    guard choices.contains(choice) else {
      let rule = "must be \(choices.joined(separator: ", "))"
      throw Failure(
        .invalidArguments, "the decision \(rule)",
        detail: [["field": "decision", "message": .string(rule)]])
    }
    guard let form, choice != "reject", choice != "abort" else { return values }
    do {
      return try Schema(try form.value()).validate(values ?? [:])
    } catch let violation as SchemaViolation {
      throw Failure(
        .invalidArguments, "wrong values: \(violation)",
        detail: .array(
          violation.faults.map { fault in
            let field = fault.path.isEmpty ? "values" : "values.\(fault.path)"
            return ["field": .string(field), "message": .string(fault.message)]
          }))
    } catch {
      throw Failure(.internal, "the question's form is no schema", diagnostic: "\(error)")
    }
  }
}
