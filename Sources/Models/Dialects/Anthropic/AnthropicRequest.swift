// SPDX-License-Identifier: Apache-2.0
import Core
import JSONCodec

/// The body of a request for a message.
///
/// Roles take turns there: neighbours of one role become one message of several blocks, and the result of a tool is
/// a block of the user's.
struct AnthropicRequest {
  let call: ModelCall
  /// Name of the tool whose arguments are the structured answer.
  let answerTool: String?

  /// Tokens of an answer when nobody limits them: the field is required, and the oldest models take no more.
  static let tokensMax = 4096

  func encoded() -> [UInt8] {
    var writer = JSONWriter(reservingCapacity: call.capacity)
    let conversation = Conversation(call.request.messages)
    writer.object { writer in
      writer.member("model", call.model)
      writer.member("max_tokens", call.tokensMax ?? Self.tokensMax)
      if !conversation.system.isEmpty { writer.member("system", conversation.system) }
      writer.key("messages")
      writer.array { writer in
        for message in conversation.messages {
          writer.object { writer in
            writer.member("role", message.role)
            writer.key("content")
            writer.array { writer in
              for block in message.blocks { write(block, to: &writer) }
            }
          }
        }
      }
      writeTools(to: &writer)
      // From 0 to 1 there, to 2 elsewhere.
      if let temperature = call.temperature { writer.member("temperature", min(temperature, 1)) }
      if call.isStreamed { writer.member("stream", true) }
    }
    return writer.bytes
  }

  private func write(_ block: Conversation.Block, to writer: inout JSONWriter) {
    writer.object { writer in
      switch block {
      case .text(let text):
        writer.member("type", "text")
        writer.member("text", text)
      case .image(let image):
        writer.member("type", "image")
        writer.key("source")
        writer.object { source in
          if let content = image.content {
            source.member("type", "base64")
            source.member("media_type", content.type)
            source.member("data", content.base64)
          } else {
            source.member("type", "url")
            source.member("url", image.url)
          }
        }
      case .call(let call):
        writer.member("type", "tool_use")
        writer.member("id", Self.identifier(call.id))
        writer.member("name", call.name)
        writer.member("input", Self.input(call.arguments))
      case .result(let callID, let content):
        writer.member("type", "tool_result")
        writer.member("tool_use_id", Self.identifier(callID))
        writer.member("content", content)
      }
    }
  }

  private func writeTools(to writer: inout JSONWriter) {
    guard !call.request.tools.isEmpty || answerTool != nil else { return }
    writer.key("tools")
    writer.array { writer in
      for tool in call.request.tools {
        write(tool: tool.name, tool.description, tool.schema, to: &writer)
      }
      if let answerTool, let output = call.request.output {
        write(tool: answerTool, "Gives the final answer to the user.", output.json, to: &writer)
      }
    }
    writeToolChoice(to: &writer)
  }

  private func writeToolChoice(to writer: inout JSONWriter) {
    let forced: String?
    switch call.request.toolChoice {
    case .named(let name): forced = name
    case .required: forced = nil
    case .auto:
      guard answerTool != nil || !call.request.allowsParallelCalls else { return }
      forced = call.request.tools.isEmpty ? answerTool : nil
    }
    let isFree = answerTool == nil && call.request.toolChoice == .auto
    writer.key("tool_choice")
    writer.object {
      $0.member("type", forced != nil ? "tool" : isFree ? "auto" : "any")
      if let forced { $0.member("name", forced) }
      if !call.request.allowsParallelCalls { $0.member("disable_parallel_tool_use", true) }
    }
  }

  private func write(
    tool name: String, _ description: String, _ schema: RawJSON, to writer: inout JSONWriter
  ) {
    writer.object {
      $0.member("name", name)
      $0.member("description", description)
      $0.member("input_schema", schema)
    }
  }

  /// Arguments have to be an object, also those of a call that was refused because they were none.
  private static func input(_ arguments: String) -> RawJSON {
    let bytes = Array(arguments.utf8)
    guard let value = try? JSON(parsing: bytes), value.object != nil else {
      return RawJSON(["arguments": .string(arguments)])
    }
    return RawJSON(trusted: bytes)
  }

  /// Other providers' identifiers may hold what this one refuses. Source: API reference, `^[a-zA-Z0-9_-]+$`.
  private static func identifier(_ text: String) -> String {
    func isFit(_ scalar: Unicode.Scalar) -> Bool {
      scalar.isASCII && (scalar.properties.isAlphabetic || scalar == "-" || scalar == "_" || isDigit(scalar))
    }
    func isDigit(_ scalar: Unicode.Scalar) -> Bool { ("0"..."9").contains(scalar) }
    guard !text.unicodeScalars.allSatisfy(isFit) else { return text }
    return String(String.UnicodeScalarView(text.unicodeScalars.map { isFit($0) ? $0 : "_" }))
  }
}

/// Messages as Anthropic wants them: instructions apart, roles in turn, no empty text.
private struct Conversation {
  enum Block {
    case text(String)
    case image(ModelImage)
    case call(ToolCallRequest)
    case result(callID: String, content: String)
  }

  var system = ""
  var messages: [(role: String, blocks: [Block])] = []

  init(_ messages: [ModelMessage]) {
    var systems: [String] = []
    for message in messages {
      switch message.content {
      case .system(let text): systems.append(text)
      case .user(let text, let images):
        add("user", images.map(Block.image) + (text.isEmpty ? [] : [.text(text)]))
      case .assistant(let text, let calls, _):
        add("assistant", (text ?? "").isEmpty ? [] : [.text(text ?? "")])
        add("assistant", calls.map(Block.call))
      case .tool(let callID, _, let content): add("user", [.result(callID: callID, content: content)])
      }
    }
    system = systems.joined(separator: "\n\n")
    // Somebody has to say something.
    if self.messages.isEmpty {
      add("user", [.text(system)])
      system = ""
    }
  }

  private mutating func add(_ role: String, _ blocks: [Block]) {
    guard !blocks.isEmpty else { return }
    if messages.last?.role == role {
      messages[messages.count - 1].blocks += blocks
    } else {
      messages.append((role, blocks))
    }
  }
}
