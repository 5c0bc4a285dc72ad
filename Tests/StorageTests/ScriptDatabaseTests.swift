// SPDX-License-Identifier: Apache-2.0
import Core
import Storage
import Testing

let todos = "tools/todos.lua"
let notes = "tools/notes.lua"

@Suite("The scripts' database")
struct ScriptDatabaseTests {
  @Test("rows come back with their columns and types")
  func types() async throws {
    try await withScriptDatabase { database in
      try await database.migrate(owner: todos, schema: "CREATE TABLE v (a, b, c, d, e)")
      let values: [DatabaseValue] = [
        .integer(.max), .real(1.5), .text("a\u{0}ö"), .blob([0, 255]), .null,
      ]
      _ = try await database.execute(owner: todos, "INSERT INTO v VALUES (?, ?, ?, ?, ?)", values)
      let rows = try await database.query(owner: todos, "SELECT * FROM v", [])
      #expect(rows.columns == ["a", "b", "c", "d", "e"])
      #expect(rows.rows == [values])
    }
  }

  @Test("empty texts and blobs are not null")
  func empty() async throws {
    try await withScriptDatabase { database in
      let rows = try await database.query(owner: todos, "SELECT ?, ?", [.text(""), .blob([])])
      #expect(rows.rows == [[.text(""), .blob([])]])
    }
  }

  @Test("a change tells its rows and the last key, and returning gives rows")
  func change() async throws {
    try await withTodos { database in
      let (change, rows) = try await database.execute(
        owner: todos, "INSERT INTO todos (title) VALUES (?), (?) RETURNING id, title",
        [.text("a"), .text("b")])
      #expect(change == DatabaseChange(changes: 2, lastInsertID: 2))
      #expect(rows.rows == [[.integer(1), .text("a")], [.integer(2), .text("b")]])
      let (none, _) = try await database.execute(owner: todos, "DELETE FROM todos WHERE id = 99", [])
      #expect(none.changes == 0)
    }
  }

  @Test("a statement that is used again takes new parameters")
  func cachedStatement() async throws {
    try await withTodos { database in
      for number in 0..<200 {
        let rows = try await database.query(owner: todos, "SELECT ?1 + ?1", [.integer(Int64(number))])
        #expect(rows.rows == [[.integer(Int64(number * 2))]])
      }
    }
  }

  @Test("a schema runs once per text, and a new text runs again")
  func migrateOnce() async throws {
    try await withTodos { database in
      try await database.migrate(owner: todos, schema: todosSchema)
      let more =
        todosSchema.replacing("CREATE TABLE", with: "CREATE TABLE IF NOT EXISTS") + "; CREATE TABLE more (x)"
      try await database.migrate(owner: todos, schema: more)
      _ = try await database.execute(owner: todos, "INSERT INTO more VALUES (1)", [])
    }
  }

  @Test("a schema that fails leaves nothing behind")
  func failedMigration() async throws {
    try await withScriptDatabase { database in
      let refused = try await failure {
        try await database.migrate(owner: todos, schema: "CREATE TABLE a (x); CREATE TABLE b (")
      }
      #expect(refused.code == .invalidArguments)
      let rows = try await database.query(
        owner: todos, "SELECT count(*) FROM sqlite_master WHERE name = 'a'", [])
      #expect(rows.rows == [[.integer(0)]])
    }
  }

  @Test("ownership and schemas outlast a restart")
  func reopen() async throws {
    try await withDirectory { directory in
      let first = try await SQLiteScriptDatabase.open(directory: directory)
      try await first.migrate(owner: todos, schema: todosSchema)
      await first.close()
      let second = try await SQLiteScriptDatabase.open(directory: directory)
      try await second.migrate(owner: todos, schema: todosSchema)
      _ = try await second.execute(owner: todos, "INSERT INTO todos (title) VALUES ('a')", [])
      let refused = try await failure { try await second.execute(owner: notes, "DELETE FROM todos", []) }
      #expect(refused.code == .denied)
      await second.close()
    }
  }

  @Test("a schema may change its own tables: rename, add and drop columns, drop, index, trigger, view")
  func alter() async throws {
    try await withTodos { database in
      try await database.migrate(
        owner: todos,
        schema: """
          ALTER TABLE todos RENAME TO tasks;
          ALTER TABLE tasks ADD COLUMN due INTEGER; -- a comment
          ALTER TABLE tasks RENAME COLUMN due TO due_at;
          ALTER TABLE tasks DROP COLUMN due_at;
          CREATE INDEX tasks_by_title ON tasks (title);
          CREATE TABLE log (text);
          CREATE TRIGGER logged AFTER INSERT ON tasks BEGIN INSERT INTO log VALUES (new.title); END;
          CREATE VIEW titles AS SELECT title FROM tasks;
          CREATE TABLE gone (id INTEGER PRIMARY KEY AUTOINCREMENT);
          DROP TABLE gone;
          """)
      _ = try await database.execute(owner: todos, "INSERT INTO tasks (title) VALUES ('a')", [])
      let rows = try await database.query(owner: notes, "SELECT text, title FROM log, titles", [])
      #expect(rows.rows == [[.text("a"), .text("a")]])
      let old = try await failure { try await database.query(owner: todos, "SELECT * FROM todos", []) }
      #expect(old.code == .invalidArguments)
    }
  }

  @Test("full text search works and belongs to its owner")
  func fullText() async throws {
    try await withScriptDatabase { database in
      try await database.migrate(owner: notes, schema: "CREATE VIRTUAL TABLE texts USING fts5 (body)")
      _ = try await database.execute(owner: notes, "INSERT INTO texts VALUES ('the quick fox'), ('dog')", [])
      let rows = try await database.query(
        owner: todos,
        "SELECT highlight(texts, 0, '[', ']') FROM texts WHERE texts MATCH ? ORDER BY bm25(texts)",
        [.text("quick")])
      #expect(rows.rows == [[.text("the [quick] fox")]])
      let foreign = try await failure {
        try await database.execute(owner: todos, "INSERT INTO texts VALUES ('x')", [])
      }
      #expect(foreign.code == .denied)
      // Not even its owner may write to its insides.
      let inside = try await failure {
        try await database.execute(owner: notes, "DELETE FROM texts_data", [])
      }
      #expect(inside == Failure(.invalidArguments, "table texts_data may not be modified"))
      _ = try await database.query(owner: notes, "SELECT * FROM texts", [])
    }
  }

  @Test("common SQL is allowed: tables of one query, recursion, JSON, windows, dates")
  func language() async throws {
    try await withTodos { database in
      for sql in [
        "WITH x AS (SELECT 1) SELECT count(*) FROM x",
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 9) SELECT sum(i) FROM n",
        "SELECT value, json_extract('{\"a\":1}', '$.a'), '{\"a\":1}' ->> 'a' FROM json_each('[1,2]')",
        "SELECT row_number() OVER (ORDER BY id), title LIKE 'a%' FROM todos",
        "SELECT date('now'), strftime('%Y', 'now'), lower('A'), coalesce(NULL, 1), CAST('1' AS INTEGER)",
        "SELECT t.* FROM todos AS t, todos AS u WHERE t.id IN (SELECT id FROM todos)",
        "SELECT name FROM sqlite_master", "EXPLAIN QUERY PLAN SELECT * FROM todos", "VALUES (1), (2)",
        "SELECT 1; -- the end",
      ] {
        _ = try await database.query(owner: todos, sql, [])
      }
    }
  }

  @Test("constraints are conflicts, and mistakes name what SQLite says")
  func errors() async throws {
    try await withTodos { database in
      let twice = "INSERT INTO todos (id, title) VALUES (1, 'a'), (1, 'b')"
      let conflict = try await failure { try await database.execute(owner: todos, twice, []) }
      #expect(conflict == Failure(.conflict, "UNIQUE constraint failed: todos.id"))
      let null = try await failure {
        try await database.execute(owner: todos, "INSERT INTO todos DEFAULT VALUES", [])
      }
      #expect(null.code == .conflict)
      let syntax = try await failure { try await database.query(owner: todos, "SELEC 1", []) }
      #expect(syntax == Failure(.invalidArguments, "near \"SELEC\": syntax error"))
      let table = try await failure { try await database.query(owner: todos, "SELECT * FROM missing", []) }
      #expect(table == Failure(.invalidArguments, "no such table: missing"))
      let quotes = try await failure { try await database.query(owner: todos, "SELECT \"missing\"", []) }
      #expect(quotes.code == .invalidArguments)
    }
  }

  @Test("a number of parameters that does not fit is refused", arguments: [0, 1, 3])
  func parameters(count: Int) async throws {
    try await withScriptDatabase { database in
      let values = [DatabaseValue](repeating: .integer(1), count: count)
      let refused = try await failure { try await database.query(owner: todos, "SELECT ?, ?", values) }
      #expect(refused.code == .invalidArguments)
    }
  }

  @Test("queries run beside an open transaction and do not see it")
  func readers() async throws {
    try await withTodos { database in
      let transaction = try await database.begin()
      _ = try await transaction.execute(owner: todos, "INSERT INTO todos (title) VALUES ('a')", [])
      let counting = "SELECT count(*) FROM todos"
      #expect(try await database.query(owner: todos, counting, []).rows == [[.integer(0)]])
      #expect(try await transaction.query(owner: todos, counting, []).rows == [[.integer(1)]])
      try await transaction.commit()
      #expect(try await database.query(owner: todos, counting, []).rows == [[.integer(1)]])
    }
  }

  @Test("a closed database fails, and does not hang")
  func closed() async throws {
    try await withScriptDatabase { database async throws in
      await database.close()
      #expect(try await failure { try await database.query(owner: todos, "SELECT 1", []) }.code == .internal)
      #expect(try await failure { try await database.begin() }.code == .internal)
    }
  }
}

let todosSchema = "CREATE TABLE todos (id INTEGER PRIMARY KEY, title TEXT NOT NULL, open INTEGER DEFAULT 1)"

func withTodos(
  limits: ScriptDatabaseLimits = ScriptDatabaseLimits(), _ body: (SQLiteScriptDatabase) async throws -> Void
) async throws {
  try await withScriptDatabase(limits: limits) { database in
    try await database.migrate(owner: todos, schema: todosSchema)
    try await body(database)
  }
}
