// SPDX-License-Identifier: Apache-2.0
import Core
import JSONCodec

/// One server-sent event each, as it stands in a stream.
extension OpenAPI {
  static let eventSchemas: JSON = [
    "RunEvent": object([
      ("id", described(string, "Its number in the run, for Last-Event-ID.")),
      (
        "event",
        [
          "enum": [
            "run.started", "message.delta", "tool.started", "tool.finished", "approval.requested",
            "run.waiting",
            "message.completed", "error",
          ]
        ]
      ), ("data", data("A ChatReply for `message.completed`, a Problem for `error`.")),
    ]),
    "ServerEvent": object([
      ("id", described(string, "Its number on the server, for Last-Event-ID.")),
      ("event", described(string, "Its `event_type`.")), ("data", data("An Event.")),
    ]),
    "VersionEvent": object([("event", ["const": "scripts"]), ("data", data("A CurrentVersion."))]),
    "ChatCompletionEvent": object([
      ("data", described(string, "A chunk as OpenAI's, or `[DONE]`, which is the last one."))
    ]),
    "ResponseEvent": object([
      ("event", described(string, "`response.output_text.delta`.")), ("data", data("An event as OpenAI's.")),
    ]),
  ]

  private static func data(_ description: String) -> JSON {
    ["type": "string", "contentMediaType": "application/json", "description": .string(description)]
  }
}
