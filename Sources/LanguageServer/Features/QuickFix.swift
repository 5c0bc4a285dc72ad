// SPDX-License-Identifier: Apache-2.0
import Core
import Lint

/// A change that mends a finding.
struct QuickFix: Sendable {
  let title: String
  let finding: Diagnostic
  let edits: [(range: Range<Int>, text: String)]
  /// Whether it changes nothing that the script does.
  let isSafe: Bool

  /// - Parameter bytes: Of the finding's file.
  static func all(for finding: Diagnostic, in bytes: [UInt8]) -> [QuickFix] {
    if let fix = finding.fix {
      let edits = fix.edits.map { (range: $0.range.start.offset..<$0.range.end.offset, text: $0.replacement) }
      return [QuickFix(title: fix.summary, finding: finding, edits: edits, isSafe: true)]
    }
    return meant(finding, bytes).map { [$0] } ?? []
  }

  /// Writes the name that was meant, where the finding stands on a name or a string and nothing else.
  private static func meant(_ finding: Diagnostic, _ bytes: [UInt8]) -> QuickFix? {
    guard let candidate = finding.hint.flatMap(Suggestion.candidate), finding.range.end.offset <= bytes.count
    else {
      return nil
    }
    var range = finding.range.start.offset..<finding.range.end.offset
    guard range.count > 0 else { return nil }
    let quote = bytes[range.lowerBound]
    if range.count > 2, quote == UInt8(ascii: "\"") || quote == UInt8(ascii: "'"),
      bytes[range.upperBound - 1] == quote
    {
      range = range.lowerBound + 1..<range.upperBound - 1
    }
    // The message quotes what is wrong: only that is replaced.
    let text = String(decoding: bytes[range], as: UTF8.self)
    guard finding.message.contains("'\(text)'") || bytes[range].allSatisfy(\.isNamePart), text != candidate
    else {
      return nil
    }
    return QuickFix(
      title: "write '\(candidate)'", finding: finding, edits: [(range, candidate)], isSafe: false)
  }
}
