// SPDX-License-Identifier: Apache-2.0
import JSONCodec
import TestSupport
import Testing

@Suite("JSONSkimmer")
struct JSONSkimmerTests {
  private static func skip(_ bytes: [UInt8]) -> Bool {
    (try? JSONSkimmer.skim(bytes) { value throws(JSONError) in try value.skip() }) != nil
  }

  @Test("what is asked for is read, and the rest passed over")
  func reads() throws {
    let text =
      #" { "a" : [1, {"b": "x\"]"}, "two\u00e9"], "c": null, "d": {"e": {}, "f": []}, "g": -1.5e3 } "#
    var (word, hasNull, places) = ("", false, 0)
    try JSONSkimmer.skim(Array(text.utf8)) { value throws(JSONError) in
      try value.object { key, member throws(JSONError) in
        switch key {
        case "a":
          try member.array { place, element throws(JSONError) in
            places += 1
            if place == 2 { word = try element.string() } else { try element.skip() }
          }
        case "c": hasNull = try member.null()
        default: try member.skip()
        }
      }
    }
    #expect((word, hasNull, places) == ("twoé", true, 3))
  }

  @Test(
    "what cannot be made out is refused",
    arguments: [
      #"{"\u0061":1}"#, "[1]", "{", #"{"a"}"#, #"{"a":1,}"#, #"{"a":1} x"#, #"{"a":"\"#, "{\"a\":\"\n\"}",
    ])
  func refuses(text: String) {
    #expect(throws: JSONError.self) {
      try JSONSkimmer.skim(Array(text.utf8)) { value throws(JSONError) in
        try value.object { _, member throws(JSONError) in try member.skip() }
      }
    }
  }

  @Test("text that is passed over is text that can be parsed, and no other", arguments: 0..<50)
  func agrees(seed: Int) {
    var random = SplitMix64(seed: UInt64(seed))
    let texts = [
      #"{"id":"c-1","n":[1,-2.5,1e3,0],"choices":[{"delta":{"content":" word"},"finish_reason":null}],"t":true}"#,
      #"[[],{},[{}],"",false,{"a":{"b":{"c":[null]}}}]"#, " [ 1 , 2 ] ", "12", "\"x\"", "null",
    ]
    let pieces = Array("{}[]\",:0-.eE+ ntf\nx1".utf8)
    for text in texts {
      for _ in 0..<200 {
        var bytes = Array(text.utf8)
        for _ in 0...Int(random.next() % 2) {
          let place = Int(random.next() % UInt64(bytes.count))
          let piece = pieces[Int(random.next() % UInt64(pieces.count))]
          switch random.next() % 3 {
          case 0: bytes[place] = piece
          case 1: bytes.insert(piece, at: place)
          default: if bytes.count > 1 { bytes.remove(at: place) }
          }
        }
        #expect(
          Self.skip(bytes) == ((try? JSON(parsing: bytes)) != nil),
          "\(String(decoding: bytes, as: UTF8.self))")
      }
    }
  }

  @Test("nesting is bounded")
  func boundsNesting() {
    let depth = JSON.depthMax
    let deepest = String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
    #expect(Self.skip(Array(deepest.utf8)))
    #expect(!Self.skip(Array("[\(deepest)]".utf8)))
    #expect(!Self.skip([UInt8](repeating: UInt8(ascii: "["), count: 1_000_000)))
  }
}
