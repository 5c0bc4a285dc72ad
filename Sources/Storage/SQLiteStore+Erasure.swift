// SPDX-License-Identifier: Apache-2.0
public import Core
import Dispatch
import GRDB
import Identity
import JSONCodec

/// Erasing what is kept of one user.
extension SQLiteStore {
  /// Sessions, or runs without one, that go in one transaction: others write between two.
  private static let erasedAtOnceMax = 20
  /// Events, anybody's, that are looked through in one.
  private static let eventsAtOnceMax: Int64 = 5000

  public func eraseUser(
    _ userID: String, by actor: AuditEntry.Actor, time: any TimeSource
  ) async throws -> ErasedUser {
    let begun = try await commits.write { connection in
      try connection.beginErasure(of: userID, by: actor, at: time.now)
    }
    // A server that has just looked a key up believes it for as long: what comes by it is there before the rest goes.
    if begun.hadKeys || begun.isResumed { try await time.sleep(for: APIKeyVerifier.rememberedFor) }
    var erased = ErasedUser()
    erased.isResumed = begun.isResumed
    while true {
      let (sessions, runs) = try await commits.write { connection in
        try connection.refuseWhileBusy(userID, isBegun: true)
        return try connection.eraseSome(userID, atMost: Self.erasedAtOnceMax)
      }
      erased.sessions += sessions
      erased.runs += runs
      if sessions + runs == 0 { break }
    }
    let first = try await eraseEvents(of: userID)
    erased = try await commits.write { [erased] connection in
      var erased = erased
      // Of the same moment as the rest: who came back meanwhile is erased in their turn.
      try connection.refuseWhileBusy(userID, isBegun: true)
      while case (let sessions, let runs) = try connection.eraseSome(userID, atMost: .max),
        sessions + runs > 0
      {
        erased.sessions += sessions
        erased.runs += runs
      }
      _ = try connection.eraseEvents(of: userID, after: first, atMost: .max)
      try connection.eraseRest(userID)
      erased.auditEntries = try connection.recordErasure(of: userID, by: actor, erased, at: time.now)
      return erased
    }
    erased.isScrubbed = try await scrub()
    return erased
  }

  /// - Returns: The last number that was looked at.
  private func eraseEvents(of userID: String) async throws -> Int64 {
    var last: Int64 = 0
    while let next = try await commits.write({ [last] connection in
      try connection.refuseWhileBusy(userID, isBegun: true)
      return try connection.eraseEvents(of: userID, after: last, atMost: Self.eventsAtOnceMax)
    }) {
      last = next
    }
    return last
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
  /// Records that somebody erases a user, and takes their keys first: whoever has one is to make nothing anew.
  fileprivate func beginErasure(
    of userID: String, by actor: AuditEntry.Actor, at time: Timestamp
  ) throws -> (hadKeys: Bool, isResumed: Bool) {
    guard try knows(userID) else { throw Failure.noUser(userID) }
    try refuseWhileBusy(userID, isBegun: false)
    let find = try statement("SELECT 1 FROM users WHERE id = ? AND erasing_at IS NOT NULL")
    find.bind(1, userID)
    let isResumed: Bool
    do {
      defer { find.reset() }
      isResumed = try find.step()
    }
    // Goes last: until then whoever asks again finds that there is something to finish.
    let mark = try statement(
      """
      INSERT INTO users (id, created_at, erasing_at) VALUES (?1, ?2, ?2)
      ON CONFLICT (id) DO UPDATE SET erasing_at = ?2
      """)
    mark.bind(1, userID)
    mark.bind(2, time.milliseconds)
    try mark.run()
    let keys = try statement("DELETE FROM api_keys WHERE user_id = ?")
    keys.bind(1, userID)
    try keys.run()
    let hadKeys = changes > 0
    try record(
      AuditEntry(
        .userErasureBegun, at: time, by: actor, target: try person(userID),
        detail: RawJSON(["self": .bool(actor.userID == userID), "resumed": .bool(isResumed)])))
    return (hadKeys, isResumed)
  }

  /// Whether anything is kept of a user.
  private func knows(_ userID: String) throws -> Bool {
    let find = try statement(PersonSQL.isKnown)
    find.bind(1, userID)
    find.bind(2, KeyValueScope.user(userID).text)
    defer { find.reset() }
    return try find.step()
  }

  /// - Parameter isBegun: Some of it may be gone already.
  /// - Throws: ``Failure`` `conflict` while something of theirs is under way: it would write after it was erased.
  fileprivate func refuseWhileBusy(_ userID: String, isBegun: Bool) throws {
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
      "runs or jobs of this user are under way: \(busy.joined(separator: ", ")); cancel them, or wait for them"
        + (isBegun ? ", and erase the user again: some of it is gone already" : ""),
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
    for session in sessions { try deleteSession(session.key, name: session.name, userID: userID) }
    if !sessions.isEmpty { return (sessions.count, 0) }
    let lone = try statement("SELECT id FROM runs WHERE user_id = ? LIMIT ?")
    lone.bind(1, userID)
    lone.bind(2, Int64(limit))
    var runs: [String] = []
    do {
      defer { lone.reset() }
      while try lone.step() { runs.append(lone.text(0)) }
    }
    try forget(runs)
    return (0, runs.count)
  }

  /// Erases a user's events among those that follow a number.
  ///
  /// By number: an index on users would cost every event more than the few who are erased.
  ///
  /// - Returns: The last number that was looked at; `nil` = there was none left.
  fileprivate func eraseEvents(of userID: String, after first: Int64, atMost limit: Int64) throws -> Int64? {
    let find = try statement(
      "SELECT max(number) FROM (SELECT number FROM events WHERE number > ? ORDER BY number LIMIT ?)")
    find.bind(1, first)
    find.bind(2, limit)
    let last: Int64
    do {
      defer { find.reset() }
      guard try find.step(), let number = find.optionalInteger(0) else { return nil }
      last = number
    }
    let delete = try statement("DELETE FROM events WHERE number > ? AND number <= ? AND user_id = ?")
    delete.bind(1, first)
    delete.bind(2, last)
    delete.bind(3, userID)
    try delete.run()
    return last
  }

  /// Erases what is kept of a user beside sessions, runs and events.
  fileprivate func eraseRest(_ userID: String) throws {
    for sql: StaticString in [
      """
      DELETE FROM lone_answers WHERE run_id IN (SELECT run_id FROM idempotency_keys WHERE user_id = ?)
      """,
      "DELETE FROM idempotency_keys WHERE user_id = ?", "DELETE FROM approvals WHERE user_id = ?",
      "DELETE FROM jobs WHERE user_id = ?", "UPDATE job_turns SET user_id = '' WHERE user_id = ?",
      "DELETE FROM channel_messages WHERE user_id = ?", "DELETE FROM api_keys WHERE user_id = ?",
      "DELETE FROM feedback WHERE user_id = ?", "DELETE FROM users WHERE id = ?",
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
    try eraseDecider(userID)
    try statement("DELETE FROM cancellations WHERE run_id NOT IN (SELECT id FROM runs)").run()
  }

  /// Takes the name, and what they wrote, from what they decided for others, which stays decided.
  ///
  /// A run that goes on by its journal has to read there what it read before: it loses the name when it has ended.
  private func eraseDecider(_ userID: String) throws {
    let journal = try statement(
      """
      UPDATE journal SET result = CAST(
        json_remove(json_set(CAST(result AS TEXT), '$.by', ?2), '$.comment') AS BLOB)
      WHERE result IS NOT NULL AND (run_id, key) IN (
        SELECT run_id, key FROM approvals WHERE decided_by = ?1 AND NOT EXISTS (
          SELECT 1 FROM runs
          WHERE id = approvals.run_id AND session IS NOT NULL AND finished_at IS NULL))
      """)
    journal.bind(1, userID)
    journal.bind(2, ErasedUser.id)
    try journal.run()
    let approvals = try statement(
      "UPDATE approvals SET decided_by = ?2, comment = NULL WHERE decided_by = ?1")
    approvals.bind(1, userID)
    approvals.bind(2, ErasedUser.id)
    try approvals.run()
  }

  /// Takes the names of deciders from the journal of a run that has ended who were erased while it went on.
  func eraseDeciders(ofRun runID: String) throws {
    let journal = try statement(
      """
      UPDATE journal SET result = CAST(
        json_remove(json_set(CAST(result AS TEXT), '$.by', ?2), '$.comment') AS BLOB)
      WHERE result IS NOT NULL AND run_id = ?1 AND key IN (
        SELECT key FROM approvals WHERE run_id = ?1 AND decided_by = ?2)
      """)
    journal.bind(1, runID)
    journal.bind(2, ErasedUser.id)
    try journal.run()
  }

  /// Takes the name from the audit trail, which tells from then on that somebody was erased, and by whom.
  ///
  /// - Returns: Entries that no longer say who it was.
  fileprivate func recordErasure(
    of userID: String, by actor: AuditEntry.Actor, _ erased: ErasedUser, at time: Timestamp
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
    // Where there are no tenants it is a part of the name.
    let tenant = try statement(
      """
      UPDATE audit SET tenant = NULL
      WHERE tenant = ?2 AND actor IN (SELECT id FROM audit_actors WHERE user_id = ?1)
      """)
    tenant.bind(1, userID)
    tenant.bind(2, AuditEntry.Actor(userID: userID).tenantPrefix)
    try tenant.run()
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
          "self": .bool(isSelf), "resumed": .bool(erased.isResumed),
          "sessions": .integer(Int64(erased.sessions)), "runs": .integer(Int64(erased.runs)),
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
    OR EXISTS (SELECT 1 FROM kv WHERE scope = ?2) OR EXISTS (SELECT 1 FROM approvals WHERE decided_by = ?1)
    OR EXISTS (SELECT 1 FROM channel_messages WHERE user_id = ?1)
    OR EXISTS (SELECT 1 FROM feedback WHERE user_id = ?1)
    OR EXISTS (SELECT 1 FROM audit_actors WHERE user_id = ?1)
    """

  /// The first scope of a user's sessions, and what comes after the last.
  static func sessionScopes(of userID: String) -> (first: String, end: String) {
    let first = KeyValueScope.session(userID: userID, sessionID: "").text
    return (first, first.dropLast() + ";")
  }
}
