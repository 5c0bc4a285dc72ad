// SPDX-License-Identifier: Apache-2.0
import JSONCodec
import Synchronization

/// A stored message; an assistant's carries the tool calls of its turn.
///
/// A reference: the turns of a session hand it on, and what a model sees of it is made once.
public final class Message: Sendable {
  public enum Role: String, Sendable {
    case user, assistant
  }

  public let id: String
  public let runID: String
  public let role: Role
  public let text: String
  /// Only an assistant's: the steps with tools that led to the answer.
  public let steps: [TurnStep]
  /// Only an assistant's, when its run failed: the code of the failure.
  public let failure: Failure.Code?
  /// Only an assistant's: its tokens and those of its steps, where the provider counted them.
  public let countedTokens: Int?
  public let createdAt: Timestamp
  private let reading = Mutex<[ModelMessage]?>(nil)

  public init(
    id: String, runID: String, role: Role, text: String, steps: [TurnStep] = [], failure: Failure.Code? = nil,
    countedTokens: Int? = nil, createdAt: Timestamp
  ) {
    self.id = id
    self.runID = runID
    self.role = role
    self.text = text
    self.steps = steps
    self.failure = failure
    self.countedTokens = countedTokens
    self.createdAt = createdAt
  }

  /// What a model sees of it: of an answer the steps first, each call with its result.
  var modelMessages: [ModelMessage] {
    if let known = reading.withLock({ $0 }) { return known }
    let messages = Conversation.modelMessages(of: self)
    reading.withLock { $0 = messages }
    return messages
  }

  /// Tokens that a model reads of it: of an answer, with its tool calls, as the provider counted them; else by length.
  public var tokens: (count: Int, isEstimated: Bool) {
    switch role {
    case .user: return (Usage.estimatedTokens(bytes: text.utf8.count), true)
    case .assistant:
      if let countedTokens { return (countedTokens, false) }
      let steps = steps.reduce(0) { sum, step in
        step.calls.reduce(sum + step.text.utf8.count) { sum, call in
          sum + call.name.utf8.count + call.arguments.bytes.count + call.modelBytes
        }
      }
      return (Usage.estimatedTokens(bytes: text.utf8.count + steps), true)
    }
  }
}

extension Message: Hashable {
  public static func == (left: Message, right: Message) -> Bool {
    left === right
      || left.id == right.id && left.runID == right.runID && left.role == right.role
        && left.text == right.text && left.steps == right.steps && left.failure == right.failure
        && left.countedTokens == right.countedTokens && left.createdAt == right.createdAt
  }

  public func hash(into hasher: inout Hasher) { hasher.combine(id) }
}
