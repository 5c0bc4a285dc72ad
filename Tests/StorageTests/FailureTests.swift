// SPDX-License-Identifier: Apache-2.0
import Core
import GRDBSQLite
import Testing

@testable import Storage

@Suite("Errors of SQLite")
struct FailureTests {
  @Test(
    "the cause is one plain line, and SQLite's own words are for the log",
    arguments: [
      (SQLITE_FULL, "the database is full"), (SQLITE_READONLY, "the database cannot be written"),
      (SQLITE_CORRUPT, "the database is damaged"), (SQLITE_NOTADB, "the file is not a database"),
      (SQLITE_IOERR, "the database cannot be read or written"), (SQLITE_BUSY, "the database is busy"),
    ])
  func words(code: Int32, line: String) {
    // An extended code has the primary one in its low byte.
    let failure = Failure.database(code: code | 7 << 8, message: "details")
    #expect(failure.code == .internal)
    #expect(failure.message == line)
    #expect(failure.diagnostic == "SQLite \(code | 7 << 8): details")
    #expect(failure.retryable == (code == SQLITE_BUSY))
  }

  @Test("failures and cancellations pass as they are")
  func pass() {
    let failure = Failure.noSession("s")
    #expect(Failure.storage(failure) as? Failure == failure)
    #expect(Failure.storage(CancellationError()) is CancellationError)
  }
}
