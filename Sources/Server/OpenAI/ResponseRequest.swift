// SPDX-License-Identifier: Apache-2.0
import Core
import JSONCodec

/// The body of `POST /v1/responses`.
///
/// Source: OpenAI API reference, Create a model response.
struct ResponseRequest {
  let call: AgentCall
  /// Fields that the answer repeats, as they came or with their defaults.
  let echo: JSONObject

  /// - Throws: ``Problem`` 400 that names the field.
  init(_ object: JSONObject) throws(Problem) {
    let body = Fields(object)
    try Self.refuse(body)
    let text = try body.fields("text")
    call = AgentCall(
      dialogue: try Self.dialogue(body), dialogueField: "input",
      tools: try ToolOffer(body, isNested: false),
      format: try .read(try text?.fields("format"), isNested: false), formatField: "text.format",
      temperature: try body.number("temperature", in: 0...2), tokensMax: try body.count("max_output_tokens"),
      isStreamed: try body.bool("stream") ?? false)
    // Nobody reads them here, but the answer repeats them.
    _ = try body.fields("metadata")
    _ = try body.number("top_p", in: 0...1)
    let defaults: [(String, JSON)] = [
      ("instructions", .null), ("max_output_tokens", .null), ("metadata", [:]), ("parallel_tool_calls", true),
      ("previous_response_id", .null), ("temperature", .null), ("text", ["format": ["type": "text"]]),
      ("tool_choice", "auto"), ("tools", []), ("top_p", .null),
    ]
    echo = JSONObject(defaults.map { ($0.0, body[$0.0] ?? $0.1) })
  }

  private static func refuse(_ body: Fields) throws(Problem) {
    let keepsNothing = "is not available: nothing is kept here, so send the whole conversation as input"
    try body.refuse("previous_response_id", keepsNothing)
    try body.refuse("conversation", keepsNothing)
    try body.refuse("background", "is not available") { $0.bool == false }
    try body.refuse("prompt", "is not available; the agent has a prompt of its own")
    try body.refuse("top_logprobs", "is not available") { $0.integer == 0 }
  }

  private static func dialogue(_ body: Fields) throws(Problem) -> Dialogue {
    var dialogue = Dialogue()
    if let instructions = try body.string("instructions") { try dialogue.system(instructions) }
    switch body["input"] {
    case nil: throw .missing("input")
    case .string(let text): try dialogue.user(Dialogue.Content(text: text))
    case .array(let items):
      for item in try Fields.list(items, at: "input") { try read(item, into: &dialogue) }
    case .some(let value):
      throw .wrong("input", "must be a string or a list, not \(value.typeName)", code: "invalid_type")
    }
    try dialogue.close()
    return dialogue
  }

  private static func read(_ item: Fields, into dialogue: inout Dialogue) throws(Problem) {
    switch try item.string("type") ?? "message" {
    case "message": try read(message: item, into: &dialogue)
    case "function_call":
      try dialogue.call(
        ToolCallRequest(
          id: try item.requiredString("call_id"), name: try item.requiredString("name"),
          arguments: try item.requiredString("arguments")),
        at: item.path)
    case "function_call_output":
      let output = try MessageContent.text(item, "output", types: ["input_text", "output_text"])
      guard let output else { throw .missing(item.name(of: "output")) }
      try dialogue.tool(try item.requiredString("call_id"), output, at: item.path)
    // Sent back as it came from a model that thought aloud; ours is asked anew.
    case "reasoning": break
    case let type:
      throw .wrong(item.name(of: "type"), "'\(type)' is not available", code: "unsupported_value")
    }
  }

  private static func read(message: Fields, into dialogue: inout Dialogue) throws(Problem) {
    guard message["content"] != nil else { throw .missing(message.name(of: "content")) }
    switch try message.requiredString("role") {
    case "user": try dialogue.user(try MessageContent.user(message))
    case "system", "developer":
      try dialogue.system(try MessageContent.text(message, "content", types: ["input_text"]) ?? "")
    case "assistant":
      let types: Set = ["output_text", "input_text", "refusal"]
      try dialogue.answer(
        try MessageContent.text(message, "content", types: types) ?? "", at: message.path)
    case let role:
      throw .wrong(message.name(of: "role"), "'\(role)' is none of user, assistant, system, developer")
    }
  }
}
