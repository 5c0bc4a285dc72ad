// SPDX-License-Identifier: Apache-2.0
import JSONCodec

/// Answers in other systems' shapes.
extension OpenAPI {
  static let aliasSchemas: JSON = [
    "TodoReply": object([
      ("session_id", string), ("message_id", string), ("response", string), ("timestamp", time),
      ("tool_calls", listOf(object([("id", string), ("name", string), ("arguments", anything)]))),
      (
        "tool_results",
        listOf(
          object(
            [("tool_call_id", string), ("name", string)],
            optional: [
              ("result", anything), ("error", object([("code", string), ("message", string)])),
            ]))
      ), ("using_stub", boolean),
    ]),
    "AdvisorReply": object([
      ("agent_id", string), ("user_id", string), ("conversation_id", string), ("message_id", string),
      ("response", string), ("data", anything), ("tokens_used", integer), ("using_stub", boolean),
      ("timestamp", time),
    ]),
    "WebChatSession": object([("session_id", string)]),
    "WebChatReply": object([("response", string), ("data", anything)]),
  ]

  private static func listOf(_ schema: JSON) -> JSON { ["type": "array", "items": schema] }
}
