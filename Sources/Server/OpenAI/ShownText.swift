// SPDX-License-Identifier: Apache-2.0

/// The text that a stream has shown: what is told once cannot be taken back, and nothing is told twice.
struct ShownText: Sendable {
  /// Nothing is shown before the answer is whole.
  let isHeld: Bool
  /// Everything, as one text.
  private(set) var all = ""
  /// Text since the last tool.
  private var current = ""
  /// A tool was at work since the last text.
  private var isInterrupted = false

  init(isHeld: Bool) { self.isHeld = isHeld }

  mutating func interrupt() {
    isInterrupted = !all.isEmpty
    current = ""
  }

  /// The piece as it is to be shown; `nil` = not now.
  mutating func add(_ piece: String) -> String? {
    guard !isHeld, !piece.isEmpty else { return nil }
    // What was said before a tool and what is said after it are two paragraphs.
    let shown = isInterrupted ? "\n\n" + piece : piece
    isInterrupted = false
    current += piece
    all += shown
    return shown
  }

  /// What of the whole answer was not shown yet; `nil` = nothing.
  mutating func rest(of answer: String) -> String? {
    guard isHeld else {
      guard answer.utf8.count > current.utf8.count, answer.utf8.starts(with: current.utf8) else { return nil }
      return add(String(Substring(answer.utf8.dropFirst(current.utf8.count))))
    }
    all = answer
    return answer.isEmpty ? nil : answer
  }
}
