// SPDX-License-Identifier: Apache-2.0
import JSONCodec

/// Bodies and answers of the routes that speak OpenAI's format; of the bodies, what is not passed over.
///
/// Source: `openai/openai-openapi:openapi.yaml`.
extension OpenAPI {
  static let openAISchemas: JSON = [
    "ChatCompletionRequest": open(
      [
        ("model", described(string, "An agent's name.")),
        (
          "messages",
          described(
            ["type": "array", "items": reference("ChatMessage"), "minItems": 1], "The whole conversation.")
        ),
      ],
      optional: [
        ("stream", boolean), ("stream_options", open([], optional: [("include_usage", boolean)])),
        ("temperature", temperature), ("max_completion_tokens", count), ("max_tokens", count),
        ("tools", tools("ChatTool")), ("tool_choice", reference("ChatToolChoice")),
        ("parallel_tool_calls", boolean), ("response_format", reference("ChatFormat")),
        ("n", only(1)), ("logprobs", only(false)), ("top_logprobs", only(0)), ("modalities", only(["text"])),
        ("functions", only([])), ("audio", nothing), ("web_search_options", nothing),
        ("function_call", nothing),
      ]),
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
    "ResponseRequest": open(
      [
        ("model", described(string, "An agent's name.")),
        (
          "input",
          described(
            ["anyOf": [string, list("ResponseItem")]], "The whole conversation, or its only message.")
        ),
      ],
      optional: [
        ("instructions", string), ("stream", boolean), ("temperature", temperature),
        ("max_output_tokens", count), ("tools", tools("ResponseTool")),
        ("tool_choice", reference("ResponseToolChoice")), ("parallel_tool_calls", boolean),
        ("text", reference("ResponseText")), ("metadata", openObject),
        ("top_p", ["type": "number", "minimum": 0, "maximum": 1]), ("background", only(false)),
        ("top_logprobs", only(0)), ("previous_response_id", nothing), ("conversation", nothing),
        ("prompt", nothing),
      ]),
    "Response": object([
      ("id", string), ("object", ["const": "response"]), ("created_at", integer),
      ("status", ["enum": ["completed", "incomplete"]]), ("model", string), ("error", ["type": "null"]),
      ("incomplete_details", ["type": ["object", "null"]]),
      ("output", ["type": "array", "items": openObject]),
      ("instructions", orNull("string")), ("max_output_tokens", orNull("integer")), ("metadata", openObject),
      ("parallel_tool_calls", boolean), ("previous_response_id", ["type": "null"]),
      ("temperature", orNull("number")), ("text", openObject), ("tool_choice", anything),
      ("tools", ["type": "array", "items": openObject]), ("top_p", orNull("number")),
      ("store", ["const": false]),
      ("truncation", ["const": "disabled"]), ("usage", openObject),
    ]),
    "EmbeddingRequest": open(
      [
        ("model", described(string, "A provider's model for embeddings.")),
        ("input", ["anyOf": [text, ["type": "array", "items": text, "minItems": 1, "maxItems": 2048]]]),
      ], optional: [("encoding_format", ["enum": ["float", "base64"]]), ("dimensions", count)]),
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
  private static let nothing: JSON = ["type": "null"]
  private static let count: JSON = ["type": "integer", "minimum": 1, "maximum": .integer(.max)]
  private static let temperature: JSON = ["type": "number", "minimum": 0, "maximum": 2]

  static func described(_ schema: JSON, _ description: String) -> JSON {
    var object = schema.object ?? JSONObject()
    object.append("description", .string(description))
    return .object(object)
  }

  private static func tools(_ schema: String) -> JSON {
    ["type": "array", "items": reference(schema), "maxItems": .integer(Int64(ToolOffer.toolsMax))]
  }

  private static func only(_ value: JSON) -> JSON { ["const": value] }
}
