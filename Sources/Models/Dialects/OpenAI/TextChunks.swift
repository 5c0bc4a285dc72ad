// SPDX-License-Identifier: Apache-2.0
import Glibc
import JSONCodec

/// Reads the text of the chunks of one stream. Those of most servers differ from the one before in it alone: then only
/// it is read. Who adds something of a changing length to each (OpenAI's `obfuscation`) has each read as a whole.
struct TextChunks: Sendable {
  /// The last chunk that was read as a whole, and how much of it stands before and behind its text.
  private var before: [UInt8] = []
  private var (head, tail) = (0, 0)

  /// `nil` = the event says something else, or is no JSON.
  mutating func text(of event: [UInt8]) -> String? {
    if let text = textAlone(of: event) { return text }
    guard let chunk = TextChunk(event) else { return nil }
    if let place = chunk.place {
      before = event
      (head, tail) = (place.lowerBound, event.count - place.upperBound)
    }
    return chunk.text
  }

  private func textAlone(of event: [UInt8]) -> String? {
    if before.isEmpty { return nil }
    return before.withUnsafeBytes { before in
      event.withUnsafeBytes { event in
        guard event.count >= head + tail, let old = before.baseAddress, let new = event.baseAddress,
          memcmp(old, new, head) == 0,
          memcmp(old + before.count - tail, new + event.count - tail, tail) == 0
        else {
          return nil
        }
        return JSONSkimmer.plainString(.init(rebasing: event[head..<event.count - tail]))
      }
    }
  }
}
