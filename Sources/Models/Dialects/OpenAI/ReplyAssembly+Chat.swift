// SPDX-License-Identifier: Apache-2.0
import JSONCodec

extension ReplyAssembly {
  /// Reads a whole `chat.completion`; false when there is no answer in it.
  func read(completion: JSON) -> Bool {
    guard let choice = completion["choices"]?.array?.first, let message = choice["message"],
      message.object != nil, Self.isContent(message["content"])
    else { return false }
    read(content: message["content"])
    read(refusal: message["refusal"])
    for (index, call) in (message["tool_calls"]?.array ?? []).enumerated() { read(call: call, at: index) }
    if let call = message["function_call"], call.object != nil, callCount == 0 {
      read(call: .object(JSONObject([("function", call)])), at: 0)
    }
    read(finishReason: choice["finish_reason"])
    read(usage: completion["usage"])
    return true
  }

  /// Adds a `chat.completion.chunk` and returns the text in it.
  func read(chunk: JSON) -> String {
    read(usage: chunk["usage"])
    // The chunk with the usage has no choices, and neither has the first one of some servers.
    guard let choice = chunk["choices"]?.array?.first else { return "" }
    var piece = ""
    if let delta = choice["delta"] {
      piece = read(content: delta["content"])
      read(refusal: delta["refusal"])
      for call in delta["tool_calls"]?.array ?? [] {
        let function = call["function"]
        let index = call["index"]?.integer.flatMap { Int(exactly: $0) }
        let position = position(
          of: index, id: call["id"]?.string ?? "", name: function?["name"]?.string ?? "",
          arguments: function?["arguments"]?.string ?? "")
        read(call: call, at: position)
      }
    }
    read(finishReason: choice["finish_reason"])
    return piece
  }

  private static func isContent(_ json: JSON?) -> Bool {
    switch json {
    case nil, .null, .string, .array: true
    default: false
    }
  }

  /// Adds `content`: text, `null`, or a list of parts.
  ///
  /// - Returns: The text in it.
  @discardableResult
  private func read(content: JSON?) -> String {
    var piece = ""
    switch content {
    case .string(let string): piece = string
    case .array(let parts):
      for part in parts {
        piece += part["text"]?.string ?? ""
        read(refusal: part["refusal"])
      }
    default: break
    }
    text += piece
    return piece
  }

  private func read(refusal json: JSON?) { refusal += json?.string ?? "" }

  private func read(finishReason json: JSON?) {
    switch json?.string {
    case nil: break
    case "length": ending = .length
    case "content_filter": ending = .contentFilter
    default: ending = .stop
    }
  }

  /// Adds a call, or another piece of the one at `index`.
  private func read(call: JSON, at index: Int) {
    // `custom` is a tool whose argument is free text.
    let function = call["function"] ?? call["custom"]
    let (id, name) = (call["id"]?.string, function?["name"]?.string)
    switch function?["arguments"] ?? function?["input"] {
    case nil, .null: extendCall(at: index, id: id, name: name)
    case .string(let piece): extendCall(at: index, id: id, name: name, arguments: piece)
    case .some(let value): extendCall(at: index, id: id, name: name, whole: RawJSON(value).text)
    }
  }

  private func read(usage json: JSON?) {
    guard let json, json.object != nil else { return }
    count(
      inputTokens: (json["prompt_tokens"] ?? json["input_tokens"])?.double,
      outputTokens: (json["completion_tokens"] ?? json["output_tokens"])?.double)
  }
}
