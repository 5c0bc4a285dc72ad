// SPDX-License-Identifier: Apache-2.0
import Core
import Storage
import Testing

@Suite("Transactions of scripts")
struct ScriptTransactionTests {
  @Test("a commit keeps, a rollback undoes")
  func ends() async throws {
    try await withTodos { database in
      let kept = try await database.begin()
      _ = try await kept.execute(owner: todos, insert, [.text("kept")])
      try await kept.commit()
      let undone = try await database.begin()
      _ = try await undone.execute(owner: todos, insert, [.text("undone")])
      await undone.rollback()
      #expect(try await titles(database) == ["kept"])
    }
  }

  @Test("an ended transaction takes nothing more")
  func ended() async throws {
    try await withTodos { database in
      let transaction = try await database.begin()
      try await transaction.commit()
      #expect(
        try await failure { try await transaction.execute(owner: todos, insert, [.text("x")]) }.code
          == .invalidArguments)
      #expect(try await failure { try await transaction.commit() }.code == .invalidArguments)
      await transaction.rollback()
      #expect(try await titles(database).isEmpty)
    }
  }

  @Test("a dropped transaction is rolled back and frees the writer", .timeLimit(.minutes(5)))
  func dropped() async throws {
    try await withTodos { database in
      do {
        let transaction = try await database.begin()
        _ = try await transaction.execute(owner: todos, insert, [.text("dropped")])
      }
      _ = try await database.execute(owner: todos, insert, [.text("next")])
      #expect(try await titles(database) == ["next"])
    }
  }

  @Test(
    "a transaction that is open for too long is rolled back and frees the writer", .timeLimit(.minutes(5)))
  func timeout() async throws {
    let limits = ScriptDatabaseLimits(transactionTime: .milliseconds(50))
    try await withTodos(limits: limits) { database in
      let slow = try await database.begin()
      _ = try? await slow.execute(owner: todos, insert, [.text("slow")])
      let next = try await database.begin()
      await next.rollback()
      let late = try await failure { try await slow.execute(owner: todos, insert, [.text("late")]) }
      #expect(late.code == .timeout)
      #expect(try await failure { try await slow.commit() }.code == .timeout)
      #expect(try await titles(database).isEmpty)
    }
  }

  @Test("an endless statement ends with its transaction's time", .timeLimit(.minutes(5)))
  func endlessStatement() async throws {
    let limits = ScriptDatabaseLimits(transactionTime: .milliseconds(50))
    try await withTodos(limits: limits) { database in
      let transaction = try await database.begin()
      let stopped = try await failure {
        try await transaction.query(owner: todos, ScriptAttackTests.endless, [])
      }
      #expect(stopped.code == .timeout)
      _ = try await database.execute(owner: todos, insert, [.text("next")])
    }
  }

  @Test("a statement that fails leaves the rest of the transaction")
  func failedStatement() async throws {
    try await withTodos { database in
      let transaction = try await database.begin()
      _ = try await transaction.execute(owner: todos, insert, [.text("a")])
      let conflict = try await failure {
        try await transaction.execute(
          owner: todos, "INSERT INTO todos (id, title) VALUES (7, 'b'), (1, 'c')", [])
      }
      #expect(conflict.code == .conflict)
      let syntax = try await failure { try await transaction.execute(owner: todos, "COMMIT", []) }
      #expect(syntax.code == .denied)
      try await transaction.commit()
      #expect(try await titles(database) == ["a"])
    }
  }

  @Test("a commit that breaks a reference is a conflict and keeps nothing")
  func deferredConstraint() async throws {
    try await withScriptDatabase { database in
      try await database.migrate(
        owner: todos,
        schema: """
          CREATE TABLE parents (id INTEGER PRIMARY KEY);
          CREATE TABLE children (parent REFERENCES parents (id) DEFERRABLE INITIALLY DEFERRED);
          """)
      let transaction = try await database.begin()
      _ = try await transaction.execute(owner: todos, "INSERT INTO children VALUES (1)", [])
      #expect(try await failure { try await transaction.commit() }.code == .conflict)
      let single = try await failure {
        try await database.execute(owner: todos, "INSERT INTO children VALUES (1)", [])
      }
      #expect(single.code == .conflict)
      #expect(try await database.query(owner: todos, "SELECT * FROM children", []).rows.isEmpty)
    }
  }

  @Test("writers wait for an open transaction, first come first served")
  func order() async throws {
    try await withTodos { database in
      let transaction = try await database.begin()
      let log = Log()
      try await withThrowingTaskGroup { group in
        group.addTask {
          _ = try await database.execute(owner: todos, insert, [.text("waited")])
          await log.add("write")
        }
        _ = try await transaction.execute(owner: todos, insert, [.text("first")])
        await log.add("commit")
        try await transaction.commit()
        try await group.waitForAll()
      }
      #expect(await log.lines == ["commit", "write"])
      #expect(try await titles(database) == ["first", "waited"])
    }
  }

  @Test("a cancelled wait for the writer ends, and the next one is served")
  func cancelledWait() async throws {
    try await withTodos { database in
      let transaction = try await database.begin()
      let waiting = Task { try await database.begin() }
      waiting.cancel()
      await #expect(throws: CancellationError.self) { _ = try await waiting.value }
      await transaction.rollback()
      let next = try await database.begin()
      await next.rollback()
    }
  }

  @Test("counters that are read and written in transactions lose no update")
  func lostUpdates() async throws {
    try await withScriptDatabase { database in
      try await database.migrate(
        owner: todos, schema: "CREATE TABLE counter (n INTEGER); INSERT INTO counter VALUES (0)")
      try await withThrowingTaskGroup { group in
        for _ in 0..<30 {
          group.addTask {
            let transaction = try await database.begin()
            let rows = try await transaction.query(owner: todos, "SELECT n FROM counter", []).rows
            guard case .integer(let count)? = rows.first?.first else { return }
            _ = try await transaction.execute(owner: todos, "UPDATE counter SET n = ?", [.integer(count + 1)])
            try await transaction.commit()
          }
        }
        try await group.waitForAll()
      }
      let rows = try await database.query(owner: todos, "SELECT n FROM counter", []).rows
      #expect(rows == [[.integer(30)]])
    }
  }

  @Test("a transaction that was open when the process ended is not there when the file is opened again")
  func openAtTheEnd() async throws {
    try await withDirectory { directory in
      let limits = ScriptDatabaseLimits(transactionTime: .seconds(2))
      let first = try await SQLiteScriptDatabase.open(directory: directory, limits: limits)
      try await first.migrate(owner: todos, schema: todosSchema)
      _ = try await first.execute(owner: todos, insert, [.text("kept")])
      let open = try await first.begin()
      _ = try await open.execute(owner: todos, insert, [.text("lost")])
      // A copy of the files is what a killed process leaves.
      let second = try await SQLiteScriptDatabase.open(directory: try copy(of: directory))
      #expect(try await titles(second) == ["kept"])
      _ = try await second.execute(owner: todos, insert, [.text("next")])
      #expect(try await titles(second) == ["kept", "next"])
      await second.close()
      await open.rollback()
      await first.close()
    }
  }

  private let insert = "INSERT INTO todos (title) VALUES (?)"

  private func titles(_ database: SQLiteScriptDatabase) async throws -> [String] {
    try await database.query(owner: todos, "SELECT title FROM todos ORDER BY id", []).rows.compactMap {
      if case .text(let title)? = $0.first { title } else { nil }
    }
  }

  private actor Log {
    private(set) var lines: [String] = []
    func add(_ line: String) { lines.append(line) }
  }
}
