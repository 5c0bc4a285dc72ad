// SPDX-License-Identifier: Apache-2.0
import Core
import JSONCodec
import Telemetry

/// One row of `jobs`.
enum JobRow {
  /// What a job waits for, as `jobs.place`; the numbers stand in the statements.
  enum Place: Int64 {
    /// For a worker; it was due at `due_at`.
    case ready = 0
    /// For `due_at`: a delay, or the wait after a failure.
    case waiting = 1
    /// For another job of its user with its key.
    case held = 2
    /// For its worker, at most until `due_at`: the end of the lease.
    case running = 3
    /// For nothing: it was done at `due_at`.
    case done = 4
    /// For an operator; it died at `due_at`.
    case dead = 5
  }

  /// Reads the columns from `id` to `trace`, the first of which is the second.
  static func job(_ row: SQLStatement) -> Job {
    Job(
      id: row.text(1), action: row.text(2), payload: RawJSON(trusted: row.bytes(3)),
      user: Principal(json: (try? JSON(parsing: row.bytes(4))) ?? .null), key: row.optionalText(5),
      priority: Int(row.integer(6)), publisher: row.text(7),
      trace: row.optionalText(10).flatMap(TraceContext.init(stored:)),
      publishedAt: Timestamp(milliseconds: row.integer(8)), dueAt: Timestamp(milliseconds: row.integer(9)))
  }
}

extension TraceContext {
  /// Its two headers in a text, with a space between them where there are two.
  fileprivate var stored: String { traceState.isEmpty ? traceparent : "\(traceparent) \(traceState)" }

  fileprivate init?(stored: String) {
    let headers = stored.split(separator: " ", maxSplits: 1).map(String.init)
    guard let parent = headers.first else { return nil }
    self.init(traceparent: parent, tracestate: headers.count > 1 ? headers[1] : nil)
  }
}

// MARK: The way of a job

extension WriterConnection {
  /// Queues a job, behind those of its user with its key; nothing when it is known.
  func publish(_ job: Job) throws {
    let insert = try statement(
      """
      INSERT OR IGNORE INTO jobs
        (id, place, due_at, user_id, priority, key, action, publisher, published_at, user, payload, trace)
      VALUES (?1, iif(EXISTS (SELECT 1 FROM jobs WHERE user_id = ?4 AND key = ?6 AND place < 4), 2, ?2),
        ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)
      """)
    insert.bind(1, job.id)
    insert.bind(2, job.dueAt > job.publishedAt ? 1 : 0)
    insert.bind(3, job.dueAt.milliseconds)
    insert.bind(4, job.user.id)
    insert.bind(5, Int64(job.priority))
    insert.bind(6, job.key)
    insert.bind(7, job.action)
    insert.bind(8, job.publisher)
    insert.bind(9, job.publishedAt.milliseconds)
    insert.bindBlob(10, job.user.json.bytes)
    insert.bindBlob(11, job.payload.bytes)
    insert.bind(12, job.trace?.stored)
    try insert.run()
  }

  /// Ends an attempt; false when its lease was lost.
  func endAttempt(runID: String, _ ending: JobEnding, at time: Timestamp) throws -> Bool {
    let find = try statement("SELECT seq, user_id, key FROM jobs WHERE id = ? AND run_id = ? AND place = 3")
    find.bind(1, ending.jobID)
    find.bind(2, runID)
    let seq: Int64
    let user: String
    let key: String?
    do {
      defer { find.reset() }
      guard try find.step() else { return false }
      (seq, user, key) = (find.integer(0), find.text(1), find.optionalText(2))
    }
    switch ending.outcome {
    case .done:
      // What it was is gone; that it was stays for a while.
      let done = try statement(
        "UPDATE jobs SET place = 4, due_at = ?, payload = x'7b7d', user = x'7b7d', failure = NULL WHERE seq = ?"
      )
      done.bind(1, time.milliseconds)
      done.bind(2, seq)
      try done.run()
      try forgetJobs(doneBefore: time + (.zero - Job.rememberedFor))
    case .failed(let failure, let again):
      try move(seq, .waiting, due: again, failure: failure, counts: true)
    case .released: try move(seq, .ready, due: time, failure: nil, counts: false)
    case .dead(let failure): try move(seq, .dead, due: time, failure: failure, counts: true)
    }
    switch ending.outcome {
    case .done, .dead: if let key { try letOn(user: user, key: key, at: time) }
    case .failed, .released: break
    }
    return true
  }

  private func move(
    _ seq: Int64, _ place: JobRow.Place, due: Timestamp, failure: Failure?, counts: Bool
  ) throws {
    let update = try statement(
      "UPDATE jobs SET place = ?, due_at = ?, failure = coalesce(?, failure), failures = failures + ? WHERE seq = ?"
    )
    update.bind(1, place.rawValue)
    update.bind(2, due.milliseconds)
    if let failure { update.bindBlob(3, failure.json.bytes) } else { update.bindNull(3) }
    update.bind(4, counts ? 1 : 0)
    update.bind(5, seq)
    try update.run()
  }

  /// Lets the next of a user's jobs with a key on.
  private func letOn(user: String, key: String, at time: Timestamp) throws {
    let update = try statement(
      """
      UPDATE jobs SET place = (due_at > ?1) WHERE seq = (
        SELECT seq FROM jobs WHERE user_id = ?2 AND key = ?3 AND place < 4 ORDER BY seq LIMIT 1)
      """)
    update.bind(1, time.milliseconds)
    update.bind(2, user)
    update.bind(3, key)
    try update.run()
  }

  /// A few at a time, so that no end of a job takes long.
  private func forgetJobs(doneBefore time: Timestamp) throws {
    let delete = try statement(
      """
      DELETE FROM jobs WHERE seq IN (
        SELECT seq FROM jobs WHERE place = 4 AND due_at < ? ORDER BY due_at LIMIT 4)
      """)
    delete.bind(1, time.milliseconds)
    try delete.run()
  }
}
