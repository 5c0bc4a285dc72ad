// SPDX-License-Identifier: Apache-2.0

/// In what the characters of a line are counted.
enum PositionEncoding: String, Sendable {
  case utf8 = "utf-8"
  case utf16 = "utf-16"

  /// Units of the scalar that begins with a byte; 0 for the bytes that follow in it.
  func width(ofFirst byte: UInt8) -> Int {
    switch self {
    case .utf8: 1
    case .utf16: byte & 0xC0 == 0x80 ? 0 : byte >= 0xF0 ? 2 : 1
    }
  }
}

/// A line and a character in it, both 0-based. Source: LSP 3.17, Position.
struct TextPosition: Sendable, Hashable {
  var line: Int
  var character: Int
}
