// SPDX-License-Identifier: Apache-2.0

/// "Did you mean" for a word that is not known.
public enum Suggestion {
  /// Finds the candidate that is a slip of the finger away.
  ///
  /// Up to one slip in three letters counts as near, at least one and at most three; of several equally
  /// near ones the first is taken.
  public static func nearest(to word: String, in candidates: some Sequence<String>) -> String? {
    let limit = max(1, min(3, word.count / 3))
    let letters = Array(word.lowercased().utf8)
    var best: (distance: Int, candidate: String)?
    for candidate in candidates where candidate != word {
      let other = Array(candidate.lowercased().utf8)
      guard abs(other.count - letters.count) <= limit, other.count > limit else { continue }
      let distance = Self.distance(letters, other)
      if distance <= limit, distance < best?.distance ?? .max { best = (distance, candidate) }
    }
    return best?.candidate
  }

  /// The same as a hint.
  public static func hint(for word: String, in candidates: some Sequence<String>) -> String? {
    nearest(to: word, in: candidates).map { "did you mean '\($0)'?" }
  }

  /// Whether a word is another with one letter too many, too few or wrong, or two neighbours swapped.
  public static func isOneSlip(_ word: String, from other: String) -> Bool {
    distance(Array(word.utf8), Array(other.utf8)) == 1
  }

  /// The candidate that such a hint names.
  public static func candidate(inHint hint: String) -> String? {
    guard hint.hasPrefix("did you mean '"), hint.hasSuffix("'?") else { return nil }
    let candidate = hint.dropFirst("did you mean '".count).dropLast(2)
    return candidate.isEmpty || candidate.contains("'") ? nil : String(candidate)
  }

  /// Insertions, deletions, replacements and swaps of neighbours between two words.
  private static func distance(_ left: [UInt8], _ right: [UInt8]) -> Int {
    var beforeLast: [Int] = []
    var last = Array(0...right.count)
    for row in left.indices {
      var current = [row + 1]
      for column in right.indices {
        let same = left[row] == right[column]
        var cost = min(last[column + 1] + 1, current[column] + 1, last[column] + (same ? 0 : 1))
        if row > 0, column > 0, left[row] == right[column - 1], left[row - 1] == right[column] {
          cost = min(cost, beforeLast[column - 1] + 1)
        }
        current.append(cost)
      }
      (beforeLast, last) = (last, current)
    }
    return last[right.count]
  }
}
