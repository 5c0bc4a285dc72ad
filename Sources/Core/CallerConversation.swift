// SPDX-License-Identifier: Apache-2.0
import JSONCodec

/// A conversation that its caller keeps and sends along, and what the caller asks of the model.
///
/// A turn with one belongs to no session: it begins with empty state, and only its run is recorded.
public final class CallerConversation: Sendable {
  /// What stands before the message, oldest first. In here and in ``after`` every call is answered.
  public let before: [ModelMessage]
  /// What stands after the message: calls that an earlier turn handed out, and their results.
  public let after: [ModelMessage]
  /// Calls of the agent's own tools in there: the model may read on in their results.
  public let calls: [ToolCall]
  /// What scripts see of ``before``: what people said, and the answers.
  public let history: [Message]
  /// The caller's own tools. The model is offered them beside the agent's; a call of one ends the turn.
  public let tools: [ToolDescription]
  public let toolChoice: ToolChoice
  /// Whether one answer of the model may call several tools.
  public let allowsParallelCalls: Bool
  /// In place of the agent's; `nil` = the agent's own.
  public let temperature: Double?
  /// Tokens that one answer of the model may have; `nil` = as the agent says.
  public let tokensMax: Int?
  /// What the answer has to be, for an agent without an `output` of its own.
  public let output: Schema?

  public init(
    before: [ModelMessage] = [], after: [ModelMessage] = [], calls: [ToolCall] = [],
    history: [Message] = [], tools: [ToolDescription] = [], toolChoice: ToolChoice = .auto,
    allowsParallelCalls: Bool = true,
    temperature: Double? = nil, tokensMax: Int? = nil, output: Schema? = nil
  ) {
    self.before = before
    self.after = after
    self.calls = calls
    self.history = history
    self.tools = tools
    self.toolChoice = toolChoice
    self.allowsParallelCalls = allowsParallelCalls
    self.temperature = temperature
    self.tokensMax = tokensMax
    self.output = output
  }
}

extension CallerConversation {
  /// What the model is told of each of the caller's tools, and of what the answer has to be: a text for each.
  var offers: [String] {
    let tools = tools.map { tool in
      ([tool.name, tool.description] + ((try? tool.schema.value()) ?? .null).texts).joined(separator: "\n")
    }
    return tools + (output.map { [$0.root.texts.joined(separator: "\n")] } ?? [])
  }
}

extension JSON {
  /// Its texts, and the names of its members.
  fileprivate var texts: [String] {
    switch self {
    case .string(let text): [text]
    case .array(let elements): elements.flatMap(\.texts)
    case .object(let object): object.members.flatMap { [$0.key] + $0.value.texts }
    case .null, .bool, .integer, .number: []
    }
  }
}

extension TurnStep {
  /// The step as the model sees it: the calls, then all their results.
  public var modelMessages: [ModelMessage] {
    var messages: [ModelMessage] = []
    Conversation.append(self, to: &messages)
    return messages
  }
}
