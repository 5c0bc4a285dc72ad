// SPDX-License-Identifier: Apache-2.0
import Core
import JSONCodec
import NIOCore

/// A run's events as the events of a response; each says its `type` and its number from 0.
///
/// Source: OpenAI API reference, Streaming events of responses.
struct ResponseEvents: RunEventEncoder {
  private var response: ModelResponse
  /// The answer's text, as this caller wants it.
  private let content: @Sendable (ChatReply) -> String
  private var text: ShownText
  private var sequence = 0
  private var hasMessage = false

  /// - Parameter isHeld: Nothing may be shown before the answer is whole.
  init(_ response: ModelResponse, isHeld: Bool, content: @escaping @Sendable (ChatReply) -> String) {
    self.response = response
    self.content = content
    text = ShownText(isHeld: isHeld)
  }

  mutating func write(_ event: RunEvent, _ place: RunEventPlace, to buffer: inout ByteBuffer) {
    switch event {
    case .started(let runID, _):
      response.runID = runID
      for name in ["response.created", "response.in_progress"] { write(.inProgress, name, to: &buffer) }
    case .text(let piece):
      if let piece = text.add(piece) { writeText(piece, to: &buffer) }
    case .toolStarted, .toolFinished: text.interrupt()
    case .approvalRequested: break
    case .waiting(let run): write(.failed(.init(waiting: run)), place, to: &buffer)
    case .completed(let reply): writeEnd(of: reply, to: &buffer)
    case .failed(let failure):
      write(.failed(Problem(failure, isDraining: place.isDraining)), "response.failed", to: &buffer)
    }
  }

  private mutating func writeEnd(of reply: ChatReply, to buffer: inout ByteBuffer) {
    let isRefusal = reply.finishReason == .refusal && text.all.isEmpty
    if isRefusal {
      writeRefusal(content(reply), to: &buffer)
    } else {
      if let piece = text.rest(of: content(reply)) { writeText(piece, to: &buffer) }
      if !hasMessage, reply.handedOut.isEmpty { openMessage(isRefusal: false, to: &buffer) }
      if hasMessage { closeMessage(text.all, isRefusal: false, to: &buffer) }
    }
    for (index, call) in reply.handedOut.enumerated() { writeCall(call, index, to: &buffer) }
    let isComplete = ["stop", "tool_calls"].contains(reply.finishReason.openAI)
    write(
      .ended(reply, content: isRefusal ? content(reply) : text.all),
      isComplete ? "response.completed" : "response.incomplete", to: &buffer)
  }

  // MARK: The message

  private mutating func writeText(_ piece: String, to buffer: inout ByteBuffer) {
    if !hasMessage { openMessage(isRefusal: false, to: &buffer) }
    write("response.output_text.delta", to: &buffer) { [response] in
      $0.placePart(response.messageID)
      $0.member("delta", piece)
      $0.member("logprobs", JSON.array([]))
    }
  }

  private mutating func writeRefusal(_ text: String, to buffer: inout ByteBuffer) {
    openMessage(isRefusal: true, to: &buffer)
    for (name, key) in [("response.refusal.delta", "delta"), ("response.refusal.done", "refusal")] {
      write(name, to: &buffer) { [response] in
        $0.placePart(response.messageID)
        $0.member(named: key, text)
      }
    }
    closeMessage(text, isRefusal: true, to: &buffer)
  }

  private mutating func openMessage(isRefusal: Bool, to buffer: inout ByteBuffer) {
    hasMessage = true
    write("response.output_item.added", to: &buffer) { [response] in
      $0.member("output_index", 0)
      $0.key("item")
      response.writeMessage(nil, isRefusal: isRefusal, status: "in_progress", to: &$0)
    }
    writePart("response.content_part.added", "", isRefusal: isRefusal, to: &buffer)
  }

  private mutating func closeMessage(_ text: String, isRefusal: Bool, to buffer: inout ByteBuffer) {
    if !isRefusal {
      write("response.output_text.done", to: &buffer) { [response] in
        $0.placePart(response.messageID)
        $0.member("text", text)
        $0.member("logprobs", JSON.array([]))
      }
    }
    writePart("response.content_part.done", text, isRefusal: isRefusal, to: &buffer)
    write("response.output_item.done", to: &buffer) { [response] in
      $0.member("output_index", 0)
      $0.key("item")
      response.writeMessage(text, isRefusal: isRefusal, status: "completed", to: &$0)
    }
  }

  private mutating func writePart(
    _ name: String, _ text: String, isRefusal: Bool, to buffer: inout ByteBuffer
  ) {
    write(name, to: &buffer) { [response] in
      $0.placePart(response.messageID)
      $0.key("part")
      ModelResponse.writePart(text, isRefusal: isRefusal, to: &$0)
    }
  }

  // MARK: Calls

  private mutating func writeCall(_ call: ToolCallRequest, _ index: Int, to buffer: inout ByteBuffer) {
    let place = index + (hasMessage ? 1 : 0)
    func item(isWhole: Bool) -> (inout JSONWriter) -> Void {
      { [response] in
        $0.member("output_index", place)
        $0.key("item")
        response.writeCall(call, index: index, isWhole: isWhole, to: &$0)
      }
    }
    func arguments(_ key: String) -> (inout JSONWriter) -> Void {
      { [response] in
        $0.member("item_id", response.itemID(ofCall: index))
        $0.member("output_index", place)
        $0.member(named: key, call.arguments)
        if key == "arguments" { $0.member("name", call.name) }
      }
    }
    write("response.output_item.added", to: &buffer, item(isWhole: false))
    write("response.function_call_arguments.delta", to: &buffer, arguments("delta"))
    write("response.function_call_arguments.done", to: &buffer, arguments("arguments"))
    write("response.output_item.done", to: &buffer, item(isWhole: true))
  }

  // MARK: The wire

  private mutating func write(_ status: ModelResponse.Status, _ name: String, to buffer: inout ByteBuffer) {
    write(name, to: &buffer) { [response] in
      $0.key("response")
      response.write(status, to: &$0)
    }
  }

  private mutating func write(_ name: String, to buffer: inout ByteBuffer, _ body: (inout JSONWriter) -> Void)
  {
    var writer = JSONWriter(reservingCapacity: 256)
    writer.object {
      $0.member("type", name)
      $0.member("sequence_number", sequence)
      body(&$0)
    }
    sequence += 1
    buffer.writeEvent(name, data: writer.bytes)
  }
}

extension JSONWriter {
  /// Says which part an event is about: the only one of the message, which stands first.
  fileprivate mutating func placePart(_ itemID: String) {
    member("item_id", itemID)
    member("output_index", 0)
    member("content_index", 0)
  }
}
