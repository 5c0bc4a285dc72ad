// SPDX-License-Identifier: Apache-2.0
import Core
import JSONCodec

/// What a request asks of an agent, whichever of OpenAI's chat interfaces it came by.
struct AgentCall: Sendable {
  /// What the answer has to be.
  enum Format: Sendable {
    case text
    /// Any JSON object.
    case object
    case schema(Schema)
  }

  var dialogue: Dialogue
  /// Field of the dialogue: `messages` or `input`.
  var dialogueField: String
  var tools: ToolOffer
  var format: Format
  /// `response_format` or `text.format`.
  var formatField: String
  var temperature: Double?
  var tokensMax: Int?
  var isStreamed: Bool

  /// The request to the runner.
  ///
  /// - Parameter steps: What the agent's own tools did in the runs that ``Dialogue/runIDs`` names.
  /// - Throws: ``Problem`` 400 for what this agent cannot do.
  func request(to agent: Agent, steps: [String: [TurnStep]], now: Timestamp) throws(Problem) -> ChatRequest {
    guard let (index, content) = dialogue.last else {
      throw .wrong(dialogueField, "has no message of the user's")
    }
    var input = JSONObject()
    switch agent.body {
    case .prompt:
      if let path = dialogue.partsPath {
        throw .wrong(path, "is no text, and text is all that this model takes", code: "unsupported_value")
      }
    case .run, .steps, .states:
      try checkScript(agent)
      if !content.parts.isEmpty { input.append("parts", .array(content.parts)) }
    }
    guard content.text.contains(where: { !$0.isWhitespace }) else {
      throw .wrong(dialogueField, "ends with an empty message of the user's")
    }
    return ChatRequest(
      agent: agent.name, message: content.text, input: input,
      conversation: CallerConversation(
        before: dialogue.messages(0..<index, with: steps),
        after: dialogue.messages(index + 1..<dialogue.messages.count, with: steps),
        calls: steps.values.flatMap { $0.flatMap(\.calls) },
        history: dialogue.history(before: index, at: now), tools: tools.offered,
        toolChoice: tools.choice, allowsParallelCalls: tools.allowsParallelCalls, temperature: temperature,
        tokensMax: tokensMax, output: output))
  }

  /// A script answers as it likes: what would force a model cannot force it.
  private func checkScript(_ agent: Agent) throws(Problem) {
    if tools.choice != .auto {
      throw .wrong(
        "tool_choice", "cannot be kept: a script answers here, not a model", code: "unsupported_value")
    }
    guard agent.output == nil else { return }
    switch format {
    case .text: break
    case .object, .schema:
      throw .wrong(
        formatField, "cannot be kept: a script answers here, and it has no output", code: "unsupported_value")
    }
  }

  /// Whether no text may be shown before the answer is whole, because all of it has to be right.
  func isHeld(by agent: Agent) -> Bool { agent.output != nil || output != nil }

  private var output: Schema? {
    switch format {
    case .text: nil
    case .object: .anyObject
    case .schema(let schema): schema
    }
  }

  /// What an answer's text is to this caller: the agent's data, where it asked for JSON and the agent has an output.
  func content(of reply: ChatReply, agent: Agent) -> String {
    let isJSONWanted = output != nil && agent.output != nil
    guard let data = reply.data, isJSONWanted || reply.text.isEmpty else { return reply.text }
    return data.text
  }
}
