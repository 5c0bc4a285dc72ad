// SPDX-License-Identifier: Apache-2.0
public import Core

extension SQLiteStore {
  public func keepSchedules(_ schedules: [DueSchedule]) async throws {
    try await commits.write { try $0.keep(schedules) }
  }

  public func schedules() async throws -> [ScheduleRecord] {
    try await read { connection in
      let select = try connection.statement(
        """
        SELECT schedules.agent, name, due_at, last_at, last_run, status
        FROM schedules LEFT JOIN runs ON runs.id = last_run ORDER BY due_at, schedules.agent, name
        """)
      defer { select.reset() }
      var records: [ScheduleRecord] = []
      while try select.step() {
        let due = DueSchedule(
          agent: select.text(0), name: select.text(1), dueAt: Timestamp(milliseconds: select.integer(2)))
        let last = select.optionalText(4).map {
          ScheduleRecord.Last(
            at: Timestamp(milliseconds: select.integer(3)), runID: $0,
            status: select.optionalText(5).flatMap(RunRecord.Status.init))
        }
        records.append(ScheduleRecord(due: due, last: last))
      }
      return records
    }
  }

  public func begin(_ occurrence: ScheduleOccurrence) async throws -> ScheduleOutcome {
    try await commits.write { try $0.begin(occurrence) }
  }
}

extension WriterConnection {
  fileprivate func keep(_ schedules: [DueSchedule]) throws {
    let wanted = Set(schedules.map { [$0.agent, $0.name] })
    let known = try statement("SELECT agent, name FROM schedules")
    var gone: [(String, String)] = []
    do {
      defer { known.reset() }
      while try known.step() {
        let (agent, name) = (known.text(0), known.text(1))
        if !wanted.contains([agent, name]) { gone.append((agent, name)) }
      }
    }
    let delete = try statement("DELETE FROM schedules WHERE agent = ? AND name = ?")
    for (agent, name) in gone {
      delete.bind(1, agent)
      delete.bind(2, name)
      try delete.run()
    }
    let insert = try statement("INSERT OR IGNORE INTO schedules (agent, name, due_at) VALUES (?, ?, ?)")
    for schedule in schedules {
      insert.bind(1, schedule.agent)
      insert.bind(2, schedule.name)
      insert.bind(3, schedule.dueAt.milliseconds)
      try insert.run()
    }
  }

  fileprivate func begin(_ occurrence: ScheduleOccurrence) throws -> ScheduleOutcome {
    let due = occurrence.due
    let find = try statement(
      """
      SELECT EXISTS (SELECT 1 FROM runs WHERE runs.id = last_run AND finished_at IS NULL)
      FROM schedules WHERE agent = ? AND name = ? AND due_at = ?
      """)
    find.bind(1, due.agent)
    find.bind(2, due.name)
    find.bind(3, due.dueAt.milliseconds)
    let isBusy: Bool
    do {
      defer { find.reset() }
      guard try find.step() else { return .taken }
      isBusy = find.integer(0) != 0
    }
    let isPassedOver = isBusy && !occurrence.mayOverlap && !occurrence.turns.isEmpty
    let turns = isPassedOver ? [] : occurrence.turns
    let update = try statement(
      """
      UPDATE schedules SET due_at = ?1, last_at = iif(?2 IS NULL, last_at, due_at), last_run = ifnull(?2, last_run)
      WHERE agent = ?3 AND name = ?4
      """)
    update.bind(1, occurrence.nextAt.milliseconds)
    update.bind(2, turns.last?.runID)
    update.bind(3, due.agent)
    update.bind(4, due.name)
    try update.run()
    for turn in turns { try queue(turn) }
    return isPassedOver ? .busy : .begun
  }
}
