// SPDX-License-Identifier: Apache-2.0

/// Finds the data of server-sent events in bytes that come in pieces of any size.
///
/// Source: WHATWG HTML, 9.2.6; the fields `event`, `id` and `retry` are passed over.
struct ServerSentEvents {
  private var line: [UInt8] = []
  private var data: [UInt8] = []
  private var hasData = false
  /// The last line ended in a carriage return, whose line feed may come with the next piece.
  private var endedInReturn = false

  /// Takes a piece and returns the data of the events that it completes.
  mutating func decode(_ bytes: [UInt8]) -> [[UInt8]] {
    var events: [[UInt8]] = []
    var rest = bytes[...]
    if endedInReturn, rest.first == UInt8(ascii: "\n") { rest.removeFirst() }
    if !bytes.isEmpty { endedInReturn = false }
    while let end = rest.firstIndex(where: { $0 == UInt8(ascii: "\n") || $0 == UInt8(ascii: "\r") }) {
      line += rest[..<end]
      let isReturn = rest[end] == UInt8(ascii: "\r")
      rest = rest[(end + 1)...]
      if isReturn {
        if rest.first == UInt8(ascii: "\n") { rest.removeFirst() } else { endedInReturn = rest.isEmpty }
      }
      if let event = endLine() { events.append(event) }
    }
    line += rest
    return events
  }

  /// Data of an event that the end of the stream cut its blank line from.
  mutating func finish() -> [UInt8]? {
    if !line.isEmpty { _ = endLine() }
    return endLine()
  }

  private mutating func endLine() -> [UInt8]? {
    defer { line.removeAll(keepingCapacity: true) }
    if line.isEmpty {
      defer {
        data = []
        hasData = false
      }
      return hasData ? data : nil
    }
    guard line.starts(with: "data".utf8) else { return nil }
    var value = line[4...]
    guard value.isEmpty || value.removeFirst() == UInt8(ascii: ":") else { return nil }
    if value.first == UInt8(ascii: " ") { value.removeFirst() }
    if hasData { data.append(UInt8(ascii: "\n")) }
    data += value
    hasData = true
    return nil
  }
}
