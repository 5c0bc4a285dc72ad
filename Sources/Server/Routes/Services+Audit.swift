// SPDX-License-Identifier: Apache-2.0
import Core
import HTTPTypes
import JSONCodec

extension Services {
  private static let auditQuery: [BodyShape.Field] = [
    .init(
      name: "user_id", kind: .string(), isRequired: false, description: "Only what was done on their behalf.",
      example: "ann"),
    .init(
      name: "actions", kind: .words(AuditEntry.Action.all.map(\.rawValue)), isRequired: false,
      description: "Which are wanted, with commas between them: `tool.called,guard.conflict`; absent = all.",
      example: ["tool.called", "guard.conflict"]),
    .init(name: "run_id", kind: .string(), isRequired: false, description: "Only what this run did."),
  ]

  var auditRoutes: [Route] {
    [
      Route(
        .get, "/v1/audit", name: "listAudit",
        summary:
          "Lists who did what, when and from where, the latest first; for admins. A page may be short, or empty, and "
          + "not the last: `next` tells.",
        list: .audit, query: Self.auditQuery, answers: [.init(.ok, "A page.", .json("AuditList"))]
      ) { try await audit($0) },
      Route(
        .get, "/v1/audit/verification", name: "verifyAudit",
        summary: "Reads the whole audit trail and tells whether anything in it was changed or taken away.",
        answers: [.init(.ok, "What came of it.", .json("AuditVerdict"))]
      ) { exchange in
        try exchange.user.mayAudit()
        try exchange.user.mayRunHost("the audit trail as a whole is")
        return .document(try await store.verifyAudit())
      },
    ]
  }

  private func audit(_ exchange: Exchange) async throws -> Reply {
    try exchange.user.mayAudit()
    let page = try exchange.page(beside: Self.auditQuery)
    let actions = exchange.parameter("actions")?.split(separator: ",").map(String.init) ?? []
    let filter = AuditFilter(
      visibleTo: exchange.user.visibility,
      userID: exchange.parameter("user_id").map(exchange.user.id(named:)),
      actions: Set(actions.map(AuditEntry.Action.init(rawValue:))),
      runID: exchange.parameter("run_id"))
    // Who reads the trail is part of it.
    try await store.record([AuditEntry(.auditRead, at: time.now, by: exchange.user.actor)])
    return .document(try await store.auditTrail(filter, page: page))
  }
}

extension Principal {
  /// - Throws: ``Failure`` `denied` for who may not see what everybody did.
  fileprivate func mayAudit() throws(Failure) {
    guard roles.contains("admin") else { throw Failure(.denied, "the audit trail is for admins") }
  }
}
