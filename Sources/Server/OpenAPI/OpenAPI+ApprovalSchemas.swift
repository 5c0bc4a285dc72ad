// SPDX-License-Identifier: Apache-2.0
import Core
import JSONCodec

extension OpenAPI {
  static let approvalSchemas: JSON = [
    "Approval": object([
      ("id", string), ("run_id", string), ("user_id", string), ("agent", string), ("title", string),
      ("detail", anything), ("choices", strings),
      ("fields", ["description": "JSON Schema of what is to be filled in; null = nothing."]),
      ("roles", strings), ("digest", string),
      ("status", ["enum": .array(Approval.Status.allCases.map { .string($0.rawValue) })]),
      ("created_at", time), ("expires_at", ["type": ["string", "null"], "format": "date-time"]),
      (
        "decision",
        [
          "oneOf": [
            object([
              ("decision", string), ("comment", orNull("string")), ("values", anything), ("user_id", string),
              ("at", time),
            ]), ["type": "null"],
          ]
        ]
      ),
    ]),
    "ApprovalList": page("Approval"),
    "RunTrace": object([
      ("run", reference("Run")), ("spans", list("Span")), ("feedback", list("Feedback")),
    ]),
    "Span": object([
      ("key", string), ("name", string), ("status", ["enum": ["ok", "failed", "open"]]), ("started_at", time),
      ("duration_ms", number), ("arguments", anything), ("result", anything),
      ("error", ["oneOf": [object([("code", string), ("message", string)]), ["type": "null"]]]),
      ("usage", ["oneOf": [reference("Usage"), ["type": "null"]]]),
    ]),
    "WaitingRun": object([
      ("run_id", string), ("session_id", string), ("status", ["const": "waiting"]),
      ("approval", ["oneOf": [reference("Approval"), ["type": "null"]]]),
    ]),
  ]
}
