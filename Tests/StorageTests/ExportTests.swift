// SPDX-License-Identifier: Apache-2.0
import Core
import GRDB
import JSONCodec
import Testing

@testable import Storage

@Suite("Exporting a user's data", .timeLimit(.minutes(2)))
struct ExportTests {
  @Test("25,000 rows of each kind come whole, each once and in order, among those of others")
  func big() async throws {
    try await withDirectory { directory in
      let store = try await SQLiteStore.open(directory: directory, synchronous: .normal)
      // One conversation, run and scope with most of it, so that pages end and go on within.
      try runSQL(directory + "/" + SQLiteStore.fileName, Self.rows)
      let document = try await Self.export(store, of: "ann")
      let count = 25_000
      let numbers = (1...count).map { JSON.integer(Int64($0)) }
      #expect(try #require(document["tool_calls"]?.array).compactMap { $0["arguments"]?["n"] } == numbers)
      #expect(try #require(document["journal"]?.array).compactMap { $0["arguments"]?["n"] } == numbers)
      let texts = try #require(document["messages"]?.array).compactMap { $0["content"]?.string }
      #expect(texts == (1...count).map(String.init))
      #expect(try #require(document["events"]?.array).compactMap { $0["data"]?["n"] } == numbers)
      let sessions = try #require(document["sessions"]?.array).compactMap { $0["id"]?.string }
      #expect(sessions == (1...count).map { "s\($0)" })
      let values = try #require(document["values"]?.array)
      #expect(values.compactMap { $0["value"]?["n"] } == numbers)
      #expect(values.first?["session_id"] == "s1" && values.last?["session_id"] == .null)
      let keys = try #require(document["idempotency_keys"]?.array).compactMap { $0["key"]?.string }
      #expect(keys == (1...count).map { "k\(100_000 + $0)" })
      try await store.close()
    }
  }

  @Test(
    "no list is sorted, counted or looked through anew for a page", arguments: ExportedList.all.map(\.name))
  func plan(name: String) async throws {
    try await withDirectory { directory in
      try await SQLiteStore.open(directory: directory).close()
      let queue = try DatabaseQueue(path: directory + "/" + SQLiteStore.fileName)
      let list = try #require(ExportedList.all.first { $0.name == name })
      let steps = try await queue.read { database in
        let explain = try database.makeStatement(sql: "EXPLAIN QUERY PLAN " + list.sql)
        explain.setUncheckedArguments(StatementArguments())
        return try Row.fetchAll(explain).map { $0["detail"] as String }
      }
      #expect(!steps.isEmpty)
      #expect(!steps.contains { $0.hasPrefix("SCAN") || $0.contains("TEMP B-TREE") }, "\(steps)")
      try queue.close()
    }
  }

  private static let rows = """
    CREATE TEMP TABLE numbers AS
    WITH RECURSIVE counted (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM counted WHERE n < 25000) SELECT n FROM counted;
    INSERT INTO users (id, created_at) VALUES ('ann', 1), ('ann2', 1);
    INSERT INTO sessions (id, user_id, name, title, created_at, updated_at, message_count)
    SELECT 2 * n, 'ann', 's' || n, 't', 1, 25001 - n, 0 FROM numbers
    UNION ALL SELECT 2 * n + 1, 'ann2', 's' || n, 't', 1, 1, 0 FROM numbers ORDER BY 1;
    INSERT INTO messages (key, id, run_id, is_answer, text, has_calls, created_at)
    SELECT (iif(n < 20000, 2, 4) << 24) + n, 'm' || n, 'r', 0, n, 0, 1 FROM numbers
    UNION ALL SELECT (3 << 24) + n, 'o' || n, 'o', 0, 'other', 0, 1 FROM numbers;
    INSERT INTO runs (seq, id, user_id, agent, version, status, started_at)
    SELECT n, 'r' || n, iif(n % 2, 'ann', 'ann2'), 'a', 'v', 'completed', 1 FROM numbers WHERE n < 10;
    INSERT INTO tool_calls (run_id, step, position, call_id, name, arguments, started_at, duration_ms)
    SELECT iif(n < 20000, 'r1', 'r3'), n / 7, n % 7, 'c', 't', CAST('{"n":' || n || '}' AS BLOB), 1, 1 FROM numbers
    UNION ALL SELECT 'r2', n, 0, 'c', 't', CAST('{"n":0}' AS BLOB), 1, 1 FROM numbers;
    INSERT INTO journal (run_id, number, key, name, digest, arguments, started_at, duration_ms)
    SELECT iif(n < 20000, 'r1', 'r3'), n - 1, 'k', 't', 1, CAST('{"n":' || n || '}' AS BLOB), 1, 1 FROM numbers
    UNION ALL SELECT 'r2', n, 'k', 't', 1, CAST('{"n":0}' AS BLOB), 1, 1 FROM numbers;
    INSERT INTO events (type, at, user_id, data)
    SELECT 't', 1, iif(half, 'ann', 'ann2'), CAST('{"n":' || n || '}' AS BLOB)
    FROM numbers, (SELECT 0 AS half UNION ALL SELECT 1);
    INSERT INTO kv (scope, key, value)
    SELECT CASE WHEN n < 5 THEN 'session:3:ann:s' || n WHEN n < 20000 THEN 'session:3:ann:s9' ELSE 'user:ann' END,
    100000 + n, CAST('{"n":' || n || '}' AS BLOB) FROM numbers
    UNION ALL SELECT 'session:4:ann2:s', n, CAST('0' AS BLOB) FROM numbers
    UNION ALL SELECT 'user:ann2', n, CAST('0' AS BLOB) FROM numbers;
    INSERT INTO idempotency_keys
    SELECT 'ann', 'k' || (100000 + n), x'', 'r', 1 FROM numbers UNION ALL SELECT 'ann2', n, x'', 'r', 1 FROM numbers;
    """

  private static func export(_ store: SQLiteStore, of userID: String) async throws -> JSON {
    var (bytes, place): ([UInt8], ExportPlace?) = ([], ExportPlace())
    while let from = place {
      let piece = try await store.exportPiece(of: userID, from: from)
      bytes += piece.bytes
      place = piece.next
    }
    return try JSON(parsing: bytes)
  }
}
