// SPDX-License-Identifier: Apache-2.0
import JSONCodec

/// Bodies and answers of the routes that speak OpenAI's format; of the bodies, what is not passed over.
///
/// Source: `openai/openai-openapi:openapi.yaml`.
extension OpenAPI {
  static let openAISchemas: JSON = [
    "ChatCompletionRequest": request(
      [
        ("model", described(string, "An agent's name.")),
        (
          "messages",
          described(["type": "array", "items": openObject, "minItems": 1], "The whole conversation.")
        ),
        ("stream", boolean), ("stream_options", openObject), ("temperature", temperature),
        ("max_completion_tokens", count), ("max_tokens", count), ("tools", tools), ("tool_choice", anything),
        ("parallel_tool_calls", boolean), ("response_format", openObject),
        ("n", ["type": "integer", "const": 1]),
      ], required: ["model", "messages"]),
    "ChatCompletion": object([
      ("id", string), ("object", ["const": "chat.completion"]), ("created", integer), ("model", string),
      ("system_fingerprint", string),
      (
        "choices",
        [
          "type": "array",
          "items": object([
            ("index", integer), ("message", openObject), ("logprobs", ["type": "null"]),
            ("finish_reason", ["enum": ["stop", "length", "tool_calls", "content_filter"]]),
          ]),
        ]
      ),
      (
        "usage",
        object([("prompt_tokens", integer), ("completion_tokens", integer), ("total_tokens", integer)])
      ),
    ]),
    "ResponseRequest": request(
      [
        ("model", described(string, "An agent's name.")),
        (
          "input",
          described(
            ["type": ["string", "array"], "items": openObject], "The whole conversation, or its only message."
          )
        ),
        ("instructions", string), ("stream", boolean), ("temperature", temperature),
        ("max_output_tokens", count), ("tools", tools), ("tool_choice", anything),
        ("parallel_tool_calls", boolean), ("text", openObject), ("metadata", openObject),
      ], required: ["model", "input"]),
    "Response": object([
      ("id", string), ("object", ["const": "response"]), ("created_at", integer),
      ("status", ["enum": ["completed", "incomplete"]]), ("model", string), ("error", ["type": "null"]),
      ("incomplete_details", ["type": ["object", "null"]]),
      ("output", ["type": "array", "items": openObject]),
      ("instructions", orNull("string")), ("max_output_tokens", orNull("integer")), ("metadata", openObject),
      ("parallel_tool_calls", boolean), ("previous_response_id", ["type": "null"]),
      ("temperature", orNull("number")), ("text", openObject), ("tool_choice", anything),
      ("tools", ["type": "array", "items": openObject]), ("top_p", anything), ("store", ["const": false]),
      ("truncation", ["const": "disabled"]), ("usage", openObject),
    ]),
    "EmbeddingRequest": request(
      [
        ("model", described(string, "A provider's model for embeddings.")),
        ("input", ["anyOf": [text, ["type": "array", "items": text, "minItems": 1, "maxItems": 2048]]]),
        ("encoding_format", ["enum": ["float", "base64"]]), ("dimensions", count),
      ], required: ["model", "input"]),
    "EmbeddingList": object([
      ("object", ["const": "list"]),
      (
        "data",
        [
          "type": "array",
          "items": object([
            ("object", ["const": "embedding"]), ("index", integer),
            ("embedding", ["type": ["array", "string"], "items": number]),
          ]),
        ]
      ),
      ("model", string), ("usage", object([("prompt_tokens", integer), ("total_tokens", integer)])),
    ]),
    "OpenAIModel": object([
      ("id", string), ("object", ["const": "model"]), ("created", integer), ("owned_by", string),
    ]),
    "OpenAIModelList": object([("object", ["const": "list"]), ("data", list("OpenAIModel"))]),
    "OpenAIError": object([
      (
        "error",
        object([
          ("message", string), ("type", string), ("param", orNull("string")), ("code", orNull("string")),
        ])
      )
    ]),
  ]

  private static let text: JSON = ["type": "string", "minLength": 1]
  private static let openObject: JSON = ["type": "object"]
  private static let tools: JSON = [
    "type": "array", "items": openObject, "maxItems": .integer(Int64(ToolOffer.toolsMax)),
  ]
  private static let count: JSON = ["type": "integer", "minimum": 1]
  private static let temperature: JSON = ["type": "number", "minimum": 0, "maximum": 2]

  static func described(_ schema: JSON, _ description: String) -> JSON {
    var object = schema.object ?? JSONObject()
    object.append("description", .string(description))
    return .object(object)
  }

  /// An object with these fields, and others that are passed over; an optional one may be `null`.
  private static func request(_ fields: [(String, JSON)], required: [String]) -> JSON {
    var properties = JSONObject()
    for (name, schema) in fields {
      let isRequired = required.contains(name) || schema == anything
      properties.append(name, isRequired ? schema : ["anyOf": [schema, ["type": "null"]]])
    }
    return [
      "type": "object", "properties": .object(properties),
      "required": .array(required.map { .string($0) }), "additionalProperties": true,
    ]
  }
}
