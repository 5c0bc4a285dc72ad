// SPDX-License-Identifier: Apache-2.0
public import Core
public import JSONCodec

/// Small values in the host's database; one that has expired is not seen, and is deleted by some later write.
public struct SQLiteKeyValueStore: KeyValueStore {
  /// Bytes of UTF-8.
  public static let keyBytesMax = 512
  public static let valueBytesMax = 256 * 1024

  private let store: SQLiteStore
  private let time: any TimeSource

  public init(store: SQLiteStore, time: any TimeSource) {
    self.store = store
    self.time = time
  }

  public func get(scope: KeyValueScope, key: String) async throws -> RawJSON? {
    try Self.check(key)
    let now = time.now
    return try await store.read { connection in
      let select = try connection.statement(Self.selection.description)
      return try Self.find(select, scope: scope.text, key: key, at: now)?.value
    }
  }

  public func set(scope: KeyValueScope, key: String, value: RawJSON, ttl: Duration?) async throws {
    try Self.check(key)
    guard value.bytes.count <= Self.valueBytesMax else {
      throw Failure(.limit, "the value has \(value.bytes.count) bytes; the limit is \(Self.valueBytesMax)")
    }
    try Task.checkCancellation()
    let now = time.now
    try await store.commits.write { connection in
      try Self.sweep(connection, at: now)
      try Self.put(
        connection, scope: scope.text, key: key, value: value, expiry: ttl.map { now.expiry(after: $0) })
    }
  }

  public func delete(scope: KeyValueScope, key: String) async throws -> Bool {
    try Self.check(key)
    try Task.checkCancellation()
    let now = time.now
    return try await store.commits.write { connection in
      let select = try connection.statement(Self.selection)
      let existed = try Self.find(select, scope: scope.text, key: key, at: now) != nil
      let delete = try connection.statement("DELETE FROM kv WHERE scope = ? AND key = ?")
      delete.bind(1, scope.text)
      delete.bind(2, key)
      try delete.run()
      return existed
    }
  }

  /// Adds to a whole number that is 0 when absent; `ttl` counts from the moment the number is made.
  public func increment(
    scope: KeyValueScope, key: String, by amount: Int64, ttl: Duration?
  ) async throws -> Int64 {
    try Self.check(key)
    try Task.checkCancellation()
    let now = time.now
    return try await store.commits.write { connection in
      try Self.sweep(connection, at: now)
      let found = try Self.find(connection.statement(Self.selection), scope: scope.text, key: key, at: now)
      guard let number = found.map({ Int64($0.value.text) }) ?? 0 else {
        throw Failure(.conflict, "the value of '\(key)' is not a whole number")
      }
      let (sum, isTooLarge) = number.addingReportingOverflow(amount)
      if isTooLarge { throw Failure(.conflict, "the value of '\(key)' would not fit in 64 bits") }
      let expiry = found == nil ? ttl.map { now.expiry(after: $0) } : found?.expiry
      try Self.put(
        connection, scope: scope.text, key: key, value: RawJSON(.integer(sum)), expiry: expiry)
      return sum
    }
  }

  private static func check(_ key: String) throws {
    guard key.utf8.count <= keyBytesMax else {
      throw Failure(.limit, "the key has \(key.utf8.count) bytes; the limit is \(keyBytesMax)")
    }
  }

  private static let selection: StaticString = """
    SELECT value, expires_at FROM kv
    WHERE scope = ? AND key = ? AND (expires_at IS NULL OR expires_at > ?)
    """

  private static func find(
    _ select: SQLStatement, scope: String, key: String, at now: Timestamp
  ) throws -> (value: RawJSON, expiry: Int64?)? {
    defer { select.reset() }
    select.bind(1, scope)
    select.bind(2, key)
    select.bind(3, now.milliseconds)
    return try select.step() ? (RawJSON(trusted: select.bytes(0)), select.optionalInteger(1)) : nil
  }

  private static func put(
    _ connection: WriterConnection, scope: String, key: String, value: RawJSON, expiry: Int64?
  ) throws {
    let write = try connection.statement("INSERT OR REPLACE INTO kv VALUES (?, ?, ?, ?)")
    write.bind(1, scope)
    write.bind(2, key)
    write.bindBlob(3, value.bytes)
    write.bind(4, expiry)
    try write.run()
  }

  /// Deletes a few rows that have expired: more than a write can add, so that they never pile up.
  private static func sweep(_ connection: WriterConnection, at now: Timestamp) throws {
    let delete = try connection.statement(
      """
      DELETE FROM kv WHERE (scope, key) IN (
        SELECT scope, key FROM kv WHERE expires_at IS NOT NULL AND expires_at <= ? LIMIT 8)
      """)
    delete.bind(1, now.milliseconds)
    try delete.run()
  }
}

extension Timestamp {
  /// Milliseconds since 1970 at which a value of that lifetime is gone.
  fileprivate func expiry(after lifetime: Duration) -> Int64 {
    let (seconds, attoseconds) = lifetime.components
    let milliseconds = seconds.multipliedReportingOverflow(by: 1000)
    guard !milliseconds.overflow else { return lifetime < .zero ? self.milliseconds : .max }
    let sum = self.milliseconds.addingReportingOverflow(
      milliseconds.partialValue + attoseconds / 1_000_000_000_000_000)
    return sum.overflow ? .max : max(sum.partialValue, self.milliseconds)
  }
}
