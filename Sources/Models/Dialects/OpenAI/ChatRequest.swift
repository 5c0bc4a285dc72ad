// SPDX-License-Identifier: Apache-2.0
import Core
import JSONCodec

/// The body of a chat completion request.
///
/// Source: OpenAI API reference, `POST /chat/completions`.
struct ChatRequest {
  /// Where servers of different ages have different words for one thing.
  struct Words {
    let usesDeveloperRole: Bool
    let usesMaxCompletionTokens: Bool

    init(_ configuration: ProviderConfiguration) {
      usesDeveloperRole = configuration.usesDeveloperRole
      usesMaxCompletionTokens = configuration.usesMaxCompletionTokens
    }
  }

  let call: ModelCall
  let words: Words

  private var request: ModelRequest { call.request }

  func encoded() -> [UInt8] {
    var writer = JSONWriter(reservingCapacity: call.capacity)
    writer.object { writer in
      writer.member("model", call.model)
      writer.key("messages")
      writer.array { writer in
        for message in request.messages { write(message, to: &writer) }
      }
      // A server answers 400 to an empty list of tools.
      if !request.tools.isEmpty {
        writeTools(to: &writer)
        writeToolChoice(to: &writer)
      }
      if let output = request.output { writeFormat(output, to: &writer) }
      if let temperature = call.temperature { writer.member("temperature", temperature) }
      if let tokensMax = call.tokensMax {
        writer.member(words.usesMaxCompletionTokens ? "max_completion_tokens" : "max_tokens", tokensMax)
      }
      if call.isStreamed {
        writer.member("stream", true)
        writer.key("stream_options")
        writer.object { $0.member("include_usage", true) }
      }
    }
    return writer.bytes
  }

  private func write(_ message: ModelMessage, to writer: inout JSONWriter) {
    guard case .system(let text) = message.content else {
      return writer.write(message.json(in: Self.self) { Self.json(message.content) })
    }
    writer.object { writer in
      writer.member("role", words.usesDeveloperRole ? "developer" : "system")
      writer.member("content", text)
    }
  }

  private static func json(_ message: ModelMessage.Content) -> RawJSON {
    var writer = JSONWriter(reservingCapacity: 512)
    writer.object { writer in
      switch message {
      case .system: break
      case .user(let text, let images):
        writer.member("role", "user")
        if images.isEmpty { writer.member("content", text) } else { write(text, images, to: &writer) }
      case .assistant(let text, let calls, _):
        writer.member("role", "assistant")
        if let text { writer.member("content", text) } else { writer.member("content", JSON.null) }
        if !calls.isEmpty { write(calls, to: &writer) }
      case .tool(let callID, _, let content):
        writer.member("role", "tool")
        writer.member("tool_call_id", callID)
        writer.member("content", content)
      }
    }
    return writer.raw
  }

  private static func write(_ text: String, _ images: [ModelImage], to writer: inout JSONWriter) {
    writer.key("content")
    writer.array { writer in
      for image in images {
        writer.object {
          $0.member("type", "image_url")
          $0.key("image_url")
          $0.object {
            $0.member("url", image.url)
            $0.member("detail", image.detail.rawValue)
          }
        }
      }
      writer.object {
        $0.member("type", "text")
        $0.member("text", text)
      }
    }
  }

  private static func write(_ calls: [ToolCallRequest], to writer: inout JSONWriter) {
    writer.key("tool_calls")
    writer.array { writer in
      for call in calls {
        writer.object { writer in
          writer.member("id", call.id)
          writer.member("type", "function")
          writer.key("function")
          writer.object {
            $0.member("name", call.name)
            $0.member("arguments", call.arguments)
          }
        }
      }
    }
  }

  private func writeTools(to writer: inout JSONWriter) {
    writer.key("tools")
    writer.array { writer in
      for tool in request.tools {
        writer.object { writer in
          writer.member("type", "function")
          writer.key("function")
          writer.object {
            $0.member("name", tool.name)
            $0.member("description", tool.description)
            $0.member("parameters", tool.schema)
            if tool.isStrict { $0.member("strict", true) }
          }
        }
      }
    }
  }

  private func writeToolChoice(to writer: inout JSONWriter) {
    switch request.toolChoice {
    case .auto: break
    case .required: writer.member("tool_choice", "required")
    case .named(let name):
      writer.key("tool_choice")
      writer.object { writer in
        writer.member("type", "function")
        writer.key("function")
        writer.object { $0.member("name", name) }
      }
    }
    if !request.allowsParallelCalls { writer.member("parallel_tool_calls", false) }
  }

  private func writeFormat(_ output: Schema, to writer: inout JSONWriter) {
    writer.key("response_format")
    writer.object { writer in
      if output == .anyObject { return writer.member("type", "json_object") }
      writer.member("type", "json_schema")
      writer.key("json_schema")
      writer.object { AnswerFormat.write(output, to: &$0) }
    }
  }
}
