// SPDX-License-Identifier: Apache-2.0
import Core
import JSONCodec

/// The body of a request to the Responses API.
///
/// Nothing of ours is kept there (`store`), so the history goes as items without the provider's own identifiers. What
/// the model thought goes back to it, encrypted, with the calls that followed in the same turn: the provider wants both
/// or neither.
struct ResponsesRequest {
  let call: ModelCall

  func encoded() -> [UInt8] {
    var writer = JSONWriter(reservingCapacity: call.capacity)
    let messages = call.request.messages
    let instructions = messages.prefix { if case .system = $0.content { true } else { false } }
    writer.object { writer in
      writer.member("model", call.model)
      // The default is to keep everything for 30 days.
      writer.member("store", false)
      if Self.thinks(call.model) {
        writer.key("include")
        writer.array { $0.write("reasoning.encrypted_content") }
      }
      if !instructions.isEmpty {
        let texts = instructions.map { if case .system(let text) = $0.content { text } else { "" } }
        writer.member("instructions", texts.joined(separator: "\n\n"))
      }
      writer.key("input")
      writer.array { writer in
        for message in messages[instructions.endIndex...] { write(message, to: &writer) }
      }
      if !call.request.tools.isEmpty {
        writeTools(to: &writer)
        writeToolChoice(to: &writer)
      }
      if let output = call.request.output { writeFormat(output, to: &writer) }
      if let temperature = call.temperature { writer.member("temperature", temperature) }
      if let tokensMax = call.tokensMax { writer.member("max_output_tokens", tokensMax) }
      if call.isStreamed { writer.member("stream", true) }
    }
    return writer.bytes
  }

  /// OpenAI's models that do not think refuse to be asked for it; a model of another name has nothing to say, or does.
  private static func thinks(_ model: String) -> Bool {
    !["gpt-3", "gpt-4", "chatgpt-4", "gpt-5-chat"].contains(where: model.hasPrefix)
  }

  private func write(_ message: ModelMessage, to writer: inout JSONWriter) {
    switch message.content {
    case .system(let text): write(role: "developer", text, to: &writer)
    case .user(let text, let images) where images.isEmpty: write(role: "user", text, to: &writer)
    case .user(let text, let images):
      writer.object { writer in
        writer.member("role", "user")
        writer.key("content")
        writer.array { writer in
          for image in images {
            writer.object {
              $0.member("type", "input_image")
              $0.member("image_url", image.url)
              $0.member("detail", image.detail.rawValue)
            }
          }
          writer.object {
            $0.member("type", "input_text")
            $0.member("text", text)
          }
        }
      }
    case .assistant(_, _, let verbatim?) where verbatim.origin == call.origin:
      for item in verbatim.items { writer.write(item) }
    case .assistant(let text, let calls, _):
      if let text, !text.isEmpty { write(role: "assistant", text, to: &writer) }
      for call in calls {
        writer.object {
          $0.member("type", "function_call")
          $0.member("call_id", call.id)
          $0.member("name", call.name)
          $0.member("arguments", call.arguments)
        }
      }
    case .tool(let callID, _, let content):
      writer.object {
        $0.member("type", "function_call_output")
        $0.member("call_id", callID)
        $0.member("output", content)
      }
    }
  }

  private func write(role: String, _ text: String, to writer: inout JSONWriter) {
    writer.object {
      $0.member("role", role)
      $0.member("content", text)
    }
  }

  private func writeTools(to writer: inout JSONWriter) {
    writer.key("tools")
    writer.array { writer in
      for tool in call.request.tools {
        writer.object {
          $0.member("type", "function")
          $0.member("name", tool.name)
          $0.member("description", tool.description)
          $0.member("parameters", tool.schema)
          // True unless said, and then other schemas are refused.
          $0.member("strict", tool.isStrict)
        }
      }
    }
  }

  private func writeToolChoice(to writer: inout JSONWriter) {
    switch call.request.toolChoice {
    case .auto: break
    case .required: writer.member("tool_choice", "required")
    case .named(let name):
      writer.key("tool_choice")
      writer.object {
        $0.member("type", "function")
        $0.member("name", name)
      }
    }
    if !call.request.allowsParallelCalls { writer.member("parallel_tool_calls", false) }
  }

  private func writeFormat(_ output: Schema, to writer: inout JSONWriter) {
    writer.key("text")
    writer.object { writer in
      writer.key("format")
      writer.object {
        if output == .anyObject { return $0.member("type", "json_object") }
        $0.member("type", "json_schema")
        AnswerFormat.write(output, to: &$0)
      }
    }
  }
}
