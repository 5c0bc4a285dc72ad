// SPDX-License-Identifier: Apache-2.0

/// What a place in a file is in the middle of.
package enum LexicalPlace: Sendable, Hashable {
  case code
  case comment
  /// A string that opened with these bytes: a quote, or a long bracket.
  case string(opener: Range<Int>)
}

extension SourceText {
  /// Tells what a place is in the middle of, by what stands before it.
  ///
  /// - Complexity: O(n) in the place.
  package func lexicalPlace(at offset: Int) -> LexicalPlace {
    let before = SourceText(name: name, bytes: Array(bytes.prefix(offset)))
    let (_, comments, problems) = Lexer.tokens(of: before)
    if let comment = comments.last, comment.range.end.offset == offset {
      if !comment.isLong { return .comment }
      // A long one that is closed ends here; one that is not was refused.
      return problems.last?.range.start == comment.range.start ? .comment : .code
    }
    guard let last = problems.last, last.code == .unfinished, last.range.end.offset == offset else {
      return .code
    }
    let start = last.range.start.offset
    guard start < offset, bytes[start] == UInt8(ascii: "[") else { return .string(opener: start..<start + 1) }
    var end = start + 1
    while end < offset, bytes[end] == UInt8(ascii: "=") { end += 1 }
    return end < offset ? .string(opener: start..<end + 1) : .code
  }
}
