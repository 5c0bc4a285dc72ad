// SPDX-License-Identifier: Apache-2.0
import GRDBSQLite
import Glibc
import JSONCodec

/// A result code of SQLite that is no success, with the text that goes with it.
struct SQLError: Error {
  /// Extended result code; the low byte is the primary one.
  let code: Int32
  let message: String

  var primaryCode: Int32 { code & 0xFF }

  init(code: Int32, message: String) {
    self.code = code
    self.message = message
  }

  /// Reads the last error of a connection.
  init(connection: OpaquePointer?) {
    code = sqlite3_extended_errcode(connection)
    message = String(cString: sqlite3_errmsg(connection))
  }
}

/// A prepared statement of the raw API: parameters by position, then rows by column.
///
/// It borrows the pointer; whoever prepared it finalizes it.
struct SQLStatement {
  let pointer: OpaquePointer

  /// SQLite copies what is bound with it before the call returns.
  private static var copied: sqlite3_destructor_type? { unsafeBitCast(-1, to: sqlite3_destructor_type?.self) }

  func bind(_ position: Int32, _ value: Int64) { sqlite3_bind_int64(pointer, position, value) }

  func bind(_ position: Int32, _ value: Int64?) {
    if let value { bind(position, value) } else { bindNull(position) }
  }

  func bind(_ position: Int32, _ value: Double?) {
    if let value { sqlite3_bind_double(pointer, position, value) } else { bindNull(position) }
  }

  func bind(_ position: Int32, _ text: String) {
    text.withUTF8Bytes { buffer in
      bindText(position, UnsafeRawBufferPointer(buffer))
    }
  }

  func bind(_ position: Int32, _ text: String?) {
    if let text { bind(position, text) } else { bindNull(position) }
  }

  func bindText(_ position: Int32, _ bytes: [UInt8]) {
    bytes.withUnsafeBytes { bindText(position, $0) }
  }

  private func bindText(_ position: Int32, _ bytes: UnsafeRawBufferPointer) {
    // A null pointer would bind NULL, and an empty buffer may have one.
    guard let start = bytes.bindMemory(to: CChar.self).baseAddress, !bytes.isEmpty else {
      sqlite3_bind_text(pointer, position, "", 0, Self.copied)
      return
    }
    sqlite3_bind_text64(pointer, position, start, UInt64(bytes.count), Self.copied, UInt8(SQLITE_UTF8))
  }

  func bindBlob(_ position: Int32, _ bytes: [UInt8]) {
    guard !bytes.isEmpty else {
      sqlite3_bind_zeroblob(pointer, position, 0)
      return
    }
    bytes.withUnsafeBytes { buffer in
      _ = sqlite3_bind_blob64(pointer, position, buffer.baseAddress, UInt64(buffer.count), Self.copied)
    }
  }

  func bindNull(_ position: Int32) { sqlite3_bind_null(pointer, position) }

  /// Moves to the next row; false when there is none.
  func step() throws(SQLError) -> Bool {
    switch sqlite3_step(pointer) {
    case SQLITE_ROW: return true
    case SQLITE_DONE: return false
    default: throw SQLError(connection: sqlite3_db_handle(pointer))
    }
  }

  /// Runs a statement of which no row is wanted, and makes it ready for the next time.
  func run() throws(SQLError) {
    defer { reset() }
    while try step() {}
  }

  /// Ends the statement's read of the database; the bound values stay.
  func reset() { sqlite3_reset(pointer) }

  func isNull(_ column: Int32) -> Bool { sqlite3_column_type(pointer, column) == SQLITE_NULL }
  func integer(_ column: Int32) -> Int64 { sqlite3_column_int64(pointer, column) }
  func double(_ column: Int32) -> Double { sqlite3_column_double(pointer, column) }

  func optionalInteger(_ column: Int32) -> Int64? { isNull(column) ? nil : integer(column) }
  func optionalDouble(_ column: Int32) -> Double? { isNull(column) ? nil : double(column) }

  /// The column's text; empty for NULL.
  func text(_ column: Int32) -> String {
    // As a blob: SQLite would copy a text to put a zero behind it.
    guard let start = sqlite3_column_blob(pointer, column) else { return "" }
    let count = Int(sqlite3_column_bytes(pointer, column))
    return String(decoding: UnsafeRawBufferPointer(start: start, count: count), as: UTF8.self)
  }

  /// The column's text; `known`, and no copy of it, where it is that.
  func text(_ column: Int32, known: String?) -> String {
    guard let known, let start = sqlite3_column_blob(pointer, column) else { return text(column) }
    let count = Int(sqlite3_column_bytes(pointer, column))
    let isKnown = known.withUTF8Bytes { utf8 in
      utf8.count == count && utf8.baseAddress.map { memcmp($0, start, count) == 0 } ?? false
    }
    return isKnown ? known : text(column)
  }

  func optionalText(_ column: Int32) -> String? { isNull(column) ? nil : text(column) }

  /// The column's bytes, of a text or a blob; empty for NULL.
  func bytes(_ column: Int32) -> [UInt8] {
    guard let start = sqlite3_column_blob(pointer, column) else { return [] }
    return Array(UnsafeRawBufferPointer(start: start, count: Int(sqlite3_column_bytes(pointer, column))))
  }
}
