// SPDX-License-Identifier: Apache-2.0

/// A text, and where its lines begin.
struct DocumentText: Sendable {
  private(set) var bytes: [UInt8]
  /// Byte at which each line begins. Source: LSP 3.17: lines end with `\n`, `\r\n` or `\r`.
  private var lines: [Int] = []

  init(_ bytes: [UInt8]) {
    self.bytes = bytes
    lines = Self.lines(of: bytes)
  }

  init(_ text: String) { self.init(Array(text.utf8)) }

  private static func lines(of bytes: [UInt8]) -> [Int] {
    var lines = [0]
    for (index, byte) in bytes.enumerated() {
      switch byte {
      case UInt8(ascii: "\n"): lines.append(index + 1)
      case UInt8(ascii: "\r") where index + 1 >= bytes.count || bytes[index + 1] != UInt8(ascii: "\n"):
        lines.append(index + 1)
      default: break
      }
    }
    return lines
  }

  /// Puts a text in place of a range of bytes.
  mutating func replace(_ range: Range<Int>, with text: String) {
    bytes.replaceSubrange(range, with: text.utf8)
    lines = Self.lines(of: bytes)
  }

  /// Byte at a position; a character past the end of its line is that end, a line past the last one the end of all.
  func offset(of position: TextPosition, in encoding: PositionEncoding) -> Int {
    guard position.line >= 0 else { return 0 }
    guard position.line < lines.count else { return bytes.count }
    var offset = lines[position.line]
    let end = endOfLine(position.line)
    var left = position.character
    while offset < end {
      var next = offset + 1
      while next < end, bytes[next] & 0xC0 == 0x80 { next += 1 }
      let width = encoding == .utf8 ? next - offset : encoding.width(ofFirst: bytes[offset])
      guard left >= width else { break }
      left -= width
      offset = next
    }
    return offset
  }

  /// Position of a byte; the end of the text for what is past it.
  func position(of offset: Int, in encoding: PositionEncoding) -> TextPosition {
    let offset = max(0, min(offset, bytes.count))
    var low = 0
    var high = lines.count
    while high - low > 1 {
      let middle = (low + high) / 2
      if lines[middle] <= offset { low = middle } else { high = middle }
    }
    let character = bytes[lines[low]..<offset].reduce(0) { $0 + encoding.width(ofFirst: $1) }
    return TextPosition(line: low, character: character)
  }

  /// Byte of a 1-based line and a column in Unicode scalars, as findings without an offset name their place.
  func offset(line: Int, column: Int) -> Int {
    guard line >= 1, line <= lines.count else { return bytes.count }
    var offset = lines[line - 1]
    let end = endOfLine(line - 1)
    for _ in 1..<max(1, column) where offset < end {
      offset += 1
      while offset < end, bytes[offset] & 0xC0 == 0x80 { offset += 1 }
    }
    return offset
  }

  /// Byte after the last one of a 0-based line, its break left out.
  func endOfLine(_ line: Int) -> Int {
    var end = line + 1 < lines.count ? lines[line + 1] : bytes.count
    if line + 1 < lines.count {
      while end > lines[line], bytes[end - 1] == UInt8(ascii: "\n") || bytes[end - 1] == UInt8(ascii: "\r") {
        end -= 1
      }
    }
    return end
  }

  /// Bytes of the name around a byte, or that ends at it; empty where there is none.
  func name(around offset: Int) -> Range<Int> {
    var start = min(offset, bytes.count)
    var end = start
    while start > 0, bytes[start - 1].isNamePart { start -= 1 }
    while end < bytes.count, bytes[end].isNamePart { end += 1 }
    // 12ab is no name: it begins with the first letter.
    while start < end, bytes[start].isDigit { start += 1 }
    return min(start, offset)..<max(min(start, offset), end)
  }

  subscript(range: Range<Int>) -> String { String(decoding: bytes[range], as: UTF8.self) }
}

extension UInt8 {
  var isDigit: Bool { self >= UInt8(ascii: "0") && self <= UInt8(ascii: "9") }

  var isNamePart: Bool {
    let lower = self | 0x20
    return lower >= UInt8(ascii: "a") && lower <= UInt8(ascii: "z") || self == UInt8(ascii: "_") || isDigit
  }

  var isSpace: Bool { self == UInt8(ascii: " ") || self == UInt8(ascii: "\t") }
}
