// SPDX-License-Identifier: Apache-2.0
import JSONCodec

/// What a run waits for that may take days.
extension Run {
  /// Asks a person and waits for the answer, as ``Approval/answer(_:)`` writes it.
  ///
  /// - Parameter timeout: `nil` = there is no end to it.
  func ask(_ question: Approval.Question, timeout: Duration?, key: String) async throws -> JSON {
    guard !environment.isJob else {
      throw Failure(.denied, "a job cannot ask a person: ask before it is published")
    }
    let now = environment.time.now
    let approval = Approval(
      id: journal.identifier(for: "approval \(key)"), runID: journal.runID, key: key,
      userID: context.user.id, agent: agent.name, question: question, digest: question.digest,
      createdAt: now, expiresAt: timeout.map { now.advanced(by: $0) })
    let call = JournalCall(
      key: key, name: "approval", digest: question.digest,
      arguments: RawJSON(["title": .string(question.title)]))
    return try await journal.await(call, asking: approval) { _ in
      // Whoever hears of it can answer it: it is kept by now.
      environment.feed?.append(.approvalRequested(approval))
      return try await journal.waits.wait(for: key)
    }.value()
  }

  /// Waits for time to pass; a run that sleeps for long leaves memory meanwhile.
  ///
  /// - Parameter clock: The script's.
  func sleep(for duration: Duration, on clock: any TimeSource, key: String) async throws {
    let until = clock.now.advanced(by: duration)
    let call = JournalCall(
      key: key, name: "sleep", arguments: RawJSON(["until": .integer(until.milliseconds)]))
    _ = try await journal.await(call) { entry in
      let until = entry.sleepsUntil ?? until
      let left = Duration.milliseconds(until.milliseconds - clock.now.milliseconds)
      guard left > Run.residentSleepMax, environment.mayLeave else {
        try await clock.sleep(for: max(.zero, left))
        return .null
      }
      let ticket = environment.deadlines.schedule(after: left) { [waits = journal.waits] in
        waits.settle(key, .null)
      }
      defer { environment.deadlines.cancel(ticket) }
      return try await journal.waits.wait(for: key)
    }
  }

  /// A run that sleeps no longer stays in memory.
  static let residentSleepMax = Duration.seconds(30)
}

extension JournalEntry {
  /// When the sleep that it is is over; `nil` = it is none, or over.
  public var sleepsUntil: Timestamp? {
    guard name == "sleep", outcome == nil, let until = try? arguments?.value()["until"]?.integer else {
      return nil
    }
    return Timestamp(milliseconds: until)
  }
}

extension Timestamp {
  func advanced(by duration: Duration) -> Timestamp {
    let milliseconds = duration / .milliseconds(1)
    // The year 9999, which RFC 3339 can write.
    return Timestamp(
      milliseconds: min(self.milliseconds + Int64(min(milliseconds, 1e15)), 253_402_300_799_000))
  }
}
