// SPDX-License-Identifier: Apache-2.0
import Core
import JSONCodec
import NIOCore

/// What all documents of one chat completion share.
struct ChatCompletion: Sendable {
  let model: String
  /// The scripts' version: what OpenAI calls the configuration that answered.
  let version: String

  /// The whole answer.
  ///
  /// - Parameter content: Its text, as this caller wants it.
  func document(_ reply: ChatReply, content: String) -> [UInt8] {
    var writer = JSONWriter(reservingCapacity: 512 + content.utf8.count)
    writer.object { writer in
      writeHead(runID: reply.runID, version: reply.version, object: "chat.completion", to: &writer)
      writer.key("choices")
      writer.array { list in
        list.object {
          $0.member("index", 0)
          $0.key("message")
          $0.object { writeMessage(reply, content: content, to: &$0) }
          $0.member("logprobs", JSON.null)
          $0.member("finish_reason", reply.finishReason.openAI)
        }
      }
      writer.key("usage")
      writer.write(tokensOf: reply.usage)
    }
    return writer.bytes
  }

  private func writeMessage(_ reply: ChatReply, content: String, to writer: inout JSONWriter) {
    writer.member("role", "assistant")
    let isRefusal = reply.finishReason == .refusal
    let isSilent = isRefusal || content.isEmpty && !reply.handedOut.isEmpty
    writer.member("content", isSilent ? JSON.null : .string(content))
    writer.member("refusal", isRefusal ? .string(content) : JSON.null)
    guard !reply.handedOut.isEmpty else { return }
    writer.key("tool_calls")
    writer.array { list in
      for (index, call) in reply.handedOut.enumerated() {
        list.object { $0.write(call, runID: reply.runID, index: index) }
      }
    }
  }

  fileprivate func writeHead(
    runID: String, version: String, object: String, to writer: inout JSONWriter
  ) {
    writer.member("id", "chatcmpl-\(runID)")
    writer.member("object", object)
    writer.member("created", Identifier.time(of: runID).milliseconds / 1000)
    writer.member("model", model)
    writer.member("system_fingerprint", version)
  }
}

/// A run's events as chunks of a chat completion.
///
/// Source: OpenAI API reference, The chat completion chunk object.
struct ChatCompletionChunks: RunEventEncoder {
  let completion: ChatCompletion
  let includesUsage: Bool
  /// The answer's text, as this caller wants it.
  let content: @Sendable (ChatReply) -> String
  private var runID = ""
  private var text: ShownText

  /// - Parameter isHeld: Nothing may be shown before the answer is whole.
  init(
    _ completion: ChatCompletion, includesUsage: Bool, isHeld: Bool,
    content: @escaping @Sendable (ChatReply) -> String
  ) {
    self.completion = completion
    self.includesUsage = includesUsage
    self.content = content
    text = ShownText(isHeld: isHeld)
  }

  mutating func write(_ event: RunEvent, _ place: RunEventPlace, to buffer: inout ByteBuffer) {
    switch event {
    case .started(let runID, _):
      self.runID = runID
      writeDelta(to: &buffer) {
        $0.member("role", "assistant")
        $0.member("content", "")
        $0.member("refusal", JSON.null)
      }
    case .text(let piece):
      if let piece = text.add(piece) { writeText(piece, to: &buffer) }
    case .toolStarted, .toolFinished: text.interrupt()
    case .approvalRequested: break
    case .waiting(let run): write(.failed(.init(waiting: run)), place, to: &buffer)
    case .completed(let reply): writeEnd(of: reply, to: &buffer)
    case .failed(let failure):
      var writer = JSONWriter(reservingCapacity: 256)
      Problem(failure, isDraining: place.isDraining).writeOpenAIError(to: &writer)
      buffer.writeEvent(data: writer.bytes)
    }
  }

  private func writeText(_ piece: String, to buffer: inout ByteBuffer) {
    writeDelta(to: &buffer) { $0.member("content", piece) }
  }

  private mutating func writeEnd(of reply: ChatReply, to buffer: inout ByteBuffer) {
    if reply.finishReason == .refusal, text.all.isEmpty {
      writeDelta(to: &buffer) { $0.member("refusal", content(reply)) }
    } else if let piece = text.rest(of: content(reply)) {
      writeText(piece, to: &buffer)
    }
    for (index, call) in reply.handedOut.enumerated() {
      writeDelta(to: &buffer) { delta in
        delta.key("tool_calls")
        delta.array { list in
          list.object {
            $0.member("index", index)
            $0.write(call, runID: reply.runID, index: index)
          }
        }
      }
    }
    writeDelta(finishReason: reply.finishReason.openAI, to: &buffer) { _ in }
    if includesUsage {
      writeChunk(to: &buffer) {
        $0.key("choices")
        $0.array { _ in }
        $0.key("usage")
        $0.write(tokensOf: reply.usage)
      }
    }
    buffer.writeStaticString("data: [DONE]\n\n")
  }

  private func writeDelta(
    finishReason: String? = nil, to buffer: inout ByteBuffer, _ body: (inout JSONWriter) -> Void
  ) {
    writeChunk(to: &buffer) { writer in
      writer.key("choices")
      writer.array { list in
        list.object {
          $0.member("index", 0)
          $0.key("delta")
          $0.object(body)
          $0.member("logprobs", JSON.null)
          $0.member("finish_reason", finishReason.map(JSON.string) ?? .null)
        }
      }
      if includesUsage { writer.member("usage", JSON.null) }
    }
  }

  private func writeChunk(to buffer: inout ByteBuffer, _ body: (inout JSONWriter) -> Void) {
    var writer = JSONWriter(reservingCapacity: 256)
    writer.object {
      completion.writeHead(
        runID: runID, version: completion.version, object: "chat.completion.chunk", to: &$0)
      body(&$0)
    }
    buffer.writeEvent(data: writer.bytes)
  }
}

extension ByteBuffer {
  /// Writes one server-sent event; `data` is one line.
  mutating func writeEvent(_ name: String? = nil, data: [UInt8]) {
    if let name { writeString("event: \(name)\n") }
    writeStaticString("data: ")
    writeBytes(data)
    writeStaticString("\n\n")
  }
}

extension FinishReason {
  /// OpenAI's word for it; an answer that was cut short, by whatever, is one of limited length.
  var openAI: String {
    switch self {
    case .stop, .refusal: "stop"
    case .length, .limit, .repeatedCall, .interrupted, .cancelled: "length"
    case .contentFilter: "content_filter"
    case .toolCalls: "tool_calls"
    }
  }
}

extension JSONWriter {
  /// The members of a call that was handed out.
  fileprivate mutating func write(_ call: ToolCallRequest, runID: String, index: Int) {
    member("id", HandedOutCall.id(ofRun: runID, at: index))
    member("type", "function")
    key("function")
    object {
      $0.member("name", call.name)
      $0.member("arguments", call.arguments)
    }
  }

  fileprivate mutating func write(tokensOf usage: Usage) {
    object {
      $0.member("prompt_tokens", usage.inputTokens)
      $0.member("completion_tokens", usage.outputTokens)
      $0.member("total_tokens", usage.tokens)
    }
  }
}
