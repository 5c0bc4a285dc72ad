// SPDX-License-Identifier: Apache-2.0
import Core
import JSONCodec

extension OpenAPI {
  static let schemas: JSON = {
    var all = ownSchemas.object ?? JSONObject()
    for schemas in [
      openAISchemas, dialogueSchemas, versionSchemas, approvalSchemas, jobSchemas, auditSchemas, eventSchemas,
      feedbackSchemas,
    ] {
      for (name, schema) in schemas.object?.members ?? [] { all.append(name, schema) }
    }
    return .object(all)
  }()

  private static let ownSchemas: JSON = [
    "ChatReply": object([
      ("session_id", string), ("message_id", string), ("run_id", string), ("agent", string),
      ("version", string), ("response", string), ("data", anything), ("using_stub", boolean),
      (
        "finish_reason",
        choice([.stop, .length, .contentFilter, .refusal, .limit, .repeatedCall, .interrupted, .cancelled])
      ),
      ("tool_calls", list("ToolCall")), ("usage", reference("Usage")), ("timestamp", time),
    ]),
    "ToolCall": object([
      ("id", string), ("name", string), ("arguments", anything), ("result", anything),
      (
        "error",
        [
          "oneOf": [
            object([("code", string), ("message", string), ("retryable", boolean)]), ["type": "null"],
          ]
        ]
      ),
      ("duration_ms", number),
    ]),
    "Usage": object(
      [
        ("input_tokens", integer), ("output_tokens", integer),
        ("cost_usd", ["type": ["number", "null"], "description": "null = no price is known."]),
      ],
      optional: [
        ("estimated", ["const": true, "description": "The provider did not count all of it; we guessed."])
      ]),
    "Agent": object([
      ("name", string), ("description", string), ("models", strings),
      (
        "tools",
        [
          "type": ["array", "null"], "items": string,
          "description": "null = the script chooses them for each run.",
        ]
      ),
      ("agents", strings), ("version", string),
      (
        "state",
        [
          "enum": .array(AgentLifecycle.State.allCases.map { .string($0.rawValue) }),
          "description": "EXECUTING while any of its runs is under way; then as the last one ended.",
        ]
      ),
      ("problems", list("ScriptProblem")),
    ]),
    "AgentList": object([
      ("data", list("Agent")), ("next", orNull("string")), ("problems", list("ScriptProblem")),
    ]),
    "ScriptProblem": [
      "description": "What keeps a changed script from coming into force.", "type": "object",
      "properties": [
        "file": string, "line": integer, "column": integer, "severity": string, "code": string,
        "message": string, "hint": orNull("string"),
        "text": ["type": "string", "description": "For people: with the source line and a caret."],
      ],
      "required": ["file", "line", "column", "severity", "code", "message", "hint", "text"],
    ],
    "Session": object(sessionMembers),
    "SessionWithTotals": object(
      sessionMembers + [
        ("runs", described(integer, "Each message is one.")), ("usage", reference("Usage")),
        ("first_run_at", timeOrNull), ("last_run_at", timeOrNull),
        ("feedback", object([("count", integer), ("mean", orNull("number"))])),
      ]),
    "SessionList": page("Session"),
    "Message": object([
      ("id", string), ("run_id", string), ("role", ["enum": ["user", "assistant"]]), ("content", string),
      ("tool_calls", list("ToolCall")), ("error", orNull("string")), ("tokens", integer),
      ("tokens_estimated", boolean), ("created_at", time),
    ]),
    "MessageList": page("Message"),
    "Run": object(runMembers),
    "RunWithFeedback": object(
      runMembers + [("feedback", described(list("Feedback"), "The latest first."))]),
    "RunList": page("Run"),
    "Health": object([
      ("status", ["enum": ["healthy", "unhealthy"]]),
      (
        "checks",
        object(
          ["database", "openai", "redis", "memory", "disk"].map {
            ($0, ["enum": ["healthy", "unhealthy", "not_used"]])
          })
      ),
    ]),
    "Liveness": object([("status", ["const": "ok"])]),
    "Readiness": object([
      ("status", ["enum": ["ready", "degraded", "not_ready"]]),
      (
        "parts",
        object([
          ("store", object([("status", ["enum": ["ok", "failed"]])])),
          (
            "scripts",
            object(
              [("status", ["enum": ["ok", "degraded", "no_agents"]]), ("version", string)],
              optional: [("problems", integer)])
          ),
          ("model", object([("status", ["enum": ["ok", "not_configured"]])])),
          (
            "models",
            [
              "type": "array",
              "description":
                "The models that were asked so far; one that fails too often is open for a while.",
              "items": object(
                [("name", string), ("status", ["enum": ["closed", "probing", "open"]])],
                optional: [("retry_after_seconds", number)]),
            ]
          ),
        ])
      ),
    ]),
    "OpenAPI": ["type": "object"],
    "Problem": [
      "type": "object",
      "properties": [
        "type": string, "title": string, "status": integer, "detail": string, "code": string,
        "request_id": string,
        "errors": ["type": "array", "items": object([("field", string), ("message", string)])],
      ],
      "required": ["type", "title", "status", "detail", "code", "request_id"],
    ],
  ]

  private static let runMembers: [(String, JSON)] = [
    ("id", string), ("user_id", string), ("session_id", orNull("string")), ("agent", string),
    ("version", string),
    ("status", ["enum": .array(RunRecord.Status.allCases.map { .string($0.rawValue) })]),
    ("error", orNull("string")), ("usage", reference("Usage")), ("started_at", time),
    ("finished_at", timeOrNull),
  ]
  private static let sessionMembers: [(String, JSON)] = [
    ("id", string), ("title", string), ("agent", orNull("string")), ("message_count", integer),
    ("created_at", time), ("updated_at", time),
  ]
  private static let timeOrNull: JSON = ["type": ["string", "null"], "format": "date-time"]

  static let string: JSON = ["type": "string"]
  static let strings: JSON = ["type": "array", "items": string]
  static let boolean: JSON = ["type": "boolean"]
  static let integer: JSON = ["type": "integer"]
  static let number: JSON = ["type": "number"]
  static let time: JSON = ["type": "string", "format": "date-time"]
  static let anything: JSON = [:]

  static func orNull(_ type: String) -> JSON { ["type": [.string(type), "null"]] }

  private static func choice(_ reasons: [FinishReason]) -> JSON {
    ["enum": .array(reasons.map { .string($0.rawValue) })]
  }

  static func list(_ schema: String) -> JSON { ["type": "array", "items": reference(schema)] }

  static func page(_ schema: String) -> JSON {
    object([("data", list(schema)), ("next", orNull("string"))])
  }

  /// An object that has all these members.
  static func object(_ members: [(String, JSON)], optional: [(String, JSON)] = []) -> JSON {
    [
      "type": "object", "properties": .object(JSONObject(members + optional)),
      "required": .array(members.map { .string($0.0) }),
    ]
  }
}
