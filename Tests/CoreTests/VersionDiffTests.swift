// SPDX-License-Identifier: Apache-2.0
import TestSupport
import Testing

@testable import Core

@Suite("VersionDiff")
struct VersionDiffTests {
  private func diff(_ old: String?, _ new: String?) -> String {
    VersionDiff(
      from: old.map { ["f.lua": Array($0.utf8)] } ?? [:], to: new.map { ["f.lua": Array($0.utf8)] } ?? [:]
    ).text
  }

  @Test("a change stands with three lines around it, and near ones stand together")
  func hunks() {
    let old = (1...30).map { "line \($0)\n" }
    var new = old
    new[4] = "five\n"
    new.remove(at: 8)
    new.insert("more\n", at: 25)
    #expect(
      diff(old.joined(), new.joined()) == """
        --- a/f.lua
        +++ b/f.lua
        @@ -2,11 +2,10 @@
         line 2
         line 3
         line 4
        -line 5
        +five
         line 6
         line 7
         line 8
        -line 9
         line 10
         line 11
         line 12
        @@ -24,6 +23,7 @@
         line 24
         line 25
         line 26
        +more
         line 27
         line 28
         line 29

        """)
  }

  @Test("files that come and go, and a last line without its end, are told as patch tells them")
  func ends() {
    #expect(
      diff(nil, "a\nb")
        == "--- /dev/null\n+++ b/f.lua\n@@ -0,0 +1,2 @@\n+a\n+b\n\\ No newline at end of file\n")
    #expect(diff("a\n", nil) == "--- a/f.lua\n+++ /dev/null\n@@ -1 +0,0 @@\n-a\n")
    #expect(
      diff("a", "a\n")
        == "--- a/f.lua\n+++ b/f.lua\n@@ -1 +1 @@\n-a\n\\ No newline at end of file\n+a\n")
    #expect(diff("same", "same") == "")
    #expect(diff("", "") == "")
    // A line ends with LF, and a CR is part of it.
    #expect(diff("a\r\nb\r\n", "a\r\nc\r\n").contains("\n a\r\n-b\r\n+c\r\n"))
  }

  @Test("edits make the new text of the old one, with as few lines as another way of counting finds")
  func shortest() {
    var random = SplitMix64(seed: 7)
    for _ in 0..<300 {
      let old = (0..<Int.random(in: 0...12, using: &random)).map { _ in Self.line(&random) }
      let new = (0..<Int.random(in: 0...12, using: &random)).map { _ in Self.line(&random) }
      let edits = LineDiff(old, new).edits
      let kept = edits.count { if case .keep = $0 { true } else { false } }
      #expect(edits.compactMap { if case .insert = $0 { nil } else { $0.line } } == old)
      #expect(edits.compactMap { if case .delete = $0 { nil } else { $0.line } } == new)
      #expect(kept == Self.longestCommon(old, new))
    }
  }

  @Test("texts that have nothing in common are replaced, not searched for ever")
  func bounded() {
    let old = (0..<20_000).map { Substring("old \($0)\n") }
    let new = (0..<20_000).map { Substring("new \($0)\n") }
    let edits = LineDiff(["same\n"] + old, ["same\n"] + new).edits
    #expect(edits.count == 40_001)
    #expect(edits.first == .keep("same\n") && edits[1] == .delete("old 0\n"))
  }

  private static func line(_ random: inout SplitMix64) -> Substring {
    ["a\n", "b\n", "c\n"].randomElement(using: &random) ?? ""
  }

  /// Dynamic programming over all pairs of lines.
  private static func longestCommon(_ old: [Substring], _ new: [Substring]) -> Int {
    var lengths = [[Int]](repeating: [Int](repeating: 0, count: new.count + 1), count: old.count + 1)
    for (i, left) in old.enumerated() {
      for (j, right) in new.enumerated() {
        lengths[i + 1][j + 1] = left == right ? lengths[i][j] + 1 : max(lengths[i][j + 1], lengths[i + 1][j])
      }
    }
    return lengths[old.count][new.count]
  }
}

extension LineDiff.Edit {
  fileprivate var line: Substring {
    switch self {
    case .keep(let line), .delete(let line), .insert(let line): line
    }
  }
}
