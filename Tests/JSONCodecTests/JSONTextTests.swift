// SPDX-License-Identifier: Apache-2.0
import JSONCodec
import TestSupport
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
  @Test("a string that is longer than a piece is written byte for byte as escaping one at a time writes it")
  func pieces() {
    let alphabet: [Character] = [
      "a", "\"", "\\", "\n", "\r", "\t", "\u{1}", "\u{1F}", "\u{7F}", "é", "🙂", " ",
    ]
    var random = SplitMix64(seed: 7)
    for length in [0, 1, 7, 8, 9, 165, 170, 171, 1000, 1008, 1016, 1024, 5000] {
      for density in 1...alphabet.count {
        let text = String((0..<length).map { _ in alphabet[Int(random.next() % UInt64(density))] })
        var writer = JSONWriter()
        writer.write(text)
        #expect(String(decoding: writer.bytes, as: UTF8.self) == Self.quoted(text))
      }
    }
  }

  private static func quoted(_ text: String) -> String {
    let escaped = text.unicodeScalars.map { scalar in
      switch scalar {
      case "\"", "\\": "\\\(scalar)"
      case "\n": "\\n"
      case "\r": "\\r"
      case "\t": "\\t"
      case "\u{0}"..<" ": (scalar.value < 16 ? "\\u000" : "\\u00") + String(scalar.value, radix: 16)
      default: String(scalar)
      }
    }
    return "\"" + escaped.joined() + "\""
  }

  @Test("whole numbers are read exactly, up to the last that fits")
  func numbers() throws {
    for digits in 1...18 {
      let text = String(repeating: "9", count: digits)
      #expect(try JSON(parsing: text) == .integer(Int64(text) ?? 0))
      #expect(try JSON(parsing: "-" + text) == .integer(-(Int64(text) ?? 0)))
    }
    #expect(try JSON(parsing: "9223372036854775807") == .integer(.max))
    #expect(try JSON(parsing: "-9223372036854775808") == .integer(.min))
    #expect(try JSON(parsing: "100000000000000000000") == .number(1e20))
  }
}
