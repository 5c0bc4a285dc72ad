// SPDX-License-Identifier: Apache-2.0
import Core
import GRDBSQLite

extension ScriptWatch {
  /// What an error of SQLite means to the script whose statement it stopped.
  ///
  /// Source: https://www.sqlite.org/rescode.html
  func failure(_ error: SQLError) -> any Error {
    switch stop {
    case .cancelled: return CancellationError()
    case .time(let limit): return Failure(.limit, "the statement took longer than \(limit.inWords)")
    case .transactionTime(let limit): return Failure.transactionTimeout(limit)
    case nil: break
    }
    // SQLite reports some denials as plain errors.
    if let denial { return Failure(.denied, denial) }
    switch error.primaryCode {
    case SQLITE_AUTH: return Failure(.denied, error.message)
    case SQLITE_READONLY where policy.access == .read:
      return Failure(.denied, "a query only reads; use db.exec to write")
    case SQLITE_CONSTRAINT: return Failure(.conflict, error.message)
    case SQLITE_TOOBIG: return Failure(.limit, "a text, blob or statement is too large")
    case SQLITE_NOMEM: return Failure(.limit, "the statement is too complex")
    // SCHEMA: the statement is wrong under both the old and the new schema; the message is that of the new.
    case SQLITE_ERROR, SQLITE_SCHEMA, SQLITE_MISMATCH, SQLITE_RANGE:
      return Failure(.invalidArguments, error.message)
    default: return Failure.database(code: error.code, message: error.message)
    }
  }
}

extension Failure {
  static func transactionTimeout(_ limit: Duration) -> Failure {
    Failure(.timeout, "the transaction was open for longer than \(limit.inWords) and was rolled back")
  }

  static let transactionEnded = Failure(.invalidArguments, "the transaction has ended")
  static let transactionLost = Failure(.conflict, "the transaction was rolled back by an earlier error")
}

extension Duration {
  /// `5 s`, `50 ms`.
  fileprivate var inWords: String {
    let (seconds, attoseconds) = components
    return attoseconds == 0 ? "\(seconds) s" : "\(Int((self / .milliseconds(1)).rounded())) ms"
  }
}
