// SPDX-License-Identifier: Apache-2.0
import Core
import Storage
import Testing

@Suite("Hostile SQL")
struct ScriptAttackTests {
  static let endless =
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"

  @Test(
    "what reaches out of the file or changes the connection is denied",
    arguments: [
      "ATTACH DATABASE '/nowhere/x.sqlite' AS x", "DETACH DATABASE main",
      "PRAGMA journal_mode = DELETE", "PRAGMA writable_schema = 1", "PRAGMA table_info(todos)",
      "SELECT * FROM pragma_table_info('todos')", "SELECT * FROM pragma_database_list",
      "SELECT load_extension('/nowhere/x.so')", "SELECT sqlite_compileoption_get(0)",
      "BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT s", "ANALYZE", "REINDEX",
      "CREATE TEMP TABLE t (x)", "CREATE TABLE temp.t (x)", "CREATE TABLE t (x)", "CREATE VIEW v AS SELECT 1",
      "CREATE INDEX i ON todos (title)", "DROP TABLE todos", "ALTER TABLE todos RENAME TO x",
      "CREATE TRIGGER t AFTER INSERT ON todos BEGIN SELECT 1; END",
      "CREATE VIRTUAL TABLE t USING fts5 (x)",
      "CREATE TEMP TRIGGER t AFTER INSERT ON todos BEGIN SELECT 1; END",
      "SELECT * FROM _perigee_tables", "SELECT count(*) FROM _PERIGEE_TABLES", "DELETE FROM _perigee_tables",
      "WITH x AS (SELECT * FROM _perigee_schemas) SELECT count(*) FROM x",
      "SELECT (SELECT text FROM _perigee_schemas LIMIT 1)", "SELECT * FROM sqlite_stat1",
    ])
  func denied(sql: String) async throws {
    try await withTodos { database in
      for attempt in [
        try await failure { try await database.execute(owner: todos, sql, []) },
        try await failure { try await database.query(owner: todos, sql, []) },
      ] {
        let isAbsent =
          attempt.message.hasPrefix("no such table") || attempt.message.hasPrefix("no such function")
        #expect(attempt.code == .denied || isAbsent, "\(attempt)")
      }
      _ = try await database.execute(owner: todos, "INSERT INTO todos (title) VALUES ('still works')", [])
    }
  }

  @Test("the file cannot be copied or rebuilt", arguments: ["VACUUM", "VACUUM INTO 'x.sqlite'"])
  func vacuum(sql: String) async throws {
    try await withTodos { database async throws in
      for attempt in [
        try await failure { try await database.execute(owner: todos, sql, []) },
        try await failure { try await database.query(owner: todos, sql, []) },
      ] {
        // In the writer's transaction SQLite refuses it before it asks us.
        #expect(attempt.code == .denied || attempt.message == "cannot VACUUM from within a transaction")
      }
    }
  }

  @Test(
    "one statement at a time",
    arguments: [
      "SELECT 1; SELECT 2", "INSERT INTO todos (title) VALUES ('a'); DROP TABLE todos", "SELECT 1; garbage",
      "SELECT 1;; SELECT 2", "SELECT 1 /* */ ; /* */ SELECT 2",
    ])
  func oneStatement(sql: String) async throws {
    try await withTodos { database in
      let refused = try await failure { try await database.execute(owner: todos, sql, []) }
      #expect(refused == Failure(.invalidArguments, "only one statement at a time"))
      #expect(try await database.query(owner: todos, "SELECT * FROM todos", []).rows.isEmpty)
    }
  }

  @Test(
    "a text without a statement, or with a zero byte, is refused",
    arguments: ["", " ; ", "-- x", "SELECT 1\u{0}"])
  func noStatement(sql: String) async throws {
    try await withScriptDatabase { database async throws in
      #expect(try await failure { try await database.query(owner: todos, sql, []) }.code == .invalidArguments)
    }
  }

  @Test(
    "a query never writes",
    arguments: [
      "INSERT INTO todos (title) VALUES ('a')", "INSERT INTO todos (title) VALUES ('a') RETURNING id",
      "WITH x AS (SELECT 'a' AS t) INSERT INTO todos (title) SELECT t FROM x", "UPDATE todos SET title = 'x'",
      "DELETE FROM todos", "REPLACE INTO todos (id, title) VALUES (1, 'x')",
    ])
  func queryWrites(sql: String) async throws {
    try await withTodos { database in
      let refused = try await failure { try await database.query(owner: todos, sql, []) }
      #expect(refused == Failure(.denied, "a query only reads; use db.exec to write"))
      let transaction = try await database.begin()
      #expect(try await failure { try await transaction.query(owner: todos, sql, []) }.code == .denied)
      await transaction.rollback()
    }
  }

  @Test(
    "a file writes to no table of another",
    arguments: [
      "INSERT INTO todos (title) VALUES ('x')", "UPDATE todos SET title = 'x'", "DELETE FROM todos",
      "WITH x AS (SELECT 1) DELETE FROM todos", "UPDATE TODOS SET title = 'x' RETURNING title",
      "INSERT INTO open_todos VALUES ('x')", "INSERT INTO \"todos\" (title) SELECT 'x' FROM notes",
    ])
  func foreignWrites(sql: String) async throws {
    try await withTwoFiles { database in
      let refused = try await failure { try await database.execute(owner: notes, sql, []) }
      #expect(refused.code == .denied)
      #expect(refused.message.hasSuffix("belongs to tools/todos.lua"))
    }
  }

  @Test(
    "a schema touches no table of another file, and says whose it is",
    arguments: [
      "CREATE TABLE IF NOT EXISTS todos (x)", "DROP TABLE todos", "DROP VIEW open_todos",
      "ALTER TABLE todos ADD COLUMN x", "ALTER TABLE notes RENAME TO x; ALTER TABLE todos RENAME TO notes",
      "CREATE INDEX i ON todos (title)", "DROP INDEX todos_by_title", "DELETE FROM todos",
      "CREATE TRIGGER t AFTER INSERT ON todos BEGIN DELETE FROM notes; END", "DROP TRIGGER add_open",
      "CREATE TABLE x (id REFERENCES todos (id) ON DELETE CASCADE)", "CREATE VIEW ToDos AS SELECT 1",
      "CREATE TABLE x (y); INSERT INTO x SELECT title FROM todos; DELETE FROM todos",
    ])
  func foreignSchema(schema: String) async throws {
    try await withTwoFiles { database in
      let refused = try await failure { try await database.migrate(owner: notes, schema: schema) }
      #expect(refused.code == .denied)
      #expect(refused.message.hasSuffix("belongs to tools/todos.lua"))
      let rows = try await database.query(owner: todos, "SELECT title FROM todos", [])
      #expect(rows.rows == [[.text("mine")]])
    }
  }

  @Test(
    "a schema may not do what a statement may not",
    arguments: [
      "CREATE TABLE _perigee_x (x)", "DROP TABLE _perigee_tables", "DELETE FROM _perigee_tables",
      "CREATE TABLE x AS SELECT * FROM _perigee_schemas", "PRAGMA foreign_keys = OFF", "COMMIT",
      "ATTACH DATABASE '/nowhere/x.sqlite' AS x", "CREATE TEMP TABLE x (y)", "DELETE FROM sqlite_sequence",
      "CREATE VIRTUAL TABLE x USING rtree (a, b, c)", "CREATE TABLE x (id REFERENCES not_there_yet (id))",
    ])
  func deniedSchema(schema: String) async throws {
    try await withTodos { database in
      try await database.migrate(
        owner: notes, schema: "CREATE TABLE n (id INTEGER PRIMARY KEY AUTOINCREMENT)")
      let refused = try await failure { try await database.migrate(owner: notes, schema: schema) }
      #expect(refused.code == .denied)
    }
  }

  @Test("a schema cannot edit SQLite's own table")
  func schemaTable() async throws {
    try await withTodos { database in
      _ = try await failure {
        try await database.migrate(owner: notes, schema: "UPDATE sqlite_master SET sql = 'x'")
      }
      _ = try await failure {
        try await database.migrate(owner: notes, schema: "CREATE TABLE x (y); DELETE FROM sqlite_master")
      }
      _ = try await database.query(owner: todos, "SELECT * FROM todos", [])
    }
  }

  @Test("a trigger or view of one's own is no way into another file's table")
  func throughOwnTrigger() async throws {
    try await withTwoFiles { database in
      try await database.migrate(
        owner: notes,
        schema: """
          CREATE TRIGGER steal AFTER INSERT ON notes BEGIN DELETE FROM todos; END;
          CREATE VIEW door AS SELECT title FROM todos;
          CREATE TRIGGER through INSTEAD OF DELETE ON door BEGIN DELETE FROM todos; END;
          CREATE VIEW peek AS SELECT * FROM _perigee_schemas;
          """)
      for sql in ["INSERT INTO notes VALUES ('x')", "DELETE FROM door"] {
        let refused = try await failure { try await database.execute(owner: notes, sql, []) }
        #expect(refused == Failure(.denied, "table 'todos' belongs to tools/todos.lua"))
      }
      let peek = try await failure { try await database.query(owner: notes, "SELECT * FROM peek", []) }
      #expect(peek.code == .denied)
    }
  }

  @Test("an endless statement is stopped, and the connection works on", .timeLimit(.minutes(5)))
  func endlessStatement() async throws {
    // Long enough for the honest statement at the end, on a machine that is busy.
    let limits = ScriptDatabaseLimits(statementTime: .seconds(3), migrationTime: .seconds(3))
    try await withTodos(limits: limits) { database in
      let read = try await failure { try await database.query(owner: todos, Self.endless, []) }
      #expect(read == Failure(.limit, "the statement took longer than 3 s"))
      let sql = "INSERT INTO todos (title) " + Self.endless.replacing("SELECT count(*)", with: "SELECT i")
      #expect(try await failure { try await database.execute(owner: todos, sql, []) }.code == .limit)
      let schema = "CREATE TABLE x AS " + Self.endless
      #expect(try await failure { try await database.migrate(owner: todos, schema: schema) }.code == .limit)
      #expect(try await database.query(owner: todos, "SELECT * FROM todos", []).rows.isEmpty)
    }
  }

  @Test("a cancelled task stops its statement", .timeLimit(.minutes(5)))
  func cancelledStatement() async throws {
    let limits = ScriptDatabaseLimits(statementTime: .seconds(3600))
    try await withTodos(limits: limits) { database in
      let tasks = (0..<6).map { number in
        Task {
          if number % 2 == 0 {
            _ = try await database.query(owner: todos, Self.endless, [])
          } else {
            _ = try await database.execute(owner: todos, Self.endless, [])
          }
        }
      }
      for task in tasks { task.cancel() }
      for task in tasks { await #expect(throws: CancellationError.self) { try await task.value } }
      _ = try await database.execute(owner: todos, "INSERT INTO todos (title) VALUES ('a')", [])
    }
  }

  @Test("rows and bytes of a result are limited, and a stopped change is undone")
  func results() async throws {
    try await withTodos(limits: ScriptDatabaseLimits(rowsMax: 3, resultBytesMax: 100)) { database in
      #expect(try await database.query(owner: todos, "VALUES (1), (2), (3)", []).rows.count == 3)
      let rows = try await failure { try await database.query(owner: todos, "VALUES (1), (2), (3), (4)", []) }
      #expect(rows.code == .limit)
      let bytes = try await failure { try await database.query(owner: todos, "SELECT zeroblob(101)", []) }
      #expect(bytes.code == .limit)
      let sql = "INSERT INTO todos (title) VALUES (1), (2), (3), (4) RETURNING id"
      #expect(try await failure { try await database.execute(owner: todos, sql, []) }.code == .limit)
      #expect(try await database.query(owner: todos, "SELECT * FROM todos", []).rows.isEmpty)
    }
  }

  @Test("a parameter has a size limit")
  func parameterSize() async throws {
    try await withTodos { database in
      let large = DatabaseValue.text(String(repeating: "x", count: 1_000_001))
      let refused = try await failure { try await database.query(owner: todos, "SELECT ?", [large]) }
      #expect(refused.code == .limit)
    }
  }

  @Test(
    "texts, statements and expressions have a size limit",
    arguments: [
      "SELECT zeroblob(2000000)", "SELECT '" + String(repeating: "x", count: 300_000) + "'",
      "SELECT " + String(repeating: "(", count: 500) + "1" + String(repeating: ")", count: 500),
      "SELECT 1" + String(repeating: " UNION SELECT 1", count: 100),
      "SELECT 1" + String(repeating: " + 1", count: 1000),
    ])
  func sizes(sql: String) async throws {
    try await withTodos { database in
      let refused = try await failure { try await database.query(owner: todos, sql, []) }
      #expect(refused.code == .limit || refused.code == .invalidArguments)
    }
  }

  @Test("views of views of views are refused before they explode", .timeLimit(.minutes(5)))
  func viewBomb() async throws {
    let limits = ScriptDatabaseLimits(statementTime: .milliseconds(500))
    try await withTodos(limits: limits) { database in
      var schema = "CREATE VIEW v0 AS SELECT title FROM todos;"
      for level in 1...30 {
        schema += "CREATE VIEW v\(level) AS SELECT * FROM v\(level - 1) UNION SELECT * FROM v\(level - 1);"
      }
      try await database.migrate(owner: notes, schema: schema)
      let refused = try await failure { try await database.query(owner: notes, "SELECT * FROM v30", []) }
      #expect(refused.code == .limit || refused.code == .invalidArguments)
    }
  }

  private func withTwoFiles(_ body: (SQLiteScriptDatabase) async throws -> Void) async throws {
    try await withTodos { database in
      try await database.migrate(
        owner: todos,
        schema: """
          CREATE INDEX todos_by_title ON todos (title);
          CREATE VIEW open_todos AS SELECT title FROM todos WHERE open;
          CREATE TRIGGER add_open INSTEAD OF INSERT ON open_todos
            BEGIN INSERT INTO todos (title) VALUES (new.title); END;
          INSERT INTO open_todos VALUES ('mine');
          """)
      try await database.migrate(owner: notes, schema: "CREATE TABLE notes (text)")
      try await body(database)
    }
  }
}
