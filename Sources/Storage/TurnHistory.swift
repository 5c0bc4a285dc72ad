// SPDX-License-Identifier: Apache-2.0
import Core

/// Past messages as whole turns: each user's message is followed by its answer, one that never came included.
struct TurnHistory {
  private(set) var messages: [Message] = []

  /// Pairs questions and answers by their run; an answer whose question lies before the window is left out.
  init(newestFirst rows: [Message]) {
    messages.reserveCapacity(rows.count)
    // Nearly always question and answer alternate, and each answer is the row after its question.
    var index = rows.count - 1
    while index >= 0 {
      let question = rows[index]
      index -= 1
      guard question.role == .user else { continue }
      messages.append(question)
      if index >= 0, rows[index].role == .assistant, rows[index].runID == question.runID {
        messages.append(rows[index])
        index -= 1
      } else {
        let later = rows[..<(index + 1)].last { $0.role == .assistant && $0.runID == question.runID }
        messages.append(later ?? Self.interruptedAnswer(to: question))
      }
    }
  }

  /// Drops the oldest turns until at most `count` messages are left.
  mutating func trim(to count: Int) {
    let excess = messages.count - count
    if excess > 0 { messages.removeFirst(min(messages.count, (excess + 1) / 2 * 2)) }
  }

  private static func interruptedAnswer(to question: Message) -> Message {
    Message(
      id: question.runID + "-interrupted", runID: question.runID, role: .assistant, text: "",
      failure: Failure.Code(rawValue: "interrupted"), createdAt: question.createdAt)
  }
}
