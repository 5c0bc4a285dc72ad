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
  ]
}
