// SPDX-License-Identifier: Apache-2.0
import Core
import JSONCodec
import LuaHost

extension HostModule {
  /// `guard`: checks on what parallel branches did.
  static let guardModule = HostModule(
    "guard", "Checks that parallel branches worked on the same thing.",
    functions: [
      Function(
        "same",
        "Raises `conflict` unless every result names the same value, itself or in its `data`; the value. In db.transaction nothing is written then; the conflict is told as the event `guard.conflict`.",
        [
          Parameter("field", "string", "`listing_id`"),
          Parameter("results", "table<any, table>", "what `parallel` returned"),
        ],
        returns: "any", example: #"guard.same("listing_id", parallel{ title = …, price = … })"#)
    ],
    privateFunctions: [
      HostFunction("_guard.conflict", .answers(conflict, named: "guard.same"))
    ])

  /// Tells of branches that disagree, whatever the script makes of the error.
  @Sendable private static func conflict(_ arguments: Arguments, _ scope: ScriptScope) throws -> LuaValue {
    guard let journal = scope.journal, scope.shared.admitEvent() else { return .nil }
    let values = RawJSON(try arguments.json(2))
    var writer = JSONWriter(reservingCapacity: 300)
    try writer.object {
      $0.member("agent_id", scope.run.agent.name)
      $0.member("execution_id", scope.run.runID)
      $0.member("user_id", scope.run.user.id)
      $0.member("session_id", scope.run.sessionID)
      $0.member("field", try arguments.string(1))
      $0.member("values", values.bytes.count > Event.dataBytesMax ? .null : values)
      $0.member("message", try arguments.string(3))
    }
    journal.tell(
      Event(
        Event.guardConflict, at: scope.resources.time.now, userID: scope.run.user.id, runID: journal.runID,
        key: scope.key(arguments), data: writer.raw))
    return .nil
  }
}
