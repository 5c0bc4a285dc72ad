// SPDX-License-Identifier: Apache-2.0

/// A change of a file that mends a finding and changes nothing that the file does.
public struct Fix: Sendable, Hashable {
  public struct Edit: Sendable, Hashable {
    public let range: SourceRange
    public let replacement: String
  }

  /// What it does: `rename to _value`.
  public let summary: String
  public let edits: [Edit]

  init(_ summary: String, _ edits: [Edit]) {
    self.summary = summary
    self.edits = edits
  }

  /// Takes a piece of a file away; with its line, where it stands alone.
  static func removing(_ range: SourceRange, from source: SourceText, _ summary: String) -> Fix {
    var start = range.start.offset
    var end = range.end.offset
    func isBlank(_ index: Int) -> Bool {
      source.bytes[index] == UInt8(ascii: " ") || source.bytes[index] == UInt8(ascii: "\t")
    }
    while start > 0, isBlank(start - 1) { start -= 1 }
    while end < source.bytes.count, isBlank(end) { end += 1 }
    let beginsLine = start == 0 || source.lineBreak(at: start - 1) > 0
    let endsLine = end == source.bytes.count || source.lineBreak(at: end) > 0
    if beginsLine, endsLine, end < source.bytes.count {
      end += source.lineBreak(at: end)
    } else if !endsLine {
      (start, end) = (range.start.offset, range.end.offset)
    }
    let place = SourceRange(
      Position(offset: start, line: range.start.line, column: range.start.column),
      Position(offset: end, line: range.end.line, column: range.end.column))
    return Fix(summary, [Edit(range: place, replacement: "")])
  }

  /// Applies the fixes of findings to a file; one that overlaps an earlier one is left for the next time.
  ///
  /// - Returns: The new bytes, and the findings that are mended.
  public static func apply(_ findings: [Diagnostic], to bytes: [UInt8]) -> (
    bytes: [UInt8], mended: [Diagnostic]
  ) {
    var taken: [Range<Int>] = []
    var edits: [Edit] = []
    var mended: [Diagnostic] = []
    for finding in findings {
      guard let fix = finding.fix else { continue }
      let ranges = fix.edits.map { $0.range.start.offset..<$0.range.end.offset }
      guard !ranges.contains(where: { range in taken.contains { $0.overlaps(range) || $0 == range } }) else {
        continue
      }
      taken += ranges
      edits += fix.edits
      mended.append(finding)
    }
    var bytes = bytes
    for edit in edits.sorted(by: { $0.range.start.offset > $1.range.start.offset }) {
      bytes.replaceSubrange(
        edit.range.start.offset..<edit.range.end.offset, with: Array(edit.replacement.utf8))
    }
    return (bytes, mended)
  }
}
