// SPDX-License-Identifier: Apache-2.0
import JSONCodec
import Testing

@Suite("Strings in JSON")
struct JSONTextTests {
  @Test("a string is written and read whole, wherever in it something has to be escaped")
  func places() throws {
    for filler in ["a", "!", "ü", "\u{7F}", "🙂"] {
      for special in ["\"", "\\", "\n", "\u{1F}", "\u{0}", ""] {
        for (before, after) in (0..<20).flatMap({ before in (0..<10).map { (before, $0) } }) {
          let text =
            String(repeating: filler, count: before) + special + String(repeating: filler, count: after)
          var writer = JSONWriter()
          writer.write(text)
          #expect(!writer.bytes.contains { $0 < 0x20 })
          #expect(try JSON(parsing: writer.bytes) == .string(text))
        }
      }
    }
    for bytes: [UInt8] in [[0xFF], [0xC3], [0xED, 0xA0, 0x80], [0xF0, 0x9F, 0x99], [0xC0, 0x80]] {
      let text = [UInt8(ascii: "\"")] + bytes + Array("abcdefgh\"".utf8)
      #expect(throws: JSONError.self) { try JSON(parsing: text) }
    }
  }
}
