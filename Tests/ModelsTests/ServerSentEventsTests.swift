// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import Models

@Suite struct ServerSentEventsTests {
  static let text =
    "data: one\n\n: comment\r\n\r\nevent: x\nid: 3\ndata:two\r\ndata: more\r\n\r\n"
    + "data:  🙂\rdata\r\rdatum: no\n\nretry: 5\n\n\ndata: last"
  static let expected = ["one", "two\nmore", " 🙂\n", "last"]

  func decode(_ pieces: [[UInt8]], bytesMax: Int = 1000) throws -> [String] {
    var decoder = ServerSentEvents(bytesMax: bytesMax)
    var events: [[UInt8]] = []
    for piece in pieces { events += try decoder.decode(piece) }
    if let last = try decoder.finish() { events.append(last) }
    return events.map { String(decoding: $0, as: UTF8.self) }
  }

  @Test("every ending of a line, comments and other fields are understood")
  func whole() throws {
    #expect(try decode([Array(Self.text.utf8)]) == Self.expected)
  }

  @Test("it does not matter where the pieces are cut", arguments: ["", "\u{FEFF}"])
  func split(mark: String) throws {
    let bytes = Array((mark + Self.text).utf8)
    for cut in 0...bytes.count {
      #expect(try decode([Array(bytes[..<cut]), Array(bytes[cut...])]) == Self.expected)
      for second in cut...bytes.count {
        let pieces = [bytes[..<cut], bytes[cut..<second], bytes[second...]].map { Array($0) }
        #expect(try decode(pieces) == Self.expected)
      }
    }
    #expect(try decode(bytes.map { [$0] }) == Self.expected)
    #expect(try decode(bytes.flatMap { [[$0], []] }) == Self.expected)
  }

  @Test("a byte order mark is one only at the beginning")
  func laterMark() throws {
    #expect(try decode([Array("data: a\n\n\u{FEFF}data: b\n\ndata: c\n\n".utf8)]) == ["a", "c"])
  }

  @Test(
    "neither a line nor an event grows without bound, however it is cut",
    arguments: [
      String(repeating: "x", count: 101), ": " + String(repeating: "x", count: 101),
      String(repeating: "data: 0123456789\n", count: 11),
    ])
  func bound(text: String) throws {
    #expect(throws: ServerSentEvents.Oversize.self) { try decode([Array(text.utf8)], bytesMax: 100) }
    #expect(throws: ServerSentEvents.Oversize.self) { try decode(text.utf8.map { [$0] }, bytesMax: 100) }
    #expect(try decode([Array(text.utf8.prefix(90))], bytesMax: 100).count <= 1)
  }
}
