// SPDX-License-Identifier: Apache-2.0
import Core
import HTTPTypes
import JSONCodec

extension Services {
  private static let decisionBody = BodyShape(fields: [
    .init(
      name: "decision", kind: .string(lengthMin: 1), isRequired: true,
      description: "One of the approval's choices: approve or reject, unless it says otherwise.",
      example: "approve"),
    .init(
      name: "comment", kind: .string(lengthMin: 0), isRequired: false,
      description: "What the run, and who reads the trace, is told of the reasons.",
      example: "as agreed"),
    .init(
      name: "values", kind: .object, isRequired: false, description: "What the approval's fields ask for."),
  ])

  var approvalRoutes: [Route] {
    [
      Route(
        .get, "/v1/approvals", name: "listApprovals",
        summary: "Lists the questions that runs wait for and that the caller may see, the latest first.",
        list: .approvals, answers: [.init(.ok, "A page.", .json("ApprovalList"))]
      ) { exchange in
        .document(
          try await store.approvals(visibleTo: exchange.user, status: nil, page: try exchange.page()))
      },
      Route(
        .get, "/v1/approvals/{id}", name: "getApproval", summary: "Shows one question.",
        answers: [.init(.ok, "The question, and its answer if it has one.", .json("Approval"))]
      ) { exchange in
        let id = exchange.parameters[0]
        let approval = try await store.approval(id: id)
        guard approval.isVisible(to: exchange.user) else { throw Failure(.notFound, "no approval '\(id)'") }
        return .document(approval)
      },
      Route(
        .post, "/v1/approvals/{id}", name: "decideApproval",
        summary: "Answers a question, once; the run that waits for it goes on.", body: Self.decisionBody,
        answers: [.init(.ok, "The question with its answer.", .json("Approval"))], fails: [.conflict]
      ) { exchange in
        let body = try await exchange.body(Self.decisionBody)
        return .document(
          try await runner.decide(
            approval: exchange.parameters[0], body["decision"]?.string ?? "",
            comment: body["comment"]?.string, values: body["values"], as: exchange.user))
      },
    ]
  }
}
