// SPDX-License-Identifier: Apache-2.0

/// Cuts a stream of bytes into messages.
///
/// Source: LSP 3.17, Base Protocol: headers that end with `\r\n`, an empty line, a body of `Content-Length` bytes.
struct MessageDecoder {
  /// Bytes of one header line.
  static let lineBytesMax = 1024
  /// Bytes of one message: a file of 1 MiB, escaped, and room for many edits.
  static let bodyBytesMax = 64 << 20

  /// Bytes that are not taken yet, from `start` on.
  private var buffer: [UInt8] = []
  private var start = 0
  /// Of the message whose headers are being read.
  private var length: Int?
  private var isInBody = false

  /// Whether a message has begun and not ended.
  var isInMessage: Bool { isInBody || length != nil || start < buffer.count }

  /// Takes what came in.
  ///
  /// - Returns: The bodies that are complete by now.
  /// - Throws: ``ProtocolError`` for what is no header: where the next message begins cannot be known then.
  mutating func decode(_ bytes: [UInt8]) throws(ProtocolError) -> [[UInt8]] {
    buffer += bytes
    var bodies: [[UInt8]] = []
    while true {
      if isInBody, let length {
        guard buffer.count - start >= length else { break }
        bodies.append(Array(buffer[start..<start + length]))
        start += length
        (self.length, isInBody) = (nil, false)
        continue
      }
      guard let end = buffer[start...].firstIndex(of: UInt8(ascii: "\n")) else {
        guard buffer.count - start <= Self.lineBytesMax else {
          throw ProtocolError("a header line is too long")
        }
        break
      }
      try header(buffer[start..<end])
      start = end + 1
    }
    buffer.removeSubrange(..<start)
    start = 0
    return bodies
  }

  private mutating func header(_ line: ArraySlice<UInt8>) throws(ProtocolError) {
    guard line.count <= Self.lineBytesMax else { throw ProtocolError("a header line is too long") }
    guard line.last == UInt8(ascii: "\r") else {
      throw ProtocolError("a header line does not end with \\r\\n")
    }
    let text = String(decoding: line.dropLast(), as: UTF8.self)
    if text.isEmpty {
      guard length != nil else { throw ProtocolError("a message has no Content-Length") }
      isInBody = true
      return
    }
    guard let colon = text.firstIndex(of: ":") else {
      throw ProtocolError("'\(text.prefix(40))' is no header")
    }
    let value = text[text.index(after: colon)...].drop { $0 == " " }
    switch text[..<colon].lowercased() {
    case "content-length":
      guard let count = Int(value), count >= 0, value.allSatisfy(\.isNumber) else {
        throw ProtocolError("Content-Length is '\(value.prefix(40))', not a number of bytes")
      }
      guard count <= Self.bodyBytesMax else {
        throw ProtocolError("a message of \(count) bytes is larger than \(Self.bodyBytesMax >> 20) MiB")
      }
      length = count
    case "content-type":
      let parts = value.lowercased().split(separator: "=")
      guard parts.count < 2 || parts[1].hasPrefix("utf-8") || parts[1].hasPrefix("utf8") else {
        throw ProtocolError("messages are UTF-8, not '\(value.prefix(80))'")
      }
    default: break
    }
  }

  /// A message with its headers.
  static func encode(_ body: [UInt8]) -> [UInt8] {
    Array("Content-Length: \(body.count)\r\n\r\n".utf8) + body
  }
}

/// Input that is not the language server protocol; there is no way to go on after it.
public struct ProtocolError: Error, Sendable, Hashable, CustomStringConvertible {
  public let description: String

  init(_ description: String) { self.description = description }
}
