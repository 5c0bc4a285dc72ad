// SPDX-License-Identifier: Apache-2.0
import TestSupport
import Testing

@testable import Models

/// Reading by the chunk before may not say anything else than reading the whole chunk.
@Suite("Chunks of a stream")
struct TextChunksTests {
  private static let shapes: [(String, String)] = [
    (#"{"id":"c-1","choices":[{"index":0,"delta":{"content":""#, #""},"finish_reason":null}],"usage":null}"#),
    (#"{"id":"c-1","choices":[{"delta":{"role":"assistant","content":""#, #""}}],"x":{"content":"no"}}"#),
    (#"{"choices":[{"delta":{"content":"twice"},"delta":{"content":""#, #""}}]}"#),
    (#"{"choices":[{"delta":{"content":""#, #""},"delta":{}}]}"#),
    (#"{"choices":[{"delta":{"content":""#, #""}}],"choices":[]}"#),
    (#"{"choices":[{"delta":{"content":""#, #"","tool_calls":null}}]}"#),
    (#"{"choices":[{"delta":{"content":null}},{"delta":{"content":""#, #""}}]}"#),
    (#" {"choices" : [ {"delta":{"content": ""#, #""} } ] } "#),
    (#"{"choices":[{"delta":{"content":""#, #"","tool_calls":[{}]}}]}"#),
    (#"{"choices":[{"delta":{"content":""#, #""},"finish_reason":"stop"}]}"#), ("", ""),
  ]
  private static let texts = [
    "", " a", " word", "é€🙂", #"\n"#, #"say \"yes\""#, #"\ud83d\ude42"#, #"\ud83d"#, "\n", "\u{1}", #"\x"#,
    #"\"#,
    #""}}]}"#, #"a","content":"b"#, String(repeating: "long ", count: 40),
  ]

  @Test("each says what it says when it is read by itself", arguments: 0..<40)
  func agrees(seed: Int) {
    var random = SplitMix64(seed: UInt64(seed))
    var chunks = TextChunks()
    var (shape, told) = (("", ""), 0)
    for _ in 0..<500 {
      let text = Self.texts[Int(random.next() % UInt64(Self.texts.count))]
      var event = Array((shape.0 + text + shape.1).utf8)
      if !event.isEmpty, random.next() % 8 == 0 {
        let place = Int(random.next() % UInt64(event.count))
        if random.next() % 2 == 0 {
          event[place] = UInt8(random.next() % 256)
        } else {
          event.remove(at: place)
        }
      }
      if random.next() % 4 == 0 { shape = Self.shapes[Int(random.next() % UInt64(Self.shapes.count))] }
      let alone = TextChunk(event)?.text
      let amongOthers = chunks.text(of: event)
      #expect(amongOthers == alone, "\(String(decoding: event, as: UTF8.self))")
      if alone?.isEmpty == false { told += 1 }
    }
    #expect(told > 30)
  }
}
