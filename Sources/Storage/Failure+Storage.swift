// SPDX-License-Identifier: Apache-2.0
import Core
import GRDB
import GRDBSQLite

extension SQLError {
  /// What the file holds is no database any more.
  var isDamage: Bool { primaryCode == SQLITE_CORRUPT }
}

extension Failure {
  /// The failure or cancellation that stands for an error of the host's database.
  static func storage(_ error: any Error) -> any Error {
    switch error {
    case let failure as Failure: failure
    case is CancellationError: CancellationError()
    case let error as SQLError: database(code: error.code, message: error.message)
    case let error as DatabaseError:
      database(code: error.extendedResultCode.rawValue, message: error.message ?? "")
    default: Failure(error)
    }
  }

  /// One line for the reader, SQLite's own words for the log.
  ///
  /// Source: https://www.sqlite.org/rescode.html
  static func database(code: Int32, message: String) -> Failure {
    let (line, retryable): (String, Bool) =
      switch code & 0xFF {
      case SQLITE_FULL: ("the database is full", false)
      case SQLITE_READONLY: ("the database cannot be written", false)
      case SQLITE_CANTOPEN: ("the database cannot be opened", false)
      case SQLITE_PERM, SQLITE_AUTH: ("the database may not be accessed", false)
      case SQLITE_CORRUPT: ("the database is damaged", false)
      case SQLITE_NOTADB: ("the file is not a database", false)
      case SQLITE_BUSY, SQLITE_LOCKED: ("the database is busy", true)
      case SQLITE_IOERR: ("the database cannot be read or written", false)
      case SQLITE_NOMEM: ("the database ran out of memory", true)
      case SQLITE_MISUSE: ("the database is closed", false)
      default: ("the database failed", false)
      }
    return Failure(.internal, line, retryable: retryable, diagnostic: "SQLite \(code): \(message)")
  }

  static func noSession(_ id: String) -> Failure { Failure(.notFound, "no session '\(id)'") }
  static func noRun(_ id: String) -> Failure { Failure(.notFound, "no run '\(id)'") }

  static func damaged(_ what: String) -> Failure {
    Failure(
      .internal,
      "the database is damaged, so nothing is written to it any more; stop the server and put a copy in its place",
      diagnostic: what)
  }

  static let storeClosed = Failure(.internal, "the database is closed")
}
