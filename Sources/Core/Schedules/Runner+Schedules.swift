// SPDX-License-Identifier: Apache-2.0
import JSONCodec

/// Runs that nobody asked for.
extension Runner {
  /// What became of a schedule whose time had come.
  public struct ScheduleReport: Sendable {
    public let due: DueSchedule
    public let outcome: Result<ScheduleOutcome, Failure>
    /// In the order of their times.
    public let runIDs: [String]
  }

  /// Keeps the schedules of the version in force, for ``beginDueRuns()``.
  public func keepSchedules() async throws {
    let now = time.now
    try await store.keepSchedules(
      deployment().active.agents.values.flatMap { agent in
        agent.schedules.compactMap { schedule in
          schedule.next(after: now).map { DueSchedule(agent: agent.name, name: schedule.name, dueAt: $0) }
        }
      })
  }

  /// Begins the runs of the schedules whose time has come; whoever resumes due runs is told.
  ///
  /// - Returns: What became of each, and when the next is due; `nil` = there is none.
  public func beginDueRuns() async throws -> (reports: [ScheduleReport], next: Timestamp?) {
    let host = deployment().active
    var reports: [ScheduleReport] = []
    var next: Timestamp?
    for record in try await store.schedules() {
      let due = record.due
      // Another server may be on another version.
      guard let agent = host.agents[due.agent],
        let schedule = agent.schedules.first(where: { $0.name == due.name })
      else { continue }
      let now = time.now
      guard due.dueAt <= now else {
        next = min(next ?? due.dueAt, due.dueAt)
        continue
      }
      let (times, after) = schedule.occurrences(since: due.dueAt, at: now)
      guard let after else { continue }
      next = min(next ?? after, after)
      let turns = times.map { opening(of: schedule, agent, host.version, dueAt: $0) }
      do {
        let outcome = try await store.begin(
          ScheduleOccurrence(due: due, nextAt: after, turns: turns, mayOverlap: schedule.missed == .all))
        reports.append(ScheduleReport(due: due, outcome: .success(outcome), runIDs: turns.map(\.runID)))
        if outcome == .begun { wakeups.continuation.yield() }
      } catch {
        // Those behind it are not held up.
        reports.append(ScheduleReport(due: due, outcome: .failure(Failure(error)), runIDs: []))
      }
    }
    return (reports, next)
  }

  /// The runs of an agent's schedules share a session, and what is kept with it.
  private func opening(
    of schedule: Schedule, _ agent: Agent, _ version: String, dueAt: Timestamp
  ) -> TurnOpening {
    var input = schedule.input
    input["scheduled_at"] = .string(dueAt.description)
    let now = time.now
    var opening = TurnOpening(
      runID: Identifier.uuid(at: now), messageID: Identifier.uuid(at: now), userID: Principal.schedule.id,
      sessionID: "schedule:\(agent.name)", agent: agent.name, version: version, message: schedule.message,
      historyMessages: 0, at: now)
    opening.seed = Identifier.randomNumber()
    opening.isUnchecked = agent.checksMessages
    opening.beginning = RunBeginning(user: .schedule, input: input)
    return opening
  }
}
