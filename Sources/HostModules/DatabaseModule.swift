// SPDX-License-Identifier: Apache-2.0
import Core
import LuaHost

extension HostModule {
  /// `db`: the workspace's own database.
  static let db = HostModule(
    "db",
    "The workspace's own SQLite database, one for all users and tenants: bind statements to `ctx.user.id`, or to "
      + "`ctx.user.tenant`. Values go in as parameters, never into the text of the statement.",
    types: """
      ---@alias perigee.Value string|number|boolean|nil
      ---@class (exact) perigee.Change
      ---@field changes integer rows that were changed
      ---@field last_insert_id integer
      ---@field rows table<string, perigee.Value>[] what `returning` gave
      """,
    functions: [
      Function(
        "query", "Reads rows; each is a table by column name. SQL NULL is an absent field.",
        [
          Parameter("sql", "string", "one `select`, with `?` for each parameter"),
          Parameter("...", "perigee.Value", "the parameters"),
        ],
        returns: "table<string, perigee.Value>[]", capability: #"db = "read""#, mayWait: true,
        example: #"local rows = db.query("select id, title from todos where user_id = ?", ctx.user.id)"#),
      Function(
        "exec", "Runs one statement that changes rows of the tables that this file's `schema` made.",
        [
          Parameter("sql", "string", "one statement, with `?` for each parameter"),
          Parameter("...", "perigee.Value", "the parameters"),
        ],
        returns: "perigee.Change", capability: #"db = "write""#, mayWait: true,
        example: #"db.exec("delete from todos where user_id = ? and id = ?", ctx.user.id, args.id)"#),
      Function(
        "transaction",
        "Runs a function whose `db` calls happen all or not at all, those of its branches and of the tools and agents that it calls too: an error in it rolls back and goes on.",
        [Parameter("body", "fun(): any", "may wait, for at most 10 s from its first statement on")],
        returns: "any", capability: #"db = "write""#, mayWait: true,
        example: "db.transaction(function() db.exec(…); db.exec(…) end)"),
    ],
    privateFunctions: [
      // Each takes the number of the open transaction first, 0 for none.
      HostFunction("_db.query", .waits(query, named: "db.query", recorded: unlessInTransaction(.observed))),
      HostFunction("_db.exec", .waits(exec, named: "db.exec", recorded: unlessInTransaction(.effect))),
      HostFunction("_db.begin", .waits(begin, named: "db.transaction")),
      HostFunction("_db.commit", .waits(commit, named: "db.transaction")),
      HostFunction("_db.rollback", .waits(rollback, named: "db.transaction")),
    ])

  @Sendable private static func query(_ arguments: Arguments, _ scope: ScriptScope) async throws -> LuaValue {
    try scope.need({ $0.database >= .read }, #"db = "read""#, for: "db.query")
    let (transaction, arguments) = try target(arguments, scope)
    let sql = try arguments.string(1)
    let parameters = try parameters(arguments)
    if let transaction {
      return try await transaction.run(arguments, in: scope) {
        table(try await $0.query(owner: scope.file, sql, parameters))
      }
    }
    return table(try await scope.resources.database.query(owner: scope.file, sql, parameters))
  }

  @Sendable private static func exec(_ arguments: Arguments, _ scope: ScriptScope) async throws -> LuaValue {
    try scope.need({ $0.database >= .write }, #"db = "write""#, for: "db.exec")
    let (transaction, arguments) = try target(arguments, scope)
    let sql = try arguments.string(1)
    let parameters = try parameters(arguments)
    if let transaction {
      return try await transaction.run(arguments, in: scope) {
        value(of: try await $0.execute(owner: scope.file, sql, parameters))
      }
    }
    return value(of: try await scope.resources.database.execute(owner: scope.file, sql, parameters))
  }

  private static func value(of result: (change: DatabaseChange, rows: DatabaseRows)) -> LuaValue {
    .fields([
      "changes": .integer(Int64(result.change.changes)),
      "last_insert_id": .integer(result.change.lastInsertID), "rows": table(result.rows),
    ])
  }

  /// A transaction is kept as a whole.
  private static func unlessInTransaction(_ recording: Recording) -> Recording {
    .chosen { $0.value(1).integer == 0 && $1.transaction == nil ? recording : .none }
  }

  /// The transaction in which a call was made, and the call's own arguments.
  private static func target(
    _ arguments: Arguments, _ scope: ScriptScope
  ) throws(HostError) -> (TransactionRecord?, Arguments) {
    (try scope.transaction(arguments.integer(1)), arguments.rest)
  }

  @Sendable private static func begin(_ arguments: Arguments, _ scope: ScriptScope) async throws -> LuaValue {
    try scope.need({ $0.database >= .write }, #"db = "write""#, for: "db.transaction")
    return .integer(scope.add(try await TransactionRecord(arguments, in: scope)))
  }

  @Sendable private static func commit(_ arguments: Arguments, _ scope: ScriptScope) async throws -> LuaValue
  {
    guard let transaction = scope.remove(try arguments.integer(1)) else {
      throw HostError.transactionEnded
    }
    try await transaction.commit(in: scope)
    return .nil
  }

  @Sendable private static func rollback(_ arguments: Arguments, _ scope: ScriptScope) async throws
    -> LuaValue
  {
    if let transaction = scope.remove(try arguments.integer(1)) { await transaction.rollback(in: scope) }
    return .nil
  }

  private static func parameters(_ arguments: Arguments) throws(HostError) -> [DatabaseValue] {
    var parameters: [DatabaseValue] = []
    for (index, value) in arguments.values.enumerated().dropFirst() {
      switch value {
      case .nil, .null: parameters.append(.null)
      case .bool(let value): parameters.append(.integer(value ? 1 : 0))
      case .integer(let number): parameters.append(.integer(number))
      case .number(let number): parameters.append(.real(number))
      case .string(let text): parameters.append(.text(text))
      case .bytes(let bytes): parameters.append(.blob(bytes))
      case .array, .table, .json:
        throw arguments.fault(index + 1, "a table cannot be a parameter; use json.encode")
      }
    }
    return parameters
  }

  private static func table(_ rows: DatabaseRows) -> LuaValue {
    .array(
      rows.rows.map { row in
        var fields: [LuaField] = []
        fields.reserveCapacity(row.count)
        for (column, value) in zip(rows.columns, row) {
          switch value {
          case .null: continue
          case .integer(let number): fields.append(LuaField(column, .integer(number)))
          case .real(let number): fields.append(LuaField(column, .number(number)))
          case .text(let text): fields.append(LuaField(column, .string(text)))
          case .blob(let bytes): fields.append(LuaField(column, .bytes(bytes)))
          }
        }
        return .table(fields)
      })
  }
}
