// SPDX-License-Identifier: Apache-2.0
import Glibc

/// Finds server-sent events in bytes that come in pieces of any size.
///
/// Source: WHATWG HTML, 9.2.6; the field `retry` is passed over.
public struct ServerSentEvents: Sendable {
  public struct Event: Sendable, Hashable {
    /// `nil` = none was given, which the standard calls `message`.
    public var name: String?
    /// The last one that came, with this event or before it.
    public var id: String?
    public var data: [UInt8]

    public init(name: String? = nil, id: String? = nil, data: [UInt8]) {
      self.name = name
      self.id = id
      self.data = data
    }
  }

  /// A line, or the data of one event, that is longer than allowed.
  public struct Oversize: Error {}

  /// Bytes of one line, and of the data of one event; an event may repeat a whole answer and what was asked.
  public static let bytesMax = 8 << 20
  private static let byteOrderMark: [UInt8] = [0xEF, 0xBB, 0xBF]

  private let bytesMax: Int
  /// Of a line whose end has not come.
  private var beginning: [UInt8] = []
  private var name: String?
  private var id: String?
  private var data: [UInt8] = []
  private var hasData = false
  private var isFirstLine = true
  /// The last line ended in a carriage return, whose line feed may come with the next piece.
  private var endedInReturn = false

  public init(bytesMax: Int = Self.bytesMax) { self.bytesMax = bytesMax }

  /// Takes a piece and returns the events that it completes.
  public mutating func decode(_ bytes: [UInt8]) throws(Oversize) -> [Event] {
    var events: [Event] = []
    var rest = bytes[...]
    if endedInReturn, rest.first == UInt8(ascii: "\n") { rest.removeFirst() }
    if !bytes.isEmpty { endedInReturn = false }
    var feed = Self.first(UInt8(ascii: "\n"), in: rest) ?? rest.endIndex
    while true {
      if feed < rest.startIndex { feed = Self.first(UInt8(ascii: "\n"), in: rest) ?? rest.endIndex }
      let end = Self.first(UInt8(ascii: "\r"), in: rest[..<feed]) ?? feed
      guard end < rest.endIndex else { break }
      let line = try completeLine(rest[..<end])
      let isReturn = rest[end] == UInt8(ascii: "\r")
      rest = rest[(end + 1)...]
      if isReturn {
        if rest.first == UInt8(ascii: "\n") { rest.removeFirst() } else { endedInReturn = rest.isEmpty }
      }
      if let event = try read(line) { events.append(event) }
    }
    try extendLine(rest)
    return events
  }

  private static func first(_ byte: UInt8, in bytes: ArraySlice<UInt8>) -> Int? {
    bytes.withUnsafeBufferPointer { buffer in
      guard let start = buffer.baseAddress, let found = memchr(start, Int32(byte), buffer.count) else {
        return nil
      }
      return bytes.startIndex + (UnsafeRawPointer(found) - UnsafeRawPointer(start))
    }
  }

  /// An event that the end of the stream cut its blank line from; the standard would drop it.
  public mutating func finish() throws(Oversize) -> Event? {
    if !beginning.isEmpty { _ = try read(completeLine([])) }
    return try read([])
  }

  /// The line that these bytes end, most of which come in one piece.
  private mutating func completeLine(_ bytes: ArraySlice<UInt8>) throws(Oversize) -> ArraySlice<UInt8> {
    guard bytes.count <= bytesMax else { throw Oversize() }
    if beginning.isEmpty { return bytes }
    try extendLine(bytes)
    defer { beginning = [] }
    return beginning[...]
  }

  private mutating func extendLine(_ bytes: ArraySlice<UInt8>) throws(Oversize) {
    guard beginning.count + bytes.count <= bytesMax else { throw Oversize() }
    beginning += bytes
  }

  private mutating func read(_ line: ArraySlice<UInt8>) throws(Oversize) -> Event? {
    var line = line
    if isFirstLine {
      isFirstLine = false
      if line.starts(with: Self.byteOrderMark) { line.removeFirst(Self.byteOrderMark.count) }
    }
    if line.isEmpty { return endEvent() }
    if let value = Self.value(of: "data", in: line) {
      guard data.count + value.count < bytesMax else { throw Oversize() }
      if hasData { data.append(UInt8(ascii: "\n")) }
      data += value
      hasData = true
    } else if let value = Self.value(of: "event", in: line) {
      name = value.isEmpty ? nil : String(decoding: value, as: UTF8.self)
    } else if let value = Self.value(of: "id", in: line), !value.contains(0) {
      id = String(decoding: value, as: UTF8.self)
    }
    return nil
  }

  private mutating func endEvent() -> Event? {
    defer {
      name = nil
      data = []
      hasData = false
    }
    return hasData ? Event(name: name, id: id, data: data) : nil
  }

  /// The value when the line is a field of that name.
  private static func value(of field: StaticString, in line: ArraySlice<UInt8>) -> ArraySlice<UInt8>? {
    let count = field.utf8CodeUnitCount
    let isNamed = line.withUnsafeBytes {
      $0.count >= count && $0.baseAddress.map { memcmp($0, field.utf8Start, count) == 0 } ?? false
    }
    guard isNamed else { return nil }
    var value = line.dropFirst(count)
    guard value.isEmpty || value.removeFirst() == UInt8(ascii: ":") else { return nil }
    if value.first == UInt8(ascii: " ") { value.removeFirst() }
    return value
  }
}
