// SPDX-License-Identifier: Apache-2.0
import Testing
import Transport

@Suite struct ServerSentEventsTests {
  static let text =
    "data: one\n\n: comment\r\n\r\nevent: x\nid: 3\ndata:two\r\ndata: more\r\n\r\n"
    + "data:  🙂\rdata\r\rdatum: no\n\nretry: 5\n\n\ndata: last"
  static let expected = ["one", "x#3 two\nmore", "#3  🙂\n", "#3 last"]

  /// Each event as `name#id data`.
  func decode(_ pieces: [[UInt8]], bytesMax: Int = 1000) throws -> [String] {
    var decoder = ServerSentEvents(bytesMax: bytesMax)
    var events: [ServerSentEvents.Event] = []
    for piece in pieces { events += try decoder.decode(piece) }
    if let last = try decoder.finish() { events.append(last) }
    return events.map { event in
      let place = (event.name ?? "") + (event.id.map { "#\($0)" } ?? "")
      return (place.isEmpty ? "" : place + " ") + String(decoding: event.data, as: UTF8.self)
    }
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

  @Test("a name is its event's own, an id stays until the next one, and neither makes an event")
  func fields() throws {
    let text =
      "id: 1\nevent: a\ndata: x\n\ndata: y\n\nevent: b\n\nid: 2\n\ndata: z\n\nid\nevent\ndata: v\n\n"
      + "id: 3\0\nidea: 4\nevents: c\ndata: w\n\n"
    #expect(try decode([Array(text.utf8)]) == ["a#1 x", "#1 y", "#2 z", "# v", "# w"])
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
