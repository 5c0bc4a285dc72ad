// SPDX-License-Identifier: Apache-2.0
import Core
import GRDBSQLite

/// Who owns what in the workspace's database, as its file records it.
struct ScriptCatalog: Sendable {
  var ownership: ScriptPolicy.Ownership = [:]
  /// The schema that each owner ran last.
  var schemas: [String: String] = [:]
}

extension ScriptConnection {
  /// Version of our own tables in the file, kept as its `user_version`.
  static let version: Int64 = 1

  /// Makes our own tables where they are missing and reads them.
  func loadCatalog() throws -> ScriptCatalog {
    try runOwn("BEGIN IMMEDIATE")
    do {
      let version = try rows("PRAGMA user_version") { $0.integer(0) }.first ?? 0
      guard version <= Self.version else {
        throw Failure(.internal, "the workspace's database was written by a newer version of Perigee")
      }
      try runOwn(
        """
        CREATE TABLE IF NOT EXISTS _perigee_tables (
          name TEXT PRIMARY KEY NOT NULL, owner TEXT NOT NULL) STRICT, WITHOUT ROWID;
        CREATE TABLE IF NOT EXISTS _perigee_schemas (
          owner TEXT PRIMARY KEY NOT NULL, text TEXT NOT NULL) STRICT, WITHOUT ROWID;
        PRAGMA user_version = \(Self.version);
        """)
      var catalog = ScriptCatalog()
      for name in try tableNames() { catalog.ownership[name] = "" }
      for (name, owner) in try rows("SELECT name, owner FROM _perigee_tables", { ($0.text(0), $0.text(1)) }) {
        if catalog.ownership[name] != nil { catalog.ownership[name] = owner }
      }
      for (owner, text) in try rows("SELECT owner, text FROM _perigee_schemas", { ($0.text(0), $0.text(1)) })
      {
        catalog.schemas[owner] = text
      }
      try runOwn("COMMIT")
      return catalog
    } catch {
      if isInTransaction { try? runOwn("ROLLBACK") }
      throw error
    }
  }

  /// Runs the statements of a schema in one transaction and records what they made; the catalog afterwards.
  func migrate(
    _ catalog: ScriptCatalog, owner: String, schema: String, cancellation: CancellationFlag
  ) throws -> ScriptCatalog {
    forgetStatements()
    return try withFailures {
      try migrateInTransaction(catalog, owner: owner, schema: schema, cancellation: cancellation)
    }
  }

  private func migrateInTransaction(
    _ catalog: ScriptCatalog, owner: String, schema: String, cancellation: CancellationFlag
  ) throws -> ScriptCatalog {
    try runOwn("BEGIN IMMEDIATE")
    do {
      try runSchema(schema, owner: owner, ownership: catalog.ownership, cancellation: cancellation)
      var result = ScriptCatalog(ownership: [:], schemas: catalog.schemas)
      for name in try tableNames() { result.ownership[name] = catalog.ownership[name] ?? owner }
      result.schemas[owner] = schema
      try checkReferences(of: owner, result.ownership)
      try record(result, owner: owner)
      try runOwn("COMMIT")
      return result
    } catch {
      if isInTransaction { try? runOwn("ROLLBACK") }
      throw error
    }
  }

  private func runSchema(
    _ schema: String, owner: String, ownership: ScriptPolicy.Ownership, cancellation: CancellationFlag
  ) throws {
    watch.begin(
      deadline: ContinuousClock.now + limits.migrationTime, overrun: .time(limits.migrationTime),
      cancellation: cancellation)
    watch.policy.access = .migrate
    watch.policy.owner = owner
    watch.policy.ownership = ownership
    defer { watch.end() }
    try withFailures {
      var text = ScriptText(schema)
      while let statement = try text.prepareNext(on: handle, isPersistent: false) {
        defer { sqlite3_finalize(statement.pointer) }
        try statement.run()
        watch.policy.isChangingSchema = false
      }
    }
  }

  /// A foreign key is a hold on the table that it names: only the owner may take it.
  private func checkReferences(of owner: String, _ ownership: ScriptPolicy.Ownership) throws {
    let references = try rows(
      """
      SELECT m.name, f."table" FROM sqlite_master AS m, pragma_foreign_key_list(m.name) AS f
      WHERE m.type = 'table'
      """
    ) { (child: $0.text(0), parent: $0.text(1)) }
    for (child, parent) in references where ownership[child.asciiLowercased] == owner {
      let parentOwner = ownership[parent.asciiLowercased]
      if parentOwner != owner {
        let whose = parentOwner.map { $0.isEmpty ? "belongs to no tools file" : "belongs to \($0)" }
        throw Failure(
          .denied, "table '\(child)' references table '\(parent)', which \(whose ?? "does not exist")")
      }
    }
  }

  private func record(_ catalog: ScriptCatalog, owner: String) throws {
    try run("DELETE FROM _perigee_tables WHERE owner = ?", owner)
    for (name, tableOwner) in catalog.ownership where tableOwner == owner {
      try run("INSERT OR REPLACE INTO _perigee_tables VALUES (?, ?)", name, owner)
    }
    try run("INSERT OR REPLACE INTO _perigee_schemas VALUES (?, ?)", owner, catalog.schemas[owner] ?? "")
  }

  /// Tables and views of scripts, in lower case.
  private func tableNames() throws -> [String] {
    try rows("SELECT name FROM sqlite_master WHERE type IN ('table', 'view')") { $0.text(0).asciiLowercased }
      .filter { !$0.hasPrefix("sqlite_") && !$0.hasPrefix(ScriptPolicy.reservedPrefix) }
  }

  func rows<Row>(_ sql: String, _ read: (SQLStatement) -> Row) throws -> [Row] {
    var text = ScriptText(sql)
    guard let statement = try text.prepareNext(on: handle, isPersistent: false) else { return [] }
    defer { sqlite3_finalize(statement.pointer) }
    var rows: [Row] = []
    while try statement.step() { rows.append(read(statement)) }
    return rows
  }

  private func run(_ sql: String, _ parameters: String...) throws {
    var text = ScriptText(sql)
    guard let statement = try text.prepareNext(on: handle, isPersistent: false) else { return }
    defer { sqlite3_finalize(statement.pointer) }
    for (index, value) in parameters.enumerated() { statement.bind(Int32(index + 1), value) }
    try statement.run()
  }
}
