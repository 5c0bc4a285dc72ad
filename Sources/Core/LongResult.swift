// SPDX-License-Identifier: Apache-2.0
import JSONCodec

/// A tool's result that is too long for a model: it reads the beginning, and asks for the rest with `read_more`.
enum LongResult {
  /// Bytes of a result that a model reads at once: some 5,000 tokens.
  static let bytesMax = 20_000

  static let tool = ToolDescription(
    name: "read_more",
    description:
      "Read on in a tool's result that was cut because it is long. It says with which handle and offset.",
    parameters: schema)

  static let schema = Schema(root: [
    "type": "object",
    "properties": [
      "handle": ["type": "string", "description": "As the cut result names it."],
      "offset": ["type": "integer", "minimum": 0, "description": "Where to read on."],
    ],
    "required": ["handle", "offset"], "additionalProperties": false,
  ])

  /// The beginning of a result, and how to get more of it.
  static func beginning(of content: String, handle: String) -> String {
    let (text, end) = page(of: content, from: 0)
    return text
      + "\n[cut after \(end) of \(content.utf8.count) bytes; "
      + "to read on call \(tool.name) with {\"handle\": \"\(handle)\", \"offset\": \(end)}]"
  }

  /// A later part of a result: `{text, next_offset, total}`, `next_offset` null at the end.
  static func part(of content: String, from offset: Int) -> RawJSON {
    let (text, end) = page(of: content, from: offset)
    let total = content.utf8.count
    return RawJSON([
      "text": .string(text), "next_offset": end < total ? .integer(Int64(end)) : .null,
      "total": .integer(Int64(total)),
    ])
  }

  /// Text from a byte on, whole characters only, and where it ends.
  private static func page(of content: String, from offset: Int) -> (text: String, end: Int) {
    let bytes = content.utf8
    // A part is quoted once more on its way: half of the bytes leave room for that.
    let length = offset == 0 ? bytesMax : bytesMax / 2
    let start = boundary(in: content, at: offset)
    let end = boundary(in: content, at: bytes.distance(from: bytes.startIndex, to: start) + length)
    return (String(content[start..<end]), bytes.distance(from: bytes.startIndex, to: end))
  }

  /// The character that begins at a byte, or the one before.
  private static func boundary(in content: String, at offset: Int) -> String.Index {
    let bytes = content.utf8
    var index = bytes.index(bytes.startIndex, offsetBy: offset, limitedBy: bytes.endIndex) ?? bytes.endIndex
    while index.samePosition(in: content.unicodeScalars) == nil { index = bytes.index(before: index) }
    return index
  }
}

extension ToolCall {
  /// Whether a model reads only the beginning of it.
  var isLong: Bool {
    switch outcome {
    case .result(let json): json.bytes.count > LongResult.bytesMax
    case .failed: false
    }
  }

  /// Bytes of what the model reads, about.
  public var modelBytes: Int {
    switch outcome {
    case .result(let json): min(json.bytes.count, LongResult.bytesMax)
    case .failed(let failure): failure.message.utf8.count
    }
  }

  /// What the model reads as the tool's answer; cut when it is long.
  var modelContent: String { isLong ? LongResult.beginning(of: content, handle: id) : content }
}
