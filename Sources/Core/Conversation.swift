// SPDX-License-Identifier: Apache-2.0
import JSONCodec

/// How a stored conversation becomes what the model sees.
enum Conversation {
  /// Every assistant message with calls is followed by all their results, whatever became of the run.
  static func modelMessages(_ history: some Collection<Message>) -> [ModelMessage] {
    var messages: [ModelMessage] = []
    messages.reserveCapacity(history.count + 2)
    for message in history { messages += message.modelMessages }
    return messages
  }

  static func modelMessages(of message: Message) -> [ModelMessage] {
    switch message.role {
    case .user: return [.user(message.text)]
    case .assistant:
      var messages: [ModelMessage] = []
      for step in message.steps { append(step, to: &messages) }
      messages.append(.assistant(answer(of: message), calls: []))
      return messages
    }
  }

  /// - Parameter verbatim: The step's answer, if all its calls are in the step.
  static func append(
    _ step: TurnStep, verbatim: VerbatimAnswer? = nil, to messages: inout [ModelMessage]
  ) {
    let requests = step.calls.map { ToolCallRequest(id: $0.id, name: $0.name, arguments: $0.arguments.text) }
    messages.append(
      .assistant(step.text.isEmpty ? nil : step.text, calls: requests, verbatim: verbatim))
    for call in step.calls {
      messages.append(.tool(callID: call.id, name: call.name, content: call.modelContent))
    }
  }

  /// The newest whole turns that together have at most so many tokens.
  static func window(_ history: [Message], tokensMax: Int) -> ArraySlice<Message> {
    var tokens = 0
    var end = history.count
    while end > 0 {
      var start = end - 1
      while start > 0, history[start].role != .user { start -= 1 }
      for index in start..<end { tokens = tokens.addingSaturated(history[index].tokens.count) }
      if tokens > tokensMax { break }
      end = start
    }
    return history[end...]
  }

  private static func answer(of message: Message) -> String {
    if !message.text.isEmpty { return message.text }
    return "(This turn ended without an answer: \(message.failure ?? .internal).)"
  }
}
