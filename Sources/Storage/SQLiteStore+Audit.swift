// SPDX-License-Identifier: Apache-2.0
public import Core
import Crypto
import JSONCodec

extension SQLiteStore {
  public func record(_ entries: [AuditEntry]) async throws {
    try await commits.write { connection in
      for entry in entries { try connection.record(entry) }
    }
  }

  public func auditTrail(_ filter: AuditFilter, page: PageRequest) async throws -> Page<KeptAuditEntry> {
    let before = try page.after.map { try Cursor.parse($0, .audit) }?[0] ?? .max
    return try await read { connection in
      var isTenants = false
      if case .tenant = filter.visibleTo { isTenants = true }
      let select = try connection.statement(
        """
        SELECT \(AuditRow.columns) \(AuditRow.tables)
        WHERE \(isTenants ? "tenant = ?1" : "TRUE") AND number < ?3 ORDER BY number DESC
        """)
      defer { select.reset() }
      select.bind(filter.visibleTo)
      select.bind(3, before)
      var (rows, looked): ([AuditRow], Int) = ([], 0)
      while rows.count < page.limit, try select.step() {
        looked += 1
        let row = AuditRow(select)
        if filter.admits(row.entry) { rows.append(row) }
        if rows.count == page.limit || looked == Self.auditLookedAtMax {
          return Page(
            items: rows.map(\.kept), next: row.number > 1 ? Cursor.make(.audit, row.number) : nil)
        }
      }
      return Page(items: rows.map(\.kept), next: nil)
    }
  }

  /// Of one read, so that a filter that admits little holds no old state of the database for long.
  private static let auditLookedAtMax = 20_000

  public func verifyAudit() async throws -> AuditVerdict {
    try await read { connection in
      let start = try connection.statement("SELECT number, hash FROM audit_start")
      var (number, hash): (Int64, [UInt8])
      do {
        defer { start.reset() }
        (number, hash) = try start.step() ? (start.integer(0), start.bytes(1)) : (0, AuditChain.start)
      }
      var verdict = AuditVerdict(
        count: 0, first: 0, last: 0, hash: AuditChain.text(hash), faults: [])
      // What the old end was cut to must be what the trail says of it.
      var cut = (through: Int64(0), hash: AuditChain.text(AuditChain.start))
      let beginning = (through: number, hash: AuditChain.text(hash))
      let select = try connection.statement(
        "SELECT \(AuditRow.columns) \(AuditRow.tables) WHERE number > ? ORDER BY number")
      defer { select.reset() }
      select.bind(1, number)
      while try select.step() {
        let row = AuditRow(select)
        if let through = row.cut { cut = through }
        if row.isErased { verdict.erased += 1 }
        if verdict.count == 0 { verdict.first = row.number }
        verdict.count += 1
        if let fault = row.fault(after: number, hash), verdict.faults.count < Self.faultsMax {
          verdict.faults.append(.init(number: row.number, message: fault))
        }
        // What follows is judged by what stands here: each change is one fault.
        (number, hash) = (row.number, row.hash)
      }
      if verdict.count > 0 { (verdict.last, verdict.hash) = (number, AuditChain.text(hash)) }
      let below = try connection.statement(
        "SELECT 1 FROM audit WHERE number <= (SELECT number FROM audit_start) LIMIT 1")
      defer { below.reset() }
      if try cut != beginning || below.step() {
        verdict.faults.append(
          .init(number: beginning.through, message: "the old end was cut, and the trail does not say so"))
      }
      return verdict
    }
  }

  private static let faultsMax = 20

  public func hasAuditEntry(hash: String) async throws -> Bool {
    try await read { connection in
      let find = try connection.statement(
        """
        SELECT 1 FROM audit WHERE lower(hex(hash)) = ?1
        UNION ALL SELECT 1 FROM audit_start WHERE number > 0 AND lower(hex(hash)) = ?1
        """)
      defer { find.reset() }
      find.bind(1, hash.lowercased())
      return try find.step()
    }
  }

  public func forgetAudit(before time: Timestamp, at now: Timestamp) async throws -> Int {
    try await commits.write { connection in
      // From the old end up to the first that is not older: one with a wrong time takes no others along.
      let find = try connection.statement(
        """
        SELECT number, hash FROM audit WHERE number = (
          SELECT min(
            (SELECT ifnull(min(number), 1 << 62) FROM audit WHERE at >= ?1),
            (SELECT max(number) FROM audit), (SELECT number FROM audit_start) + 1001) - 1)
        """)
      find.bind(1, time.milliseconds)
      let (number, hash): (Int64, [UInt8])
      do {
        defer { find.reset() }
        guard try find.step() else { return 0 }
        (number, hash) = (find.integer(0), find.bytes(1))
      }
      let start = try connection.statement("UPDATE audit_start SET number = ?, hash = ?")
      start.bind(1, number)
      start.bindBlob(2, hash)
      try start.run()
      let delete = try connection.statement("DELETE FROM audit WHERE number <= ?")
      delete.bind(1, number)
      try delete.run()
      let count = Int(connection.changes)
      if count < 1000 {
        // Of who stands in no entry any more; looked for once, with the last portion.
        try connection.statement(
          """
          DELETE FROM audit_actors WHERE id NOT IN (SELECT actor FROM audit WHERE actor IS NOT NULL)
          AND NOT EXISTS (SELECT 1 FROM users WHERE users.id = user_id AND erasing_at IS NOT NULL)
          """
        ).run()
        connection.auditActors = [:]
      }
      var writer = JSONWriter()
      writer.object {
        $0.member("through", number)
        $0.member("hash", AuditChain.text(hash))
      }
      try connection.record(AuditEntry(.auditForgotten, at: now, by: nil, detail: writer.raw))
      return count
    }
  }
}

extension WriterConnection {
  /// Adds an entry to the audit trail.
  func record(_ entry: AuditEntry) throws {
    var entry = entry
    if let digest = entry.digest {
      entry.detail = AuditEntry.detail(
        entry.detail, and: digest.name, AuditChain.text(digest, by: try auditCode()))
    }
    let actor = try entry.actor.map { try key(of: $0) }
    var (number, hash) = try lastAuditEntry ?? readLastAuditEntry()
    number += 1
    hash = AuditChain.hash(after: hash, number, entry, actor: actor?.digest)
    let insert = try statement("INSERT INTO audit VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")
    insert.bind(1, number)
    insert.bind(2, entry.at.milliseconds)
    insert.bind(3, entry.action.rawValue)
    insert.bind(4, actor?.id)
    insert.bind(5, entry.target)
    insert.bind(6, entry.runID)
    insert.bind(7, entry.agent)
    insert.bind(8, entry.version)
    if let detail = entry.detail { insert.bindBlob(9, detail.bytes) } else { insert.bindNull(9) }
    insert.bindBlob(10, hash)
    insert.bind(11, entry.actor?.tenantPrefix)
    try insert.run()
    lastAuditEntry = (number, hash)
  }

  /// Made with the database, and as secret as what else stands in it.
  private func auditCode() throws -> HMAC<SHA256> {
    if let knownAuditCode { return knownAuditCode }
    let find = try statement("SELECT key FROM audit_key")
    defer { find.reset() }
    guard try find.step() else { throw Failure(.internal, "the key of the audit trail's digests is missing") }
    let code = HMAC<SHA256>(key: SymmetricKey(data: find.bytes(0)))
    knownAuditCode = code
    return code
  }

  private func readLastAuditEntry() throws -> (number: Int64, hash: [UInt8]) {
    let last = try statement("SELECT number, hash FROM audit ORDER BY number DESC LIMIT 1")
    defer { last.reset() }
    if try last.step() { return (last.integer(0), last.bytes(1)) }
    let start = try statement("SELECT number, hash FROM audit_start")
    defer { start.reset() }
    return try start.step() ? (start.integer(0), start.bytes(1)) : (0, AuditChain.start)
  }

  func key(of actor: AuditEntry.Actor) throws -> (id: Int64, digest: [UInt8]) {
    if let known = auditActors[actor] { return known }
    let row = try readKey(of: actor)
    auditActors[actor] = row
    return row
  }

  private func readKey(of actor: AuditEntry.Actor) throws -> (id: Int64, digest: [UInt8]) {
    let find = try statement(
      "SELECT id, digest FROM audit_actors WHERE user_id = ? AND address = ? AND key_id = ?")
    find.bind(1, actor.userID)
    find.bind(2, actor.address ?? "")
    find.bind(3, actor.keyID ?? "")
    do {
      defer { find.reset() }
      if try find.step() { return (find.integer(0), find.bytes(1)) }
    }
    let salt = AuditChain.newSalt()
    let digest = AuditChain.digest(of: actor, salt: salt)
    let insert = try statement(
      "INSERT INTO audit_actors (user_id, address, key_id, salt, digest) VALUES (?, ?, ?, ?, ?)")
    insert.bind(1, actor.userID)
    insert.bind(2, actor.address ?? "")
    insert.bind(3, actor.keyID ?? "")
    insert.bindBlob(4, salt)
    insert.bindBlob(5, digest)
    try insert.run()
    return (lastInsertedKey, digest)
  }
}

extension AuditEntry {
  /// An object that a writer made, and one more member.
  fileprivate static func detail(_ detail: RawJSON?, and name: String, _ value: String) -> RawJSON {
    var writer = JSONWriter()
    writer.object { $0.member(named: name, value) }
    guard let detail, detail != .emptyObject else { return writer.raw }
    return RawJSON(trusted: detail.bytes.dropLast() + [UInt8(ascii: ",")] + writer.bytes.dropFirst())
  }
}

extension AuditEntry.Actor {
  /// All up to the first slash, by which a tenant finds what its users did.
  var tenantPrefix: String? {
    userID.utf8.firstIndex(of: UInt8(ascii: "/")).map { String(userID[...$0]) }
  }
}

/// One row of `audit`, with who it was.
private struct AuditRow {
  static let columns =
    """
    number, at, action, target, run_id, agent, version, detail, hash, actor, user_id, address, salt, digest,
    key_id, tenant
    """
  static let tables = "FROM audit LEFT JOIN audit_actors ON audit_actors.id = audit.actor"

  let number: Int64
  let entry: AuditEntry
  let hash: [UInt8]
  private let hasActor: Bool
  private let salt: [UInt8]?
  private let digest: [UInt8]?
  private let tenant: String?

  init(_ row: SQLStatement) {
    number = row.integer(0)
    hash = row.bytes(8)
    hasActor = !row.isNull(9)
    let (address, keyID) = (row.optionalText(11), row.optionalText(14))
    entry = AuditEntry(
      AuditEntry.Action(rawValue: row.text(2)), at: Timestamp(milliseconds: row.integer(1)),
      by: row.optionalText(10).map {
        .init(userID: $0, address: address == "" ? nil : address, keyID: keyID == "" ? nil : keyID)
      },
      target: row.optionalText(3), runID: row.optionalText(4), agent: row.optionalText(5),
      version: row.optionalText(6), detail: row.isNull(7) ? nil : RawJSON(trusted: row.bytes(7)))
    salt = row.isNull(12) ? nil : row.bytes(12)
    digest = row.isNull(13) ? nil : row.bytes(13)
    tenant = row.optionalText(15)
  }

  var kept: KeptAuditEntry {
    KeptAuditEntry(number: number, entry: entry, hash: AuditChain.text(hash), isErased: isErased)
  }

  var isErased: Bool { hasActor && entry.actor == nil }

  /// Up to which entry the old end was cut, as this entry says.
  var cut: (through: Int64, hash: String)? {
    guard entry.action == .auditForgotten, let detail = try? entry.detail?.value(),
      let through = detail["through"]?.integer, let hash = detail["hash"]?.string
    else { return nil }
    return (through, hash)
  }

  /// What is wrong with it, if anything is.
  func fault(after previous: Int64, _ previousHash: [UInt8]) -> String? {
    if number != previous + 1 {
      return number == previous + 2
        ? "entry \(previous + 1) is missing" : "entries \(previous + 1) to \(number - 1) are missing"
    }
    if hasActor, digest == nil { return "who it was is missing" }
    if let actor = entry.actor, let digest {
      guard let salt, AuditChain.digest(of: actor, salt: salt) == digest else {
        return "who it was has been changed"
      }
      if actor.tenantPrefix != tenant { return "the tenant of who it was has been changed" }
    }
    guard AuditChain.hash(after: previousHash, number, entry, actor: hasActor ? digest : nil) == hash
    else { return "it, or what came before it, has been changed" }
    return nil
  }
}
