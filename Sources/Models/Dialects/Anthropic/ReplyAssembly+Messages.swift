// SPDX-License-Identifier: Apache-2.0
import JSONCodec

extension ReplyAssembly {
  /// Reads a whole `message`.
  func read(message: JSON) {
    for block in message["content"]?.array ?? [] {
      switch block["type"]?.string {
      case "text": text += block["text"]?.string ?? ""
      case "tool_use":
        extendCall(
          at: callCount, id: block["id"]?.string, name: block["name"]?.string,
          whole: block["input"].map { RawJSON($0).text })
      default: break
      }
    }
    read(stopReason: message["stop_reason"])
    read(messageUsage: message["usage"])
  }

  /// Adds one event of a stream and returns the text in it.
  func read(messageEvent event: JSON) -> String {
    let index = event["index"]?.integer.flatMap { Int(exactly: $0) }
    switch event["type"]?.string {
    // The output that it counts here is where it begins, not what it will be.
    case "message_start": read(messageUsage: event["message"]?["usage"], countsOutput: false)
    case "content_block_start":
      guard let block = event["content_block"] else { break }
      switch block["type"]?.string {
      case "text": return tell(block["text"])
      case "tool_use":
        let id = block["id"]?.string
        // The input comes in pieces after this; here it is an empty object.
        let input = block["input"].flatMap { $0.object?.isEmpty ?? true ? nil : RawJSON($0).text }
        extendCall(at: position(of: index, id: id ?? ""), id: id, name: block["name"]?.string, whole: input)
      default: break
      }
    case "content_block_delta":
      guard let delta = event["delta"] else { break }
      switch delta["type"]?.string {
      case "text_delta": return tell(delta["text"])
      case "input_json_delta":
        let position = position(of: index, id: "")
        let piece = delta["partial_json"]?.string ?? ""
        extendCall(at: position, id: nil, name: nil, arguments: piece)
        return isAnswer(at: position) ? piece : ""
      default: break
      }
    case "message_delta":
      read(stopReason: event["delta"]?["stop_reason"])
      read(messageUsage: event["usage"])
    case "message_stop": isDone = true
    default: break
    }
    return ""
  }

  /// Adds text, which is told unless the answer comes as the arguments of a tool.
  private func tell(_ json: JSON?) -> String {
    let piece = json?.string ?? ""
    text += piece
    return answerTool == nil ? piece : ""
  }

  /// Source: Anthropic API reference, `stop_reason`.
  private func read(stopReason json: JSON?) {
    switch json?.string {
    case nil: break
    case "max_tokens", "model_context_window_exceeded": ending = .length
    case "refusal": ending = .refusal
    default: ending = .stop
    }
  }

  /// What was read from or written to the provider's cache is input too, counted apart there.
  private func read(messageUsage usage: JSON?, countsOutput: Bool = true) {
    guard let usage else { return }
    let cached = ["cache_read_input_tokens", "cache_creation_input_tokens"].reduce(0.0) {
      $0 + max(0, usage[$1]?.double ?? 0)
    }
    count(
      inputTokens: usage["input_tokens"]?.double.map { $0 + cached },
      outputTokens: countsOutput ? usage["output_tokens"]?.double : nil)
  }
}
