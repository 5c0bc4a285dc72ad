// SPDX-License-Identifier: Apache-2.0
import Core
import JSONCodec

/// The body of `POST /v1/chat/completions`.
///
/// Source: OpenAI API reference, Create chat completion.
struct ChatCompletionRequest {
  let call: AgentCall
  let includesUsage: Bool

  /// - Throws: ``Problem`` 400 that names the field.
  init(_ object: JSONObject) throws(Problem) {
    let body = Fields(object)
    try Self.refuse(body)
    guard let list = try body.list("messages") else { throw .missing("messages") }
    var dialogue = Dialogue()
    for message in list { try Self.read(message, into: &dialogue) }
    try dialogue.close()
    let tokensMax = try body.count("max_completion_tokens")
    let tokensMaxOfOld = try body.count("max_tokens")
    call = AgentCall(
      dialogue: dialogue, dialogueField: "messages", tools: try ToolOffer(body, isNested: true),
      format: try .read(try body.fields("response_format"), isNested: true), formatField: "response_format",
      temperature: try body.number("temperature", in: 0...2),
      tokensMax: tokensMax ?? tokensMaxOfOld,
      isStreamed: try body.bool("stream") ?? false)
    includesUsage = try body.fields("stream_options")?.bool("include_usage") ?? false
  }

  /// Refuses what would change the answer and cannot be had; other unknown fields are passed over.
  private static func refuse(_ body: Fields) throws(Problem) {
    try body.refuse("n", "can only be 1") { $0.integer == 1 }
    try body.refuse("logprobs", "is not available") { $0.bool == false }
    try body.refuse("top_logprobs", "is not available") { $0.integer == 0 }
    try body.refuse("audio", "is not available; answers are text")
    try body.refuse("modalities", "can only be text") { $0.array == ["text"] }
    try body.refuse("web_search_options", "is not available; give the agent a tool that searches")
    try body.refuse("functions", "is not available; send tools") { $0.array == [] }
    try body.refuse("function_call", "is not available; send tool_choice")
  }

  private static func read(_ message: Fields, into dialogue: inout Dialogue) throws(Problem) {
    switch try message.requiredString("role") {
    case "system", "developer":
      try dialogue.system(try text(message) ?? "")
    case "user":
      guard message["content"] != nil else { throw .missing(message.name(of: "content")) }
      try dialogue.user(try MessageContent.user(message))
    case "assistant":
      try message.refuse("function_call", "is not available; send tool_calls")
      var calls: [ToolCallRequest] = []
      for call in try message.list("tool_calls") ?? [] { calls.append(try read(call: call)) }
      let refusal = try message.string("refusal")
      try dialogue.assistant(try text(message) ?? refusal, calls: calls, at: message.path)
    case "tool":
      try dialogue.tool(
        try message.requiredString("tool_call_id"), try text(message) ?? "", at: message.path)
    case let role:
      throw .wrong(message.name(of: "role"), "'\(role)' is none of system, developer, user, assistant, tool")
    }
  }

  private static func text(_ message: Fields) throws(Problem) -> String? {
    try MessageContent.text(message, "content", types: ["text", "refusal"])
  }

  private static func read(call: Fields) throws(Problem) -> ToolCallRequest {
    let type = try call.string("type") ?? "function"
    guard type == "function" else {
      throw .wrong(call.name(of: "type"), "'\(type)' is not available", code: "unsupported_value")
    }
    let function = try call.requiredFields("function")
    return ToolCallRequest(
      id: try call.requiredString("id"), name: try function.requiredString("name"),
      arguments: try function.string("arguments") ?? "{}")
  }
}

/// What a message says: a string, or a list of parts.
enum MessageContent {
  /// Kinds of parts that scripts may get; a model here reads text.
  static let otherTypes: Set<String> = [
    "image_url", "input_audio", "file", "input_image", "input_file",
  ]

  static func user(_ message: Fields) throws(Problem) -> Dialogue.Content {
    guard case .array(let elements) = message["content"] else {
      return Dialogue.Content(text: try message.string("content") ?? "")
    }
    var content = Dialogue.Content()
    var texts: [String] = []
    for part in try Fields.list(elements, at: message.name(of: "content")) {
      let type = try part.requiredString("type")
      if type == "text" || type == "input_text" {
        texts.append(try part.requiredString("text"))
      } else if otherTypes.contains(type) {
        if content.parts.isEmpty { content.partsPath = part.path }
        content.parts.append(.object(part.object))
      } else {
        throw .wrong(part.name(of: "type"), "'\(type)' is no kind of part that is known here")
      }
    }
    content.text = texts.joined(separator: "\n")
    return content
  }

  /// The text of a field that holds a string or parts of these types; `nil` when it is absent.
  static func text(_ fields: Fields, _ key: String, types: Set<String>) throws(Problem) -> String? {
    guard case .array(let elements) = fields[key] else { return try fields.string(key) }
    var texts: [String] = []
    for part in try Fields.list(elements, at: fields.name(of: key)) {
      let type = try part.requiredString("type")
      guard types.contains(type) else {
        throw .wrong(
          part.name(of: "type"), "'\(type)' is not taken here; send text", code: "unsupported_value")
      }
      texts.append(try part.requiredString(type == "refusal" ? "refusal" : "text"))
    }
    return texts.joined(separator: "\n")
  }
}
