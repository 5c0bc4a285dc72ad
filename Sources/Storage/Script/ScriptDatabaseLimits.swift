// SPDX-License-Identifier: Apache-2.0

/// What one call of a script may take of the workspace's database before it is stopped.
public struct ScriptDatabaseLimits: Sendable, Hashable {
  public var statementTime: Duration
  /// How long a transaction may hold the writer; it is rolled back then.
  public var transactionTime: Duration
  /// All statements of a schema together.
  public var migrationTime: Duration
  public var rowsMax: Int
  /// Text and blobs by their bytes, numbers as 8.
  public var resultBytesMax: Int

  public init(
    statementTime: Duration = .seconds(5), transactionTime: Duration = .seconds(10),
    migrationTime: Duration = .seconds(30), rowsMax: Int = 10_000, resultBytesMax: Int = 10 * 1024 * 1024
  ) {
    self.statementTime = statementTime
    self.transactionTime = transactionTime
    self.migrationTime = migrationTime
    self.rowsMax = rowsMax
    self.resultBytesMax = resultBytesMax
  }
}
