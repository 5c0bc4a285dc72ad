// SPDX-License-Identifier: Apache-2.0

/// A place in a file of at most 4 GB.
public struct Position: Sendable, Hashable, Comparable {
  // Narrow, for trees are made of places, and parsing deep nesting keeps many of them on the stack.
  private let storedOffset: UInt32
  private let storedLine: UInt32
  private let storedColumn: UInt32

  /// Bytes before it.
  public var offset: Int { Int(storedOffset) }
  /// 1-based.
  public var line: Int { Int(storedLine) }
  /// 1-based, in Unicode scalars.
  public var column: Int { Int(storedColumn) }

  public init(offset: Int, line: Int, column: Int) {
    storedOffset = UInt32(truncatingIfNeeded: offset)
    storedLine = UInt32(truncatingIfNeeded: line)
    storedColumn = UInt32(truncatingIfNeeded: column)
  }

  public static let start = Position(offset: 0, line: 1, column: 1)

  public static func < (left: Position, right: Position) -> Bool { left.offset < right.offset }
}

/// A stretch of a file; `end` is the place after its last byte.
public struct SourceRange: Sendable, Hashable {
  public let start: Position
  public let end: Position

  public init(_ start: Position, _ end: Position) {
    self.start = start
    self.end = end
  }

  /// Range from the beginning of this one to the end of another that follows it.
  public func extended(to other: SourceRange) -> SourceRange { SourceRange(start, other.end) }

  public func contains(_ offset: Int) -> Bool { start.offset <= offset && offset < end.offset }
}

/// A file's name and bytes.
public struct SourceText: Sendable, Hashable {
  /// As findings print it.
  public let name: String
  /// Lua source is bytes: strings and comments may hold what is not UTF-8.
  public let bytes: [UInt8]

  public init(name: String, bytes: [UInt8]) {
    self.name = name
    self.bytes = bytes
  }

  public init(name: String, text: String) { self.init(name: name, bytes: Array(text.utf8)) }

  /// Text of a range, broken UTF-8 mended.
  public subscript(range: SourceRange) -> String {
    String(decoding: bytes[range.start.offset..<range.end.offset], as: UTF8.self)
  }

  /// Text of a 1-based line without its line break; empty past the end.
  ///
  /// - Complexity: O(n) in the size of the file.
  public func line(_ number: Int) -> String {
    var current = 1
    var start = 0
    var index = 0
    while index < bytes.count, current < number {
      let width = lineBreak(at: index)
      index += max(1, width)
      if width > 0 {
        current += 1
        start = index
      }
    }
    guard current == number else { return "" }
    var end = start
    while end < bytes.count, lineBreak(at: end) == 0 { end += 1 }
    return String(decoding: bytes[start..<end], as: UTF8.self)
  }

  /// Bytes of the line break at an index: `\n`, `\r`, `\r\n` and `\n\r` are each one; 0 for none.
  func lineBreak(at index: Int) -> Int {
    let byte = bytes[index]
    guard byte == UInt8(ascii: "\n") || byte == UInt8(ascii: "\r") else { return 0 }
    guard index + 1 < bytes.count else { return 1 }
    let next = bytes[index + 1]
    return (next == UInt8(ascii: "\n") || next == UInt8(ascii: "\r")) && next != byte ? 2 : 1
  }
}
