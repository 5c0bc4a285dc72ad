// SPDX-License-Identifier: Apache-2.0
import JSONCodec

/// How a stored conversation becomes what the model sees.
enum Conversation {
  /// Every assistant message with calls is followed by all their results, whatever became of the run.
  static func modelMessages(_ history: [Message]) -> [ModelMessage] {
    var messages: [ModelMessage] = []
    messages.reserveCapacity(history.count + 2)
    for message in history {
      switch message.role {
      case .user: messages.append(.user(message.text))
      case .assistant:
        for step in message.steps { append(step, to: &messages) }
        messages.append(.assistant(answer(of: message), calls: []))
      }
    }
    return messages
  }

  static func append(_ step: TurnStep, to messages: inout [ModelMessage]) {
    let requests = step.calls.map { ToolCallRequest(id: $0.id, name: $0.name, arguments: $0.arguments.text) }
    messages.append(.assistant(step.text.isEmpty ? nil : step.text, calls: requests))
    for call in step.calls { messages.append(.tool(callID: call.id, name: call.name, content: call.content)) }
  }

  private static func answer(of message: Message) -> String {
    if !message.text.isEmpty { return message.text }
    return "(This turn ended without an answer: \(message.failure ?? .internal).)"
  }
}
