// SPDX-License-Identifier: Apache-2.0

/// What changed between two versions of the scripts, as unified text.
public struct VersionDiff: Sendable {
  public enum Change: String, Sendable, CaseIterable {
    case added, removed, changed
  }

  public struct File: Sendable {
    public let path: String
    public let change: Change
    /// With `---` and `+++` lines, ready for `patch`.
    public let text: String
  }

  /// By path, without those that are the same.
  public let files: [File]

  public var text: String { files.map(\.text).joined() }

  public init(from old: [String: [UInt8]], to new: [String: [UInt8]]) {
    files = Set(old.keys).union(new.keys).sorted().compactMap { path in
      let (before, after) = (old[path], new[path])
      guard before != after else { return nil }
      let head =
        "--- \(before == nil ? "/dev/null" : "a/\(path)")\n+++ \(after == nil ? "/dev/null" : "b/\(path)")\n"
      return File(
        path: path, change: before == nil ? .added : after == nil ? .removed : .changed,
        text: head + Self.hunks(before ?? [], after ?? []))
    }
  }

  /// Lines around a change.
  private static let context = 3

  private static func hunks(_ old: [UInt8], _ new: [UInt8]) -> String {
    let edits = LineDiff(lines(old), lines(new)).edits
    var text = ""
    var index = edits.startIndex
    // Lines before `index`.
    var (oldLine, newLine) = (0, 0)
    while let change = edits[index...].firstIndex(where: { !$0.isKept }) {
      let start = max(index, change - context)
      oldLine += start - index
      newLine += start - index
      let end = hunkEnd(edits, from: change)
      let hunk = edits[start..<end]
      let oldCount = hunk.count { !$0.isInserted }
      let newCount = hunk.count { !$0.isDeleted }
      text += "@@ -\(range(oldLine, oldCount)) +\(range(newLine, newCount)) @@\n"
      for edit in hunk { text += edit.text }
      oldLine += oldCount
      newLine += newCount
      index = end
    }
    return text
  }

  /// Where the changes that stand near each other end, with the lines after them.
  private static func hunkEnd(_ edits: [LineDiff.Edit], from change: Int) -> Int {
    var last = change
    while let next = edits[(last + 1)...].firstIndex(where: { !$0.isKept }), next - last <= 2 * context + 1 {
      last = next
    }
    return min(edits.count, last + 1 + context)
  }

  /// An empty range stands at the line before it.
  private static func range(_ line: Int, _ count: Int) -> String {
    count == 1 ? "\(line + 1)" : "\(count == 0 ? line : line + 1),\(count)"
  }

  /// With their ends.
  private static func lines(_ bytes: [UInt8]) -> [Substring] {
    let text = Substring(decoding: bytes, as: UTF8.self)
    var lines: [Substring] = []
    var start = text.startIndex
    while start < text.endIndex {
      let end = text.utf8[start...].firstIndex(of: UInt8(ascii: "\n")).map { text.utf8.index(after: $0) }
      lines.append(text[start..<(end ?? text.endIndex)])
      start = end ?? text.endIndex
    }
    return lines
  }
}

extension LineDiff.Edit {
  fileprivate var isKept: Bool { if case .keep = self { true } else { false } }
  fileprivate var isInserted: Bool { if case .insert = self { true } else { false } }
  fileprivate var isDeleted: Bool { if case .delete = self { true } else { false } }

  fileprivate var text: String {
    let (mark, line) =
      switch self {
      case .keep(let line): (" ", line)
      case .delete(let line): ("-", line)
      case .insert(let line): ("+", line)
      }
    return line.utf8.last == UInt8(ascii: "\n")
      ? mark + line : "\(mark)\(line)\n\\ No newline at end of file\n"
  }
}
