// SPDX-License-Identifier: Apache-2.0
import Core

/// Past messages as whole turns: each user's message is followed by its answer, one that never came included.
struct TurnHistory {
  private(set) var messages: [Message]
  /// Whether question and answer alternate in what was read of the rows, as they nearly always do, and none is missing.
  let isPlain: Bool

  static let empty = TurnHistory(messages: [], isPlain: true)

  /// Pairs questions and answers by their run; an answer whose question lies before the window is left out.
  ///
  /// - Parameter isCut: Not all rows were looked at that there may be something in.
  init(newestFirst messages: consuming [Message], isCut: Bool) {
    messages.reverse()
    if messages.first?.role == .assistant { messages.removeFirst() }
    let areTurns = messages.areTurns
    self.init(messages: areTurns ? messages : Self.turns(messages), isPlain: areTurns && !isCut)
  }

  private init(messages: [Message], isPlain: Bool) {
    self.messages = messages
    self.isPlain = isPlain
  }

  private static func turns(_ messages: [Message]) -> [Message] {
    var turns: [Message] = []
    for (index, question) in messages.enumerated() where question.role == .user {
      let answer = messages[index...].first { $0.role == .assistant && $0.runID == question.runID }
      turns += [question, answer ?? interruptedAnswer(to: question)]
    }
    return turns
  }

  /// Adds a turn and drops the oldest ones until at most `count` messages are left.
  ///
  /// - Returns: What was dropped.
  mutating func append(_ question: Message, _ answer: Message, keeping count: Int) -> ArraySlice<Message> {
    messages.append(question)
    messages.append(answer)
    let all = messages
    trim(to: count)
    return all.prefix(all.count - messages.count)
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

extension [Message] {
  fileprivate var areTurns: Bool {
    count.isMultiple(of: 2)
      && stride(from: 0, to: count, by: 2).allSatisfy { index in
        self[index].role == .user && self[index + 1].role == .assistant
          && self[index].runID == self[index + 1].runID
      }
  }
}
