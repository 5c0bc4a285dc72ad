// SPDX-License-Identifier: Apache-2.0
public import Core
import Dispatch
import GRDB
import JSONCodec

/// Erasing what is kept of one user.
extension SQLiteStore {
  /// Sessions, or runs without one, that go in one transaction: others write between two.
  private static let erasedAtOnceMax = 20

  public func eraseUser(
    _ userID: String, by actor: AuditEntry.Actor, at time: Timestamp
  ) async throws -> ErasedUser {
    var erased = ErasedUser()
    while true {
      let (sessions, runs) = try await commits.write { connection in
        guard try connection.knows(userID) else { throw Failure.noUser(userID) }
        try connection.refuseWhileBusy(userID)
        return try connection.eraseSome(userID, atMost: Self.erasedAtOnceMax)
      }
      erased.sessions += sessions
      erased.runs += runs
      if sessions + runs == 0 { break }
    }
    let done = erased
    erased.auditEntries = try await commits.write { connection in
      // Of the same moment as the rest: who came back meanwhile is erased in their turn.
      try connection.refuseWhileBusy(userID)
      var (sessions, runs) = (done.sessions, done.runs)
      while case (let more, let others) = try connection.eraseSome(userID, atMost: .max), more + others > 0 {
        (sessions, runs) = (sessions + more, runs + others)
      }
      try connection.eraseRest(userID)
      return try connection.recordErasure(of: userID, by: actor, sessions: sessions, runs: runs, at: time)
    }
    erased.isScrubbed = try await scrub()
    return erased
  }

  /// Above it the file is not written anew while others wait for it.
  private static let scrubbedBytesMax: Int64 = 256 << 20

  /// Rewrites the file without what was deleted from it, and empties the log; false where it is too large.
  private func scrub() async throws -> Bool {
    try await withCheckedThrowingContinuation { continuation in
      DispatchQueue.global().async { [pool] in
        continuation.resume(
          with: Result {
            try pool.writeWithoutTransaction { database in
              let pages = try Int64.fetchOne(database, sql: "PRAGMA page_count") ?? 0
              let pageBytes = try Int64.fetchOne(database, sql: "PRAGMA page_size") ?? 0
              var isSmall = pages * pageBytes <= Self.scrubbedBytesMax
              do {
                if isSmall { try database.execute(sql: "VACUUM") }
              } catch let error as DatabaseError
                where [.SQLITE_BUSY, .SQLITE_FULL].contains(error.resultCode)
              {
                // It is erased all the same, and what it was overwritten.
                isSmall = false
              }
              // Who reads an old moment of it keeps the log for as long.
              for _ in 0..<2 {
                do {
                  _ = try database.checkpoint(.truncate)
                  return isSmall
                } catch let error as DatabaseError where error.resultCode == .SQLITE_BUSY {}
              }
              return false
            }
          }.mapError(Failure.storage))
      }
    }
  }
}

extension Failure {
  static func noUser(_ id: String) -> Failure { Failure(.notFound, "nothing is kept of a user '\(id)'") }
}

extension WriterConnection {
  /// Whether anything is kept of a user.
  fileprivate func knows(_ userID: String) throws -> Bool {
    let find = try statement(PersonSQL.isKnown)
    find.bind(1, userID)
    find.bind(2, KeyValueScope.user(userID).text)
    defer { find.reset() }
    return try find.step()
  }

  /// - Throws: ``Failure`` `conflict` while something of theirs is under way: it would write after it was erased.
  fileprivate func refuseWhileBusy(_ userID: String) throws {
    let find = try statement(
      """
      SELECT id FROM runs WHERE user_id = ?1 AND finished_at IS NULL AND status != 'waiting'
      UNION SELECT id FROM jobs WHERE user_id = ?1 AND place = 3 LIMIT 5
      """)
    find.bind(1, userID)
    var busy: [String] = []
    do {
      defer { find.reset() }
      while try find.step() { busy.append(find.text(0)) }
    }
    guard !busy.isEmpty else { return }
    throw Failure(
      .conflict,
      "runs or jobs of this user are under way: \(busy.joined(separator: ", ")); cancel them, or wait for them",
      retryable: true, retryAfterSeconds: 1)
  }

  /// Erases some sessions, or else some runs that belong to none that is left.
  fileprivate func eraseSome(_ userID: String, atMost limit: Int) throws -> (sessions: Int, runs: Int) {
    let find = try statement("SELECT id, name FROM sessions WHERE user_id = ? LIMIT ?")
    find.bind(1, userID)
    find.bind(2, Int64(limit))
    var sessions: [(key: Int64, name: String)] = []
    do {
      defer { find.reset() }
      while try find.step() { sessions.append((find.integer(0), find.text(1))) }
    }
    for session in sessions {
      try forgetEvents(ofSession: session.key)
      try deleteSession(session.key, name: session.name, userID: userID)
    }
    if !sessions.isEmpty { return (sessions.count, 0) }
    let lone = try statement("SELECT id FROM runs WHERE user_id = ? LIMIT ?")
    lone.bind(1, userID)
    lone.bind(2, Int64(limit))
    var runs: [String] = []
    do {
      defer { lone.reset() }
      while try lone.step() { runs.append(lone.text(0)) }
    }
    for run in runs {
      let events = try statement("DELETE FROM events WHERE run_id = ?")
      events.bind(1, run)
      try events.run()
    }
    try forget(runs)
    return (0, runs.count)
  }

  private func forgetEvents(ofSession key: Int64) throws {
    let keys = MessageKeys(session: key)
    let delete = try statement(
      "DELETE FROM events WHERE run_id IN (SELECT run_id FROM messages WHERE key BETWEEN ? AND ?)")
    delete.bind(1, keys.first)
    delete.bind(2, keys.last)
    try delete.run()
  }

  /// Erases what is kept of a user beside sessions and runs.
  fileprivate func eraseRest(_ userID: String) throws {
    for sql: StaticString in [
      """
      DELETE FROM lone_answers WHERE run_id IN (SELECT run_id FROM idempotency_keys WHERE user_id = ?)
      """,
      "DELETE FROM idempotency_keys WHERE user_id = ?", "DELETE FROM approvals WHERE user_id = ?",
      "DELETE FROM events WHERE user_id = ?", "DELETE FROM jobs WHERE user_id = ?",
      "UPDATE job_turns SET user_id = '' WHERE user_id = ?", "DELETE FROM api_keys WHERE user_id = ?",
      // What they decided for others stays decided.
      "UPDATE approvals SET decided_by = '', comment = NULL WHERE decided_by = ?",
      "DELETE FROM users WHERE id = ?",
    ] {
      let delete = try statement(sql)
      delete.bind(1, userID)
      try delete.run()
    }
    let values = try statement("DELETE FROM kv WHERE scope = ?1 OR (scope >= ?2 AND scope < ?3)")
    let (prefix, end) = PersonSQL.sessionScopes(of: userID)
    values.bind(1, KeyValueScope.user(userID).text)
    values.bind(2, prefix)
    values.bind(3, end)
    try values.run()
    try statement("DELETE FROM cancellations WHERE run_id NOT IN (SELECT id FROM runs)").run()
  }

  /// Takes the name from the audit trail, which tells from then on that somebody was erased, and by whom.
  ///
  /// - Returns: Entries that no longer say who it was.
  fileprivate func recordErasure(
    of userID: String, by actor: AuditEntry.Actor, sessions: Int, runs: Int, at time: Timestamp
  ) throws -> Int {
    let person = try person(userID)
    let find = try statement(
      "SELECT count(*) FROM audit WHERE actor IN (SELECT id FROM audit_actors WHERE user_id = ?)")
    find.bind(1, userID)
    let count: Int64
    do {
      defer { find.reset() }
      count = try find.step() ? find.integer(0) : 0
    }
    let forget = try statement(
      "UPDATE audit_actors SET user_id = NULL, address = NULL, key_id = NULL, salt = NULL WHERE user_id = ?")
    forget.bind(1, userID)
    try forget.run()
    auditActors = [:]
    // Who erases themselves does not come back by it.
    let isSelf = actor.userID == userID
    try record(
      AuditEntry(
        .userErased, at: time, by: isSelf ? nil : actor, target: person,
        detail: RawJSON([
          "self": .bool(isSelf), "sessions": .integer(Int64(sessions)), "runs": .integer(Int64(runs)),
          "entries": .integer(count),
        ])))
    return Int(count)
  }

  /// A user as the target of an entry: by a salted digest, which says nothing once the salt is gone.
  func person(_ userID: String) throws -> String {
    "person:" + AuditChain.text(Array(try key(of: AuditEntry.Actor(userID: userID)).digest.prefix(8)))
  }
}

/// Statements about one user, ?1, whose small values have the scope ?2.
enum PersonSQL {
  static let isKnown: StaticString = """
    SELECT 1 WHERE EXISTS (SELECT 1 FROM users WHERE id = ?1)
    OR EXISTS (SELECT 1 FROM sessions WHERE user_id = ?1) OR EXISTS (SELECT 1 FROM runs WHERE user_id = ?1)
    OR EXISTS (SELECT 1 FROM jobs WHERE user_id = ?1) OR EXISTS (SELECT 1 FROM api_keys WHERE user_id = ?1)
    OR EXISTS (SELECT 1 FROM kv WHERE scope = ?2) OR EXISTS (SELECT 1 FROM audit_actors WHERE user_id = ?1)
    """

  /// The first scope of a user's sessions, and what comes after the last.
  static func sessionScopes(of userID: String) -> (first: String, end: String) {
    let first = KeyValueScope.session(userID: userID, sessionID: "").text
    return (first, first.dropLast() + ";")
  }
}
