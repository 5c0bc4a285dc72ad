// SPDX-License-Identifier: Apache-2.0
import Core
import Foundation
import GRDBSQLite
import JSONCodec
import Storage
import Synchronization
import Testing

/// A directory of the test's own, deleted afterwards.
func withDirectory<Result>(_ body: (String) async throws -> Result) async throws -> Result {
  let url = FileManager.default.temporaryDirectory.appending(path: "perigee-storage-" + UUID().uuidString)
  defer { try? FileManager.default.removeItem(at: url) }
  return try await body(url.path())
}

func withStore(_ body: (SQLiteStore) async throws -> Void) async throws {
  try await withDirectory { directory in
    let store = try await SQLiteStore.open(directory: directory, synchronous: .normal)
    try await body(store)
    try await store.close()
  }
}

func withScriptDatabase(
  limits: ScriptDatabaseLimits = ScriptDatabaseLimits(), _ body: (SQLiteScriptDatabase) async throws -> Void
) async throws {
  try await withDirectory { directory in
    let database = try await SQLiteScriptDatabase.open(directory: directory, limits: limits)
    try await body(database)
    await database.close()
  }
}

/// Runs SQL on a database file behind the store's back.
func runSQL(_ path: String, _ sql: String) throws {
  let complaint = try complaint(path, sql)
  try #require(complaint == nil)
}

/// What SQLite says against SQL on a database file; `nil` = it ran.
func complaint(_ path: String, _ sql: String) throws -> String? {
  var handle: OpaquePointer?
  defer { sqlite3_close_v2(handle) }
  try #require(sqlite3_open(path, &handle) == SQLITE_OK)
  sqlite3_busy_timeout(handle, 5000)
  let code = sqlite3_exec(handle, sql, nil, nil, nil)
  return code == SQLITE_OK ? nil : String(cString: sqlite3_errmsg(handle))
}

/// The failure that `body` throws.
func failure<Result>(
  _ body: () async throws -> Result, sourceLocation: SourceLocation = #_sourceLocation
) async throws -> Failure {
  try await #require(throws: Failure.self, sourceLocation: sourceLocation) { _ = try await body() }
}

/// Time that a test turns by hand.
final class ManualTime: TimeSource {
  private let milliseconds = Mutex<Int64>(1_000_000)

  var now: Timestamp { Timestamp(milliseconds: milliseconds.withLock { $0 }) }
  var elapsed: Duration { .milliseconds(milliseconds.withLock { $0 }) }
  func sleep(for duration: Duration) async throws { throw CancellationError() }
  func advance(by duration: Duration) { milliseconds.withLock { $0 += Int64(duration / .milliseconds(1)) } }
}

func opening(
  _ run: String, user: String = "ann", session: String = "s", message: String = "hello", history: Int = 20,
  at milliseconds: Int64 = 1000
) -> TurnOpening {
  TurnOpening(
    runID: run, messageID: run + "-q", userID: user, sessionID: session,
    agent: "helper", version: "v1", message: message, historyMessages: history,
    at: Timestamp(milliseconds: milliseconds))
}

func closing(
  _ run: String, user: String = "ann", session: String = "s", status: RunRecord.Status = .completed,
  failure: Failure? = nil, text: String = "hi", steps: [TurnStep] = [],
  usage: Usage = Usage(inputTokens: 3, outputTokens: 2, costUSD: 0.5), state: RawJSON? = nil,
  at milliseconds: Int64 = 2000
) -> TurnClosing {
  TurnClosing(
    runID: run, userID: user, sessionID: session, messageID: run + "-a", status: status, failure: failure,
    text: text, steps: steps, usage: usage, state: state, at: Timestamp(milliseconds: milliseconds))
}

extension SQLiteStore {
  /// A turn from question to answer; what it saw of the past.
  @discardableResult
  func turn(
    _ run: String, user: String = "ann", session: String = "s", message: String = "hello", history: Int = 20,
    at milliseconds: Int64 = 1000
  ) async throws -> OpenedTurn {
    let opened = try await openTurn(
      opening(run, user: user, session: session, message: message, history: history, at: milliseconds))
    try await closeTurn(
      closing(run, user: user, session: session, text: "answer to " + message, at: milliseconds + 1))
    return opened
  }
}

/// A copy of a directory inside itself.
func copy(of directory: String) throws -> String {
  let target = directory + "/copy"
  try FileManager.default.createDirectory(atPath: target, withIntermediateDirectories: true)
  for file in try FileManager.default.contentsOfDirectory(atPath: directory) where file != "copy" {
    try FileManager.default.copyItem(atPath: directory + "/" + file, toPath: target + "/" + file)
  }
  return target
}
