// SPDX-License-Identifier: Apache-2.0
import Core
import JSONCodec
import LuaHost

extension HostModule {
  /// `event`: what others may want to know.
  static let event = HostModule(
    "event", "Tells those who listen to the server's events: `GET /v1/events`, and webhooks.",
    functions: [
      Function(
        "emit",
        "Tells that something happened, once, whatever becomes of the run; at most \(Event.emittedByRunMax) of one run of an agent.",
        [
          Parameter(
            "type", "string",
            "words of a-z, 0-9 and _ with dots between them; `external.` is put in front of it"),
          Parameter("data", "table?", "what there is to say about it, at most 64 KiB of JSON"),
        ],
        example: #"event.emit("order.shipped", { order = 17 })"#, body: .answers(emit, named: "event.emit"))
    ])

  @Sendable private static func emit(_ arguments: Arguments, _ scope: ScriptScope) throws -> LuaValue {
    let type = "external." + (try arguments.string(1))
    guard Event.isType(type) else {
      throw arguments.fault(1, "words of a-z, 0-9 and _ with dots between them expected, at most 90 bytes")
    }
    var data = JSON.object(JSONObject())
    if !arguments.isAbsent(2) {
      data = try arguments.json(2)
      if data == .array([]) { data = .object(JSONObject()) }
    }
    guard data.object != nil else { throw arguments.fault(2, "a table with names expected") }
    let raw = RawJSON(data)
    guard raw.bytes.count <= Event.dataBytesMax else {
      throw arguments.fault(2, "at most \(Event.dataBytesMax >> 10) KiB of JSON expected")
    }
    guard scope.shared.admitEvent() else {
      throw Failure(.limit, "a run may emit at most \(Event.emittedByRunMax) events")
    }
    guard let journal = scope.journal else { return .nil }
    var writer = JSONWriter(reservingCapacity: raw.bytes.count + 200)
    writer.object {
      $0.member("agent_id", scope.run.agent.name)
      $0.member("execution_id", scope.run.runID)
      $0.member("user_id", scope.run.user.id)
      $0.member("session_id", scope.run.sessionID)
      $0.member("data", raw)
    }
    journal.tell(
      Event(
        type, at: scope.resources.time.now, userID: scope.run.user.id, runID: journal.runID,
        key: scope.key(arguments), data: writer.raw))
    journal.spill()
    return .nil
  }
}
