// SPDX-License-Identifier: Apache-2.0

/// Finds the data of server-sent events in bytes that come in pieces of any size.
///
/// Source: WHATWG HTML, 9.2.6; the fields `event`, `id` and `retry` are passed over.
struct ServerSentEvents {
  /// A line, or the data of one event, that is longer than allowed.
  struct Oversize: Error {}

  /// Bytes of one line, and of the data of one event; an event may repeat a whole answer and what was asked.
  static let bytesMax = 8 << 20
  private static let byteOrderMark: [UInt8] = [0xEF, 0xBB, 0xBF]

  private let bytesMax: Int
  private var line: [UInt8] = []
  private var data: [UInt8] = []
  private var hasData = false
  private var isFirstLine = true
  /// The last line ended in a carriage return, whose line feed may come with the next piece.
  private var endedInReturn = false

  init(bytesMax: Int = Self.bytesMax) { self.bytesMax = bytesMax }

  /// Takes a piece and returns the data of the events that it completes.
  mutating func decode(_ bytes: [UInt8]) throws(Oversize) -> [[UInt8]] {
    var events: [[UInt8]] = []
    var rest = bytes[...]
    if endedInReturn, rest.first == UInt8(ascii: "\n") { rest.removeFirst() }
    if !bytes.isEmpty { endedInReturn = false }
    while let end = rest.firstIndex(where: { $0 == UInt8(ascii: "\n") || $0 == UInt8(ascii: "\r") }) {
      try extendLine(rest[..<end])
      let isReturn = rest[end] == UInt8(ascii: "\r")
      rest = rest[(end + 1)...]
      if isReturn {
        if rest.first == UInt8(ascii: "\n") { rest.removeFirst() } else { endedInReturn = rest.isEmpty }
      }
      if let event = try endLine() { events.append(event) }
    }
    try extendLine(rest)
    return events
  }

  /// Data of an event that the end of the stream cut its blank line from.
  mutating func finish() throws(Oversize) -> [UInt8]? {
    if !line.isEmpty { _ = try endLine() }
    return try endLine()
  }

  private mutating func extendLine(_ bytes: ArraySlice<UInt8>) throws(Oversize) {
    guard line.count + bytes.count <= bytesMax else { throw Oversize() }
    line += bytes
  }

  private mutating func endLine() throws(Oversize) -> [UInt8]? {
    defer { line.removeAll(keepingCapacity: true) }
    if isFirstLine {
      isFirstLine = false
      if line.starts(with: Self.byteOrderMark) { line.removeFirst(Self.byteOrderMark.count) }
    }
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
    guard data.count + value.count < bytesMax else { throw Oversize() }
    if hasData { data.append(UInt8(ascii: "\n")) }
    data += value
    hasData = true
    return nil
  }
}
