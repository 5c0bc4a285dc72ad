// SPDX-License-Identifier: Apache-2.0
import JSONCodec

extension OpenAPI {
  static let jobSchemas: JSON = [
    "DeadLetter": object([
      ("id", described(string, "The idempotency key of all its attempts.")),
      ("action", described(string, "The tool's name.")), ("payload", ["type": "object"]),
      ("user_id", string), ("key", orNull("string")), ("priority", integer), ("attempts", integer),
      (
        "error",
        described(
          object([("code", string), ("message", string), ("retryable", boolean)]),
          "Why the last attempt failed.")
      ),
      ("run_id", described(string, "The last attempt.")),
      ("published_by", described(string, "The run that published it.")), ("published_at", time),
      ("died_at", time),
    ]),
    "DeadLetterList": page("DeadLetter"),
    "Event": [
      "type": "object", "additionalProperties": true,
      "required": ["id", "event_type", "timestamp"],
      "properties": [
        "id": described(string, "Grows from event to event."),
        "event_type": described(string, "`agent.executed`; its other members are in docs/events.md."),
        "timestamp": time,
      ],
    ],
    "EventList": page("Event"),
    "ScheduleList": object([
      (
        "data",
        [
          "type": "array",
          "items": object([
            ("agent", string), ("schedule", described(string, "`0 6 * * * UTC`, `every 6h`.")),
            ("due_at", time),
            ("last_at", described(orNull("string"), "When the last run was due.")),
            ("last_run_id", orNull("string")), ("last_status", orNull("string")),
          ]),
        ]
      )
    ]),
  ]
}
