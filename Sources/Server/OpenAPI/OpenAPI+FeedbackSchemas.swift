// SPDX-License-Identifier: Apache-2.0
import Core
import JSONCodec

extension OpenAPI {
  static let feedbackSchemas: JSON = [
    "Feedback": object([
      ("run_id", string), ("user_id", described(string, "Who thinks so.")), ("agent", string),
      ("version", described(string, "Of the scripts that the run ran on.")), ("score", score),
      ("comment", orNull("string")), ("at", time),
    ]),
    "FeedbackList": page("Feedback"),
    "FeedbackSums": object([
      (
        "data",
        [
          "type": "array", "maxItems": .integer(Int64(FeedbackSummary.listedMax)),
          "items": object([
            ("agent", string), ("version", string), ("count", integer), ("mean", score),
            ("positive", described(integer, "Scores above 0.")),
            ("negative", described(integer, "Scores below 0.")), ("first_at", time), ("last_at", time),
          ]),
        ]
      )
    ]),
  ]

  private static let score = described(
    BodyShape.Kind.number(Feedback.scores).schema, "From -1, bad, to 1, good.")
}
