// SPDX-License-Identifier: Apache-2.0

/// Keeps when schedules are due, so that each time is had once, by whichever server.
///
/// Methods throw ``Failure``, as those of ``Store`` do.
public protocol ScheduleStore: Sendable {
  /// Keeps which schedules there are: what is new is due as it says, what is known stays as it is, the rest is forgotten.
  func keepSchedules(_ schedules: [DueSchedule]) async throws
  /// All of them, that which is due first comes first.
  func schedules() async throws -> [ScheduleRecord]
  /// Begins the runs of a schedule that is due, unless another server has: they are there, waiting to be resumed at once.
  func begin(_ occurrence: ScheduleOccurrence) async throws -> ScheduleOutcome
}

public struct DueSchedule: Sendable, Hashable {
  public var agent: String
  /// Of the schedule in its agent.
  public var name: String
  public var dueAt: Timestamp

  public init(agent: String, name: String, dueAt: Timestamp) {
    self.agent = agent
    self.name = name
    self.dueAt = dueAt
  }
}

/// A schedule, and what came of it last.
public struct ScheduleRecord: Sendable, Hashable {
  public struct Last: Sendable, Hashable {
    /// When it was due.
    public var at: Timestamp
    public var runID: String
    /// `nil` = the run is not kept any more.
    public var status: RunRecord.Status?

    public init(at: Timestamp, runID: String, status: RunRecord.Status?) {
      self.at = at
      self.runID = runID
      self.status = status
    }
  }

  public var due: DueSchedule
  /// `nil` = it has not run yet.
  public var last: Last?

  public init(due: DueSchedule, last: Last?) {
    self.due = due
    self.last = last
  }
}

/// A schedule whose time has come.
public struct ScheduleOccurrence: Sendable {
  public var due: DueSchedule
  /// When it is due again.
  public var nextAt: Timestamp
  /// Its runs, the oldest first.
  public var turns: [TurnOpening]
  /// Whether it runs though its last run has not ended.
  public var mayOverlap: Bool

  public init(due: DueSchedule, nextAt: Timestamp, turns: [TurnOpening], mayOverlap: Bool) {
    self.due = due
    self.nextAt = nextAt
    self.turns = turns
    self.mayOverlap = mayOverlap
  }
}

public enum ScheduleOutcome: Sendable, Hashable {
  case begun
  /// Its last run has not ended: this time is passed over.
  case busy
  /// Another server has begun it.
  case taken
}
