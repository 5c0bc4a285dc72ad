// SPDX-License-Identifier: Apache-2.0
public import Core

extension SQLiteStore {
  public func keepVersion(_ id: String, files: [ScriptFile], at time: Timestamp) async throws {
    let isKept = try await read { connection in
      let find = try connection.statement("SELECT 1 FROM versions WHERE id = ?")
      defer { find.reset() }
      find.bind(1, id)
      return try find.step()
    }
    if !isKept { try await commits.write { try $0.keepVersion(id, files, at: time) } }
  }

  public func versions(page: PageRequest) async throws -> Page<VersionRecord> {
    let before = try page.after.map { try Cursor.parse($0, .versions) }?[0] ?? .max
    return try await read { connection in
      let select = try connection.statement(
        "SELECT \(VersionRow.columns) FROM versions WHERE seq < ? ORDER BY seq DESC LIMIT ?")
      defer { select.reset() }
      select.bind(1, before)
      select.bind(2, page.rows)
      var rows: [VersionRow] = []
      while try select.step() { rows.append(VersionRow(select)) }
      let runs = try connection.runsByVersion()
      return page.page(of: rows) { Cursor.make(.versions, $0.seq) }.map { $0.record(runs) }
    }
  }

  public func version(named name: String) async throws -> VersionRecord {
    let start = name.hasPrefix("sha256:") ? name : "sha256:" + name
    return try await read { connection in
      // What follows a hexadecimal digit in ASCII ends the range of everything that begins with `start`.
      let select = try connection.statement(
        "SELECT \(VersionRow.columns) FROM versions WHERE id >= ?1 AND id < ?1 || 'g' LIMIT 2")
      defer { select.reset() }
      select.bind(1, start)
      var rows: [VersionRow] = []
      while try select.step() { rows.append(VersionRow(select)) }
      guard let row = rows.first, start != "sha256:" else {
        throw Failure(.notFound, "there is no version '\(name)'")
      }
      guard rows.count == 1 else {
        throw Failure(.conflict, "more than one version begins with '\(name)'; write more of it")
      }
      return row.record(try connection.runsByVersion())
    }
  }

  public func sources(ofVersion id: String) async throws -> [String: [UInt8]] {
    try await read { connection in
      let select = try connection.statement(
        """
        SELECT path, script_texts.text FROM versions
        JOIN version_files ON version_files.version = versions.seq
        JOIN script_texts ON script_texts.id = version_files.text
        WHERE versions.id = ?
        """)
      defer { select.reset() }
      select.bind(1, id)
      var sources: [String: [UInt8]] = [:]
      while try select.step() { sources[select.text(0)] = select.bytes(1) }
      return sources
    }
  }

  public func deployment() async throws -> DeploymentRecord? {
    try await read { connection in
      let select = try connection.statement(
        "SELECT version, candidate, canary_percent, folder, decided_at FROM deployment")
      defer { select.reset() }
      guard try select.step() else { return nil }
      let percent = select.optionalInteger(2)
      return DeploymentRecord(
        version: select.text(0),
        candidate: select.optionalText(1).flatMap { version in
          percent.map { DeploymentRecord.Candidate(version: version, percent: Int($0)) }
        }, folder: select.text(3), at: Timestamp(milliseconds: select.integer(4)))
    }
  }

  public func setDeployment(_ deployment: DeploymentRecord, by actor: AuditEntry.Actor?) async throws {
    try await commits.write { connection in
      let write = try connection.statement("INSERT OR REPLACE INTO deployment VALUES (1, ?, ?, ?, ?, ?)")
      write.bind(1, deployment.version)
      write.bind(2, deployment.candidate?.version)
      write.bind(3, deployment.candidate.map { Int64($0.percent) })
      write.bind(4, deployment.folder)
      write.bind(5, deployment.at.milliseconds)
      try write.run()
      try connection.record(AuditEntry(deployment, by: actor))
    }
  }
}

extension WriterConnection {
  fileprivate func keepVersion(_ id: String, _ files: [ScriptFile], at time: Timestamp) throws {
    let before = try latestTexts()
    var texts: [(path: String, text: Int64)] = []
    for file in files { texts.append((file.path, try text(file))) }
    let changed = texts.count { before[$0.path] != $0.text }
    let gone = before.count - (texts.count { before[$0.path] != nil })
    let insert = try statement(
      "INSERT OR IGNORE INTO versions (id, loaded_at, file_count, changed_count) VALUES (?, ?, ?, ?)")
    insert.bind(1, id)
    insert.bind(2, time.milliseconds)
    insert.bind(3, Int64(files.count))
    insert.bind(4, Int64(changed + gone))
    try insert.run()
    // Another process may have kept it meanwhile.
    guard changes > 0 else { return }
    let version = lastInsertedKey
    let list = try statement("INSERT INTO version_files VALUES (?, ?, ?)")
    for (path, text) in texts.sorted(by: { $0.path < $1.path }) {
      list.bind(1, version)
      list.bind(2, path)
      list.bind(3, text)
      try list.run()
    }
  }

  /// The texts of the version that was kept last, by path.
  private func latestTexts() throws -> [String: Int64] {
    let select = try statement(
      "SELECT path, text FROM version_files WHERE version = (SELECT max(seq) FROM versions)")
    defer { select.reset() }
    var texts: [String: Int64] = [:]
    while try select.step() { texts[select.text(0)] = select.integer(1) }
    return texts
  }

  private func text(_ file: ScriptFile) throws -> Int64 {
    let find = try statement("SELECT id FROM script_texts WHERE digest = ?")
    find.bindBlob(1, file.digest)
    do {
      defer { find.reset() }
      if try find.step() { return find.integer(0) }
    }
    let insert = try statement("INSERT INTO script_texts (digest, text) VALUES (?, ?)")
    insert.bindBlob(1, file.digest)
    insert.bindBlob(2, file.bytes)
    try insert.run()
    return lastInsertedKey
  }
}

extension ReaderConnection {
  /// How many of the latest runs the medians are made of.
  private static let timed: Int64 = 2_000

  fileprivate func runsByVersion() throws -> [String: VersionRuns] {
    let select = try statement(
      """
      SELECT version, count(*), sum(status = 'failed'), sum(input_tokens), sum(output_tokens), total(cost_usd)
      FROM (
        SELECT version, status, input_tokens, output_tokens, cost_usd FROM runs ORDER BY seq DESC LIMIT ?)
      GROUP BY version
      """)
    defer { select.reset() }
    select.bind(1, Int64(VersionRuns.counted))
    var runs: [String: VersionRuns] = [:]
    while try select.step() {
      runs[select.text(0)] = VersionRuns(
        count: Int(select.integer(1)), failed: Int(select.integer(2)),
        usage: Usage(
          inputTokens: Int(select.integer(3)), outputTokens: Int(select.integer(4)),
          costUSD: select.double(5)))
    }
    for (version, times) in try times() {
      runs[version]?.medianMilliseconds = times.sorted()[times.count / 2]
    }
    return runs
  }

  private func times() throws -> [String: [Int]] {
    let select = try statement(
      """
      SELECT version, finished_at - started_at
      FROM (SELECT version, started_at, finished_at FROM runs ORDER BY seq DESC LIMIT ?)
      WHERE finished_at IS NOT NULL
      """)
    defer { select.reset() }
    select.bind(1, Self.timed)
    var times: [String: [Int]] = [:]
    while try select.step() { times[select.text(0), default: []].append(Int(select.integer(1))) }
    return times
  }
}

/// One row of `versions`.
private struct VersionRow {
  static let columns = "seq, id, loaded_at, file_count, changed_count"

  let seq: Int64
  private let id: String
  private let loadedAt: Timestamp
  private let fileCount: Int
  private let changedCount: Int

  init(_ row: SQLStatement) {
    seq = row.integer(0)
    id = row.text(1)
    loadedAt = Timestamp(milliseconds: row.integer(2))
    fileCount = Int(row.integer(3))
    changedCount = Int(row.integer(4))
  }

  func record(_ runs: [String: VersionRuns]) -> VersionRecord {
    VersionRecord(
      id: id, loadedAt: loadedAt, fileCount: fileCount, changedCount: changedCount,
      runs: runs[id] ?? VersionRuns())
  }
}
