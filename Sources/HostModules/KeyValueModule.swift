// SPDX-License-Identifier: Apache-2.0
import Core
import JSONCodec
import LuaHost

extension HostModule {
  /// `kv`: small values by key.
  static let kv = HostModule(
    "kv",
    "Small values by key, of a user, a session or the whole workspace, with an optional time to live. Where there are "
      + "tenants, each has a workspace's values of its own.",
    types: """
      ---@class (exact) perigee.KvOptions
      ---@field ttl? number seconds after which the value is gone
      ---@field scope? "user"|"session"|"workspace" whose value it is; "user" unless said
      """,
    functions: [
      Function(
        "get", "Reads a value; `nil` when there is none.",
        [
          Parameter("key", "string", "at most 512 bytes"),
          Parameter("opts", "perigee.KvOptions?", "`scope`"),
        ],
        returns: "any", capability: #"kv = "read""#, mayWait: true,
        body: .waits(
          { arguments, scope in
            try scope.need({ $0.keyValue >= .read }, #"kv = "read""#, for: "kv.get")
            let area = try area(arguments.options(2, ["scope"]), scope)
            guard
              let value = try await scope.resources.keyValue.get(scope: area, key: try arguments.string(1))
            else {
              return .nil
            }
            return .json(value)
          }, named: "kv.get", recorded: .observed)),
      Function(
        "set", "Keeps a value in place of the one before.",
        [
          Parameter("key", "string", "at most 512 bytes"),
          Parameter("value", "any", "anything that JSON can hold"),
          Parameter("opts", "perigee.KvOptions?", "`ttl`, `scope`"),
        ],
        capability: #"kv = "write""#, mayWait: true,
        body: .waits(
          { arguments, scope in
            try scope.need({ $0.keyValue >= .write }, #"kv = "write""#, for: "kv.set")
            let options = try arguments.options(3, ["scope", "ttl"])
            try await scope.resources.keyValue.set(
              scope: try area(options, scope), key: try arguments.string(1),
              value: RawJSON(try arguments.json(2)),
              ttl: try options.seconds("ttl").map { .seconds($0) })
            return .nil
          }, named: "kv.set", recorded: .observed)),
      Function(
        "delete", "Deletes a value; true when there was one.",
        [Parameter("key", "string", "its key"), Parameter("opts", "perigee.KvOptions?", "`scope`")],
        returns: "boolean", capability: #"kv = "write""#, mayWait: true,
        body: .waits(
          { arguments, scope in
            try scope.need({ $0.keyValue >= .write }, #"kv = "write""#, for: "kv.delete")
            let area = try area(arguments.options(2, ["scope"]), scope)
            return .bool(try await scope.resources.keyValue.delete(scope: area, key: try arguments.string(1)))
          }, named: "kv.delete", recorded: .observed)),
      Function(
        "incr", "Adds to a whole number, 0 when there is none, in one step; the sum.",
        [
          Parameter("key", "string", "its key"), Parameter("by", "integer?", "1 unless said"),
          Parameter("opts", "perigee.KvOptions?", "`ttl` (set when the number begins), `scope`"),
        ],
        returns: "integer", capability: #"kv = "write""#, mayWait: true,
        body: .waits(
          { arguments, scope in
            try scope.need({ $0.keyValue >= .write }, #"kv = "write""#, for: "kv.incr")
            let options = try arguments.options(3, ["scope", "ttl"])
            return .integer(
              try await scope.resources.keyValue.increment(
                scope: try area(options, scope), key: try arguments.string(1),
                by: arguments.isAbsent(2) ? 1 : try arguments.integer(2),
                ttl: try options.seconds("ttl").map { .seconds($0) }))
          }, named: "kv.incr", recorded: .effect)),
    ])

  private static func area(_ options: Options, _ scope: ScriptScope) throws(HostError) -> KeyValueScope {
    switch try options.string("scope") ?? "user" {
    case "user": return .user(scope.run.user.id)
    case "session": return .session(userID: scope.run.user.id, sessionID: scope.run.sessionID)
    case "workspace": return .workspace(scope.run.user.tenant)
    case let other: throw .invalid("unknown scope '\(other)'; one of user, session, workspace")
    }
  }
}
