// SPDX-License-Identifier: Apache-2.0
public import Core
import GRDBSQLite

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// How one database of a data directory is, to somebody who only looks.
public struct DatabaseCondition: Sendable, Hashable {
  public enum State: Sendable, Hashable {
    /// The first start makes it.
    case absent
    /// Whole, at a step of its tables that this Perigee knows.
    case whole
    /// Written by a newer Perigee.
    case newer
    /// Damaged, none of ours, or not to be opened: why.
    case unusable(String)
  }

  public let name: String
  public let state: State
  /// Of the file; of its log too.
  public let bytes: Int64
  public let schema: Int64?
  /// The last step that this Perigee knows.
  public let schemaKnown: Int64
  /// When something was last done, as the audit trail has it.
  public let lastWrittenAt: Timestamp?

  /// Version of the library.
  public static var sqliteVersion: String { String(cString: sqlite3_libversion()) }

  /// Looks through both databases; nothing is made, changed, or brought up to date.
  public static func examine(_ directory: String) async throws -> [DatabaseCondition] {
    try await BackupWork.perform { work in
      try [SQLiteStore.fileName, SQLiteScriptDatabase.fileName].map { try examine($0, directory, work) }
    }
  }

  private static func examine(
    _ name: String, _ directory: String, _ work: BackupWork
  ) throws -> DatabaseCondition {
    let path = "\(directory)/\(name)"
    let known = BackupManifest.schema(of: name) ?? 0
    func condition(
      _ state: State, schema: Int64? = nil, lastWrittenAt: Timestamp? = nil
    ) -> DatabaseCondition {
      DatabaseCondition(
        name: name, state: state, bytes: size(path) + size(path + "-wal"), schema: schema, schemaKnown: known,
        lastWrittenAt: lastWrittenAt)
    }
    // One that was made and never opened is empty.
    guard size(path) + size(path + "-wal") > 0 else { return condition(.absent) }
    do {
      let database = try SQLiteFile(path, .shared)
      if let complaint = try database.complaints(isQuick: true, unless: work.cancellation).first {
        return condition(.unusable("it is damaged: \(complaint)"))
      }
      let schema = try database.schema(of: name)
      if schema > known { return condition(.newer, schema: schema) }
      return condition(.whole, schema: schema, lastWrittenAt: lastEntry(name, database))
    } catch let error as SQLError {
      return condition(.unusable("it cannot be opened: \(error.message)"))
    } catch let error as BackupError {
      return condition(.unusable(error.message))
    }
  }

  /// An older step of the tables may not have the trail yet.
  private static func lastEntry(_ name: String, _ database: SQLiteFile) -> Timestamp? {
    guard name == SQLiteStore.fileName else { return nil }
    let last = try? database.rows("SELECT at FROM audit ORDER BY number DESC LIMIT 1") {
      Timestamp(milliseconds: $0.integer(0))
    }
    return last?.first
  }

  private static func size(_ path: String) -> Int64 {
    var status = stat()
    return stat(path, &status) == 0 ? Int64(status.st_size) : 0
  }
}
