// SPDX-License-Identifier: Apache-2.0
internal import CSQLite
public import Core
import Dispatch
import GRDB
import GRDBSQLite

/// The host's memory in one SQLite file: users, sessions, messages, tool calls, runs, small values.
///
/// One connection writes and commits in groups; a few others read. No call blocks the caller's thread.
public final class SQLiteStore: Store {
  /// What survives a power cut; a crash of the process alone loses nothing either way.
  public enum Synchronous: String, Sendable, CaseIterable {
    /// Each acknowledged write is on the disk.
    case full
    /// The last moments before a power cut may be missing; the file stays whole.
    case normal
  }

  /// Name of the file in the data directory.
  public static let fileName = "perigee.sqlite"

  let pool: DatabasePool
  let commits: CommitQueue
  public let jobBell = Bell()
  public let eventBell = Bell()
  public let answerBell = Bell()

  private init(pool: DatabasePool) {
    self.pool = pool
    commits = CommitQueue(pool: pool)
  }

  /// Opens the database in `directory`, makes both (0700, 0600) where they are missing, and brings the
  /// schema up to date.
  ///
  /// - Throws: ``Failure`` `internal`: the file cannot be opened, is no database, is damaged, or was
  ///   written by a newer version.
  public static func open(directory: String, synchronous: Synchronous = .full) async throws -> SQLiteStore {
    try await withCheckedThrowingContinuation { continuation in
      DispatchQueue.global().async {
        continuation.resume(
          with: Result { try SQLiteStore(pool: makePool(directory: directory, synchronous: synchronous)) }
            .mapError { Failure.opening(fileName, $0) })
      }
    }
  }

  private static func makePool(directory: String, synchronous: Synchronous) throws -> DatabasePool {
    csqlite_end_statistics()
    let path = try DataDirectory.prepare(directory, file: fileName)
    var configuration = Configuration()
    configuration.label = "perigee.store"
    configuration.busyMode = .timeout(5)
    configuration.maximumReaderCount = 4
    configuration.prepareDatabase { database in
      // 4 MiB each: the inner pages of a large database, while the rest is in the system's cache anyway; and,
      // in pages, a log long enough for pages that are written often to be copied back once for many writes.
      // What is deleted is overwritten, as the systems do by default whose SQLite this is.
      try database.execute(
        sql: "PRAGMA cache_size = -4096; PRAGMA wal_autocheckpoint = 4096; PRAGMA secure_delete = ON")
    }
    let pool = try DatabasePool(path: path, configuration: configuration)
    let migrator = Migrations.migrator
    if try pool.read(migrator.hasBeenSuperseded) {
      throw Failure(
        .internal, "the database '\(path)' was written by a newer version of Perigee; start that version")
    }
    try migrator.migrate(pool)
    // After GRDB, which chooses NORMAL itself when it turns WAL on.
    try pool.writeWithoutTransaction { database in
      try database.execute(sql: "PRAGMA synchronous = \(synchronous.rawValue)")
    }
    return pool
  }

  public func check() async throws {
    try await commits.write { connection in
      try connection.statement("UPDATE marks SET checks = checks + 1").run()
    }
  }

  /// Looks through the whole file for damage; where there is any, nothing is written from then on.
  ///
  /// - Throws: ``Failure`` that says what is wrong.
  public func examine() async throws {
    do {
      let complaints = try await pool.read { try String.fetchAll($0, sql: "PRAGMA quick_check(1)") }
      if complaints == ["ok"] { return }
      let failure = Failure.damaged(complaints.joined(separator: "\n"))
      commits.refuse(failure)
      throw failure
    } catch let error as DatabaseError
      where [SQLITE_CORRUPT, SQLITE_NOTADB].contains(error.resultCode.rawValue)
    {
      let failure = Failure.damaged("\(error)")
      commits.refuse(failure)
      throw failure
    } catch {
      throw Failure.storage(error)
    }
  }

  /// Finishes the writes that were accepted and closes the file; what comes later fails.
  public func close() async throws {
    await commits.close()
    let pool = pool
    try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
      DispatchQueue.global().async {
        // The file alone is all there is then, for whoever copies it; what stands in the log is safe as well.
        try? pool.writeWithoutTransaction { database in
          // GRDB asks SQLite even where it was closed before, which SQLite does not survive.
          if database.sqliteConnection != nil { _ = try database.checkpoint(.truncate) }
        }
        continuation.resume(with: Result { try pool.close() }.mapError(Failure.storage))
      }
    }
  }

  /// Runs `body` on a reading connection, in a transaction that sees one moment of the database.
  func read<Value: Sendable>(_ body: @Sendable (ReaderConnection) throws -> Value) async throws -> Value {
    do {
      return try await pool.read { try body(ReaderConnection(database: $0)) }
    } catch {
      throw Failure.storage(error)
    }
  }
}

/// A connection that only reads, with the statements that GRDB keeps prepared for it.
struct ReaderConnection {
  let database: Database

  func statement(_ sql: String) throws -> SQLStatement {
    SQLStatement(pointer: try database.cachedStatement(sql: sql).sqliteStatement)
  }
}

extension Failure {
  /// The failure to open a database, which names its file.
  static func opening(_ file: String, _ error: any Error) -> any Error {
    guard let failure = Failure.storage(error) as? Failure, !(error is Failure) else { return error }
    return Failure(.internal, "\(file): \(failure.message)", diagnostic: failure.diagnostic)
  }
}
