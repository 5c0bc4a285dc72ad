// SPDX-License-Identifier: Apache-2.0

/// How one list of lines becomes another, by the fewest lines that go and come.
///
/// Source: E. W. Myers, "An O(ND) Difference Algorithm and Its Variations" (1986).
struct LineDiff {
  enum Edit: Equatable {
    case keep(Substring)
    case delete(Substring)
    case insert(Substring)
  }

  /// Lines that differ beyond which all that is between the common ends is replaced: the trace grows with its square.
  static let differencesMax = 1_000

  let edits: [Edit]

  init(_ old: [Substring], _ new: [Substring]) {
    var start = 0
    while start < old.count, start < new.count, old[start] == new[start] { start += 1 }
    var end = 0
    while end < old.count - start, end < new.count - start,
      old[old.count - 1 - end] == new[new.count - 1 - end]
    { end += 1 }
    let before = old[start..<(old.count - end)]
    let after = new[start..<(new.count - end)]
    edits =
      old[..<start].map(Edit.keep)
      + (Self.shortest(Array(before), Array(after)) ?? before.map(Edit.delete) + after.map(Edit.insert))
      + old[(old.count - end)...].map(Edit.keep)
  }

  /// The shortest way; `nil` when it is longer than ``differencesMax``.
  private static func shortest(_ old: [Substring], _ new: [Substring]) -> [Edit]? {
    let depthMax = min(old.count + new.count, differencesMax)
    // The furthest place in `old` on each diagonal, `x - y`, which is shifted so that it starts at 0.
    var furthest = [Int](repeating: 0, count: 2 * depthMax + 3)
    var trace: [ArraySlice<Int>] = []
    for depth in 0...depthMax {
      let shift = depthMax + 1
      trace.append(furthest[(shift - depth - 1)...(shift + depth + 1)])
      for diagonal in stride(from: -depth, through: depth, by: 2) {
        let isInsertion =
          diagonal == -depth
          || diagonal != depth && furthest[shift + diagonal - 1] < furthest[shift + diagonal + 1]
        var x = isInsertion ? furthest[shift + diagonal + 1] : furthest[shift + diagonal - 1] + 1
        while x < old.count, x - diagonal < new.count, old[x] == new[x - diagonal] { x += 1 }
        furthest[shift + diagonal] = x
        if x >= old.count, x - diagonal >= new.count { return path(trace, shift, old, new) }
      }
    }
    return nil
  }

  /// Walks back from the end.
  private static func path(
    _ trace: [ArraySlice<Int>], _ shift: Int, _ old: [Substring], _ new: [Substring]
  ) -> [Edit] {
    var edits: [Edit] = []
    var (x, y) = (old.count, new.count)
    for (depth, furthest) in trace.enumerated().reversed() where depth > 0 {
      let diagonal = x - y
      let isInsertion =
        diagonal == -depth
        || diagonal != depth && furthest[shift + diagonal - 1] < furthest[shift + diagonal + 1]
      let from = isInsertion ? diagonal + 1 : diagonal - 1
      let fromX = furthest[shift + from]
      while x > fromX + (isInsertion ? 0 : 1) {
        x -= 1
        y -= 1
        edits.append(.keep(old[x]))
      }
      if isInsertion {
        y -= 1
        edits.append(.insert(new[y]))
      } else {
        x -= 1
        edits.append(.delete(old[x]))
      }
    }
    while x > 0 {
      x -= 1
      edits.append(.keep(old[x]))
    }
    return edits.reversed()
  }
}
