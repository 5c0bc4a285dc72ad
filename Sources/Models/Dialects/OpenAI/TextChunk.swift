// SPDX-License-Identifier: Apache-2.0
import JSONCodec

/// A `chat.completion.chunk` with a piece of text and nothing else that counts, as nearly all of a stream are.
struct TextChunk {
  private(set) var text = ""
  /// Where it stands in the event, without its quotes; `nil` = nowhere.
  private(set) var place: Range<Int>?
  private var isText = true

  /// `nil` = it says something else, or is no JSON.
  init?(_ event: [UInt8]) {
    do {
      try JSONSkimmer.skim(event) { chunk throws(JSONError) in
        try chunk.object { key, value throws(JSONError) in
          switch key {
          case "choices": try readChoices(&value)
          case "error", "usage": try expectNull(&value)
          default: try value.skip()
          }
        }
      }
    } catch {
      return nil
    }
    if !isText { return nil }
  }

  private mutating func readChoices(_ choices: inout JSONSkimmer) throws(JSONError) {
    // Of what is said twice the last counts.
    (text, place) = ("", nil)
    try choices.array { index, choice throws(JSONError) in
      guard index == 0 else { return try choice.skip() }
      try choice.object { key, value throws(JSONError) in
        switch key {
        case "delta": try readDelta(&value)
        case "finish_reason": try expectNull(&value)
        default: try value.skip()
        }
      }
    }
  }

  private mutating func readDelta(_ delta: inout JSONSkimmer) throws(JSONError) {
    (text, place) = ("", nil)
    try delta.object { key, value throws(JSONError) in
      switch key {
      case "content":
        (text, place) = ("", nil)
        if try value.null() { return }
        let start = value.offset + 1
        text = try value.string()
        place = start..<value.offset - 1
      case "refusal", "tool_calls": try expectNull(&value)
      default: try value.skip()
      }
    }
  }

  private mutating func expectNull(_ value: inout JSONSkimmer) throws(JSONError) {
    if try value.null() { return }
    isText = false
    try value.skip()
  }
}
