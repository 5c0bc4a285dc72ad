// SPDX-License-Identifier: Apache-2.0
public import Core
import JSONCodec

extension SQLiteStore {
  public func publish(_ jobs: [Job]) async throws {
    guard !jobs.isEmpty else { return }
    try await commits.write { connection in
      for job in jobs { try connection.publish(job) }
    }
    jobBell.ring()
  }

  public func takeJob(runID: String, lease: Timestamp, at time: Timestamp) async throws -> TakenJob? {
    try await commits.write { try $0.takeJob(runID: runID, lease: lease, at: time) }
  }

  public func extendLeases(_ jobs: [String: String], until lease: Timestamp) async throws -> [String] {
    try await commits.write { connection in
      let update = try connection.statement(
        "UPDATE jobs SET due_at = ? WHERE id = ? AND run_id = ? AND place = 3")
      var lost: [String] = []
      for (run, job) in jobs.sorted(by: { $0.key < $1.key }) {
        update.bind(1, lease.milliseconds)
        update.bind(2, job)
        update.bind(3, run)
        try update.run()
        if connection.changes == 0 { lost.append(run) }
      }
      return lost
    }
  }

  public func endAttempt(runID: String, _ ending: JobEnding, at time: Timestamp) async throws -> Bool {
    let isHeld = try await commits.write { try $0.endAttempt(runID: runID, ending, at: time) }
    jobBell.ring()
    return isHeld
  }

  public func endLeases(at time: Timestamp) async throws -> Int {
    try await commits.write { connection in
      let update = try connection.statement("UPDATE jobs SET due_at = min(due_at, ?) WHERE place = 3")
      update.bind(1, time.milliseconds)
      try update.run()
      return Int(connection.changes)
    }
  }

  public func nextJobDue() async throws -> Timestamp? {
    try await read { connection in
      let select = try connection.statement(
        """
        SELECT min(due) FROM (
          SELECT min(due_at) AS due FROM jobs WHERE place = 0
          UNION ALL SELECT min(due_at) FROM jobs WHERE place = 1
          UNION ALL SELECT min(due_at) FROM jobs WHERE place = 3)
        """)
      defer { select.reset() }
      guard try select.step() else { return nil }
      return select.optionalInteger(0).map(Timestamp.init(milliseconds:))
    }
  }

  public func jobCounts() async throws -> JobCounts {
    try await read { connection in
      let select = try connection.statement(
        "SELECT place, count(*) FROM jobs WHERE place IN (0, 1, 2, 3, 5) GROUP BY place")
      defer { select.reset() }
      var counts = JobCounts()
      while try select.step() {
        let count = Int(select.integer(1))
        switch JobRow.Place(rawValue: select.integer(0)) {
        case .ready, .waiting, .held: counts.queued += count
        case .running: counts.running = count
        case .dead: counts.dead = count
        case .done, nil: break
        }
      }
      return counts
    }
  }
}

// MARK: Taking turns

extension WriterConnection {
  func takeJob(runID: String, lease: Timestamp, at time: Timestamp) throws -> TakenJob? {
    try wakeJobs(at: time)
    guard let user = try nextUserWithJobs() else { return nil }
    let select = try statement(
      """
      SELECT seq, id, action, payload, user, key, priority, publisher, published_at, due_at, trace, attempt, failures,
        run_id
      FROM jobs WHERE place = 0 AND user_id = ? ORDER BY priority DESC, seq LIMIT 1
      """)
    select.bind(1, user)
    let seq: Int64
    var taken: TakenJob
    let earlierRun: String?
    do {
      defer { select.reset() }
      guard try select.step() else { return nil }
      seq = select.integer(0)
      earlierRun = select.optionalText(13)
      let job = JobRow.job(select)
      taken = TakenJob(
        job: job, runID: runID, attempt: Int(select.integer(11)) + 1, failures: Int(select.integer(12)),
        waited: max(.zero, time - job.dueAt))
    }
    let take = try statement(
      "UPDATE jobs SET place = 3, due_at = ?, run_id = ?, attempt = attempt + 1 WHERE seq = ?")
    take.bind(1, lease.milliseconds)
    take.bind(2, runID)
    take.bind(3, seq)
    try take.run()
    let turn = try statement("UPDATE job_turns SET user_id = ?1 WHERE user_id <> ?1")
    turn.bind(1, user)
    try turn.run()
    if let earlierRun, try interruptRun(earlierRun, at: time) { taken.interruptedRunID = earlierRun }
    return taken
  }

  /// Makes ready what has waited for its time, and what a worker held for too long.
  private func wakeJobs(at time: Timestamp) throws {
    let wake = try statement(
      """
      UPDATE jobs SET place = 0, failures = failures + (place = 3) WHERE seq IN (
        SELECT seq FROM jobs WHERE place IN (1, 3) AND due_at <= ? ORDER BY due_at LIMIT 256)
      """)
    wake.bind(1, time.milliseconds)
    try wake.run()
  }

  /// The user with ready jobs who comes after the one who was served last.
  private func nextUserWithJobs() throws -> String? {
    for sql: StaticString in [
      """
      SELECT user_id FROM jobs WHERE place = 0 AND user_id > (SELECT user_id FROM job_turns)
      ORDER BY user_id LIMIT 1
      """,
      "SELECT user_id FROM jobs WHERE place = 0 ORDER BY user_id LIMIT 1",
    ] {
      let select = try statement(sql)
      defer { select.reset() }
      if try select.step() { return select.text(0) }
    }
    return nil
  }

  /// Closes the run of an attempt, if nobody saw its end.
  private func interruptRun(_ id: String, at time: Timestamp) throws -> Bool {
    let update = try statement(
      """
      UPDATE runs SET status = 'interrupted', failure = 'interrupted', finished_at = ?
      WHERE id = ? AND finished_at IS NULL RETURNING id, user_id, agent, version
      """)
    update.bind(1, time.milliseconds)
    update.bind(2, id)
    return try recordInterruptions(update, at: time) > 0
  }

  /// Runs a statement that closes runs of which nobody saw the end, and records each.
  ///
  /// - Returns: How many there were.
  func recordInterruptions(_ update: SQLStatement, at time: Timestamp) throws -> Int {
    var entries: [AuditEntry] = []
    do {
      defer { update.reset() }
      while try update.step() {
        entries.append(
          AuditEntry(
            .runEnded, at: time, by: .init(userID: update.text(1)), runID: update.text(0),
            agent: update.text(2), version: update.text(3),
            detail: RawJSON(["status": .string(RunRecord.Status.interrupted.rawValue)])))
      }
    }
    for entry in entries { try record(entry) }
    return entries.count
  }
}
