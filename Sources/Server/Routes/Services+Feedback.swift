// SPDX-License-Identifier: Apache-2.0
import Core
import HTTPTypes
import JSONCodec

/// What people think of runs.
extension Services {
  private static let judgement = BodyShape(fields: [
    .init(
      name: "run_id", kind: .string(lengthMin: 1), isRequired: true,
      description: "Of the answer that is judged; its run has ended.",
      example: "0192f0c1-6a00-7000-8000-000000000001"),
    .init(
      name: "score", kind: .number(Feedback.scores), isRequired: true,
      description: "-1 is bad, 1 is good, 0 neither: a thumb is one of the ends, stars lie between.",
      example: 1),
    .init(
      name: "comment", kind: .string(lengthMax: Feedback.commentLengthMax), isRequired: false,
      description: "Why; the rules of guardrails for messages hold for it.", example: "just what I meant"),
  ])

  private static let feedbackQuery: [BodyShape.Field] = [
    .init(
      name: "agent", kind: .string(), isRequired: false, description: "Only of this agent's runs.",
      example: "todo"),
    .init(
      name: "version", kind: .string(), isRequired: false,
      description: "Only of runs on this version of the scripts, or one that begins with it.",
      example: "sha256:4f0c"),
    .init(
      name: "since", kind: .time, isRequired: false, description: "Only what was said from then on.",
      example: "2026-01-31T12:00:00Z"),
  ]

  var feedbackRoutes: [Route] {
    [
      Route(
        .post, "/v1/feedback", name: "giveFeedback",
        summary: "Says what the caller thinks of a run, in the place of what they thought of it before.",
        access: .agent, body: Self.judgement, answers: [.init(.ok, "It is kept.", .json("Feedback"))],
        fails: [.notFound, .conflict, .unprocessableContent]
      ) { exchange in
        let body = try await exchange.body(Self.judgement)
        let comment = body["comment"]?.string ?? ""
        let feedback = try await runner.judge(
          run: body["run_id"]?.string ?? "", score: body["score"]?.double ?? 0,
          comment: comment.isEmpty ? nil : comment, as: exchange.user)
        metrics.versions.judged(feedback)
        return .document(feedback)
      },
      Route(
        .get, "/v1/feedback", name: "listFeedback",
        summary: "Lists what people think of runs, the latest first; for operators.", list: .feedback,
        query: Self.feedbackQuery, answers: [.init(.ok, "A page.", .json("FeedbackList"))]
      ) { exchange in
        let page = try exchange.page(beside: Self.feedbackQuery)
        return .document(try await store.feedback(try filter(exchange), page: page))
      },
      Route(
        .get, "/v1/feedback/summary", name: "sumFeedback",
        summary:
          "Counts what people think of runs, by agent and version, those that were judged last first; for operators.",
        query: Self.feedbackQuery, answers: [.init(.ok, "The sums.", .json("FeedbackSums"))]
      ) { exchange in
        try exchange.check(Self.feedbackQuery)
        return .document(FeedbackSums(try await store.feedbackSummary(try filter(exchange))))
      },
    ]
  }

  private func filter(_ exchange: Exchange) throws -> FeedbackFilter {
    guard exchange.user.isOperator else {
      throw Failure(.denied, "what everybody thinks of runs is for operators and admins")
    }
    return FeedbackFilter(
      visibleTo: exchange.user.visibility, agent: exchange.parameter("agent"),
      version: exchange.parameter("version"),
      since: exchange.parameter("since").flatMap(Timestamp.init(parsing:)))
  }
}
