// SPDX-License-Identifier: Apache-2.0
import JSONCodec

/// What conversations in OpenAI's format are made of. That each call is answered right after the message that makes it,
/// and that a message of the user's is among them, no schema can say.
///
/// Source: `openai/openai-openapi:openapi.yaml`.
extension OpenAPI {
  static let dialogueSchemas: JSON = [
    "ChatMessage": [
      "description": "Calls of an assistant's message are answered by the tool messages right after it.",
      "anyOf": [
        open([("role", ["enum": ["system", "developer"]])], optional: [("content", chatText)]),
        open([("role", ["const": "user"]), ("content", userContent)]),
        open(
          [("role", ["const": "assistant"])],
          optional: [
            ("content", chatText), ("refusal", string), ("tool_calls", list("ChatToolCall")),
            ("function_call", ["type": "null"]),
          ]),
        open([("role", ["const": "tool"]), ("tool_call_id", string)], optional: [("content", chatText)]),
      ],
    ],
    "ChatToolCall": open(
      [("id", string), ("function", open([("name", string)], optional: [("arguments", string)]))],
      optional: [("type", ["const": "function"])]),
    "ChatTool": open([("type", ["const": "function"]), ("function", function)]),
    "ChatToolChoice": [
      "description":
        "`required`, or the name of a function, only beside tools, and for agents that a model answers for.",
      "anyOf": [choiceWord, open([("type", ["const": "function"]), ("function", open([("name", name)]))])],
    ],
    "ChatFormat": [
      "description": "Others than text only for agents that a model answers for, or that have an output.",
      "anyOf": [plainFormat, open([("type", ["const": "json_schema"]), ("json_schema", format)])],
    ],
    "ResponseItem": [
      "description": "Each function_call is answered by a function_call_output after it.",
      "anyOf": [
        item([("role", ["const": "user"]), ("content", userContent)]),
        item([
          ("role", ["enum": ["system", "developer"]]),
          ("content", text(of: ["input_text"], hasRefusal: false)),
        ]),
        item([
          ("role", ["const": "assistant"]), ("content", text(of: ["output_text", "input_text"])),
        ]),
        open([
          ("type", ["const": "function_call"]), ("call_id", string), ("name", string), ("arguments", string),
        ]),
        open([
          ("type", ["const": "function_call_output"]), ("call_id", string),
          ("output", text(of: ["input_text", "output_text"], hasRefusal: false)),
        ]),
        open([("type", ["const": "reasoning"])]),
      ],
    ],
    "ResponseTool": merged(function, [("type", ["const": "function"])]),
    "ResponseToolChoice": ["anyOf": [choiceWord, open([("type", ["const": "function"]), ("name", name)])]],
    "ResponseText": open(
      [],
      optional: [("format", ["anyOf": [plainFormat, merged(format, [("type", ["const": "json_schema"])])]])]),
  ]

  private static let name: JSON = ["type": "string", "pattern": "^[A-Za-z0-9_-]{1,64}$"]
  private static let choiceWord: JSON = ["enum": ["none", "auto", "required"]]
  private static let plainFormat: JSON = open([("type", ["enum": ["text", "json_object"]])])
  private static let format: JSON = open(
    [("name", name), ("schema", ["type": "object"])], optional: [("strict", boolean)])
  private static let function: JSON = open(
    [("name", name)],
    optional: [
      ("description", string), ("parameters", described(["type": "object"], "JSON Schema of the arguments.")),
      ("strict", boolean),
    ])

  private static let chatText = text(of: ["text"])

  /// A string, or parts of it.
  private static func text(of types: [String], hasRefusal: Bool = true) -> JSON {
    var parts: [JSON] = [
      open([("type", ["enum": .array(types.map { .string($0) })]), ("text", string)])
    ]
    if hasRefusal { parts.append(open([("type", ["const": "refusal"]), ("refusal", string)])) }
    return ["anyOf": [string, ["type": "array", "items": ["anyOf": .array(parts)]]]]
  }

  private static let userContent: JSON = [
    "anyOf": [
      string,
      [
        "type": "array",
        "items": [
          "anyOf": [
            open([("type", ["enum": ["text", "input_text"]]), ("text", string)]),
            described(
              open([("type", ["enum": .array(MessageContent.otherTypes.sorted().map { .string($0) })])]),
              "For agents that are scripts; a model takes text."),
          ]
        ],
      ],
    ]
  ]

  /// A message among other items.
  private static func item(_ members: [(String, JSON)]) -> JSON {
    open(members, optional: [("type", ["const": "message"])])
  }

  /// An object with these members, and others that are passed over; an optional one may be `null`.
  static func open(_ members: [(String, JSON)], optional: [(String, JSON)] = []) -> JSON {
    let optional = optional.map { ($0.0, $0.1 == anything ? anything : ["anyOf": [$0.1, ["type": "null"]]]) }
    return object(members, optional: optional)
  }

  private static func merged(_ schema: JSON, _ members: [(String, JSON)]) -> JSON {
    let added = object(members)
    var merged = schema.object ?? JSONObject()
    merged["properties"] = .object(
      JSONObject((added["properties"]?.object?.members ?? []) + (schema["properties"]?.object?.members ?? []))
    )
    merged["required"] = .array((added["required"]?.array ?? []) + (schema["required"]?.array ?? []))
    return .object(merged)
  }
}
