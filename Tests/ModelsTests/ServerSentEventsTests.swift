// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import Models

@Suite struct ServerSentEventsTests {
  static let text =
    "data: one\n\n: comment\r\n\r\nevent: x\nid: 3\ndata:two\r\ndata: more\r\n\r\n"
    + "data:  🙂\rdata\r\rdatum: no\n\nretry: 5\n\n\ndata: last"
  static let expected = ["one", "two\nmore", " 🙂\n", "last"]

  func decode(_ pieces: [[UInt8]]) -> [String] {
    var decoder = ServerSentEvents()
    var events = pieces.flatMap { decoder.decode($0) }
    if let last = decoder.finish() { events.append(last) }
    return events.map { String(decoding: $0, as: UTF8.self) }
  }

  @Test("every ending of a line, comments and other fields are understood")
  func whole() {
    #expect(decode([Array(Self.text.utf8)]) == Self.expected)
  }

  @Test("it does not matter where the pieces are cut")
  func split() {
    let bytes = Array(Self.text.utf8)
    for cut in 0...bytes.count {
      #expect(decode([Array(bytes[..<cut]), Array(bytes[cut...])]) == Self.expected)
    }
    #expect(decode(bytes.map { [$0] }) == Self.expected)
    #expect(decode(bytes.flatMap { [[$0], []] }) == Self.expected)
  }
}
