// SPDX-License-Identifier: Apache-2.0

/// Two texts line by line: `-` is missing, `+` is too much.
enum TextDifference {
  /// Beyond this many lines only what is written is shown: finding the fewest changes takes their product.
  private static let linesMax = 400

  /// - Returns: Nothing for texts of one line each.
  static func lines(_ expected: String, _ got: String) -> [String] {
    let old = expected.split(separator: "\n", omittingEmptySubsequences: false)
    let new = got.split(separator: "\n", omittingEmptySubsequences: false)
    guard old.count > 1 || new.count > 1, old.count <= linesMax, new.count <= linesMax else { return [] }
    var removed: Set<Int> = []
    var inserted: Set<Int> = []
    for change in new.difference(from: old) {
      switch change {
      case .remove(let offset, _, _): removed.insert(offset)
      case .insert(let offset, _, _): inserted.insert(offset)
      }
    }
    var lines: [String] = []
    var (from, to) = (0, 0)
    while from < old.count || to < new.count {
      if removed.contains(from) {
        lines.append("- \(old[from])")
        from += 1
      } else if inserted.contains(to) {
        lines.append("+ \(new[to])")
        to += 1
      } else {
        lines.append("  \(old[from])")
        from += 1
        to += 1
      }
    }
    return lines
  }
}
