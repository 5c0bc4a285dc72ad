// SPDX-License-Identifier: Apache-2.0
import Lint

/// A script that is being written, as it would be if what is written at the cursor were complete.
///
/// A name that stands for what will be written is put at the cursor; the parser then makes of the rest what it can.
struct CursorScript: Sendable {
  let file: LintedFile
  let spot: Spot
  /// Bytes of the text that a completion replaces: the name around the cursor, or what stands in the string.
  let replaced: Range<Int>
  /// Whether `=` follows already.
  let isAssigned: Bool

  private static let name = "perigee_cursor"

  /// - Parameters:
  ///   - offset: Of the cursor, in bytes.
  ///   - read: Makes a file of a text and asks which names can stand at a byte.
  /// - Returns: nil within comments, and where only a new name can stand.
  init?(_ text: DocumentText, at offset: Int, read: (_ bytes: [UInt8], _ place: Int) -> LintedFile) {
    switch SourceText(name: "", bytes: text.bytes).lexicalPlace(at: offset) {
    case .comment: return nil
    case .string(let opener): self.init(text, at: offset, inString: opener, read)
    case .code: self.init(text, inCode: text.name(around: offset), read)
    }
  }

  private init?(
    _ text: DocumentText, at offset: Int, inString opener: Range<Int>, _ read: ([UInt8], Int) -> LintedFile
  ) {
    let file = read(text.bytes, opener.lowerBound)
    guard let spot = SpotFinder.spot(at: offset, in: file, file.chunk), case .string = spot.kind else {
      return nil
    }
    self.file = file
    self.spot = spot
    var end = spot.range.end.offset
    let quote = text.bytes[opener.lowerBound]
    // One that is never closed ends with its line, and the cursor is its end.
    let isClosed = end > opener.upperBound && quote != UInt8(ascii: "[") && text.bytes[end - 1] == quote
    end = isClosed ? end - 1 : offset
    replaced = opener.upperBound..<max(opener.upperBound, offset, end)
    isAssigned = false
  }

  private init?(_ text: DocumentText, inCode name: Range<Int>, _ read: ([UInt8], Int) -> LintedFile) {
    let place = name.lowerBound
    var next = name.upperBound
    while next < text.bytes.count, text.bytes[next].isSpace { next += 1 }
    let following = next < text.bytes.count ? text.bytes[next] : 0
    let isAssigned =
      following == UInt8(ascii: "=") && (next + 1 == text.bytes.count || text.bytes[next + 1] != following)
    let goesOn = isAssigned || "({[\"'.:".utf8.contains(following)
    let head = Array(text.bytes[..<place]) + Array(Self.name.utf8)
    // A call can stand wherever a value can, and alone as well.
    let attempts: [[UInt8]] = [
      head + (goesOn ? [] : Array("()".utf8)) + text.bytes[name.upperBound...],
      head + Array("()".utf8), head + Array("() then".utf8), head + Array("() do".utf8),
    ]
    for attempt in attempts {
      let file = read(attempt, place)
      guard let spot = SpotFinder.spot(at: place + 1, in: file, file.chunk), spot.range.start.offset == place
      else { continue }
      if case .declaration = spot.kind { return nil }
      self.file = file
      self.spot = spot
      replaced = name
      self.isAssigned = isAssigned
      return
    }
    return nil
  }
}
