// SPDX-License-Identifier: Apache-2.0
import JSONCodec

extension ReplyAssembly {
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
        let index = call["index"]?.integer.flatMap { Int(exactly: $0) }
        read(call: call, at: position(of: index, id: call["id"]?.string ?? ""))
      }
    }
    read(finishReason: choice["finish_reason"])
    return piece
  }
}
