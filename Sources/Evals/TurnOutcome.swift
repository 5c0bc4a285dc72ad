// SPDX-License-Identifier: Apache-2.0
public import Core
public import JSONCodec

/// What came of one turn: an answer, or a failure.
public struct TurnOutcome: Sendable {
  /// The answer; of a turn that failed, the failure's message.
  public var text: String
  public var data: JSON?
  /// Of the agent's model and script.
  public var calls: [ToolCall]
  /// Of the agents that it called, and of those that they called.
  public var delegatedCalls: [DelegatedCall]
  public var usage: Usage
  public var failure: Failure?
  public var usingStub: Bool

  public init(
    text: String, data: JSON? = nil, calls: [ToolCall] = [], delegatedCalls: [DelegatedCall] = [],
    usage: Usage = Usage(), failure: Failure? = nil, usingStub: Bool = false
  ) {
    self.text = text
    self.data = data
    self.calls = calls
    self.delegatedCalls = delegatedCalls
    self.usage = usage
    self.failure = failure
    self.usingStub = usingStub
  }

  /// What a `check` gets as its `reply`, and what a report shows.
  public func write(to writer: inout JSONWriter) {
    writer.member("text", text)
    if let data { writer.member("data", data) }
    if let failure {
      writer.key("error")
      writer.object {
        $0.member("code", failure.code.rawValue)
        $0.member("message", failure.message)
      }
    }
    writer.member("using_stub", usingStub)
    writer.key("tool_calls")
    writer.array { writer in
      for call in calls { call.writeForScripts(to: &writer) }
      for delegated in delegatedCalls { delegated.call.writeForScripts(to: &writer, by: delegated.agent) }
    }
    writer.key("usage")
    writer.object {
      $0.member("input_tokens", usage.inputTokens)
      $0.member("output_tokens", usage.outputTokens)
      if let cost = usage.costUSD { $0.member("cost_usd", cost) }
    }
  }
}

/// A call of a tool by an agent that another one called.
public struct DelegatedCall: Sendable {
  public var agent: String
  public var call: ToolCall

  public init(agent: String, call: ToolCall) {
    self.agent = agent
    self.call = call
  }
}

extension TurnOutcome {
  /// Whoever made them.
  var allCalls: [ToolCall] { calls + delegatedCalls.map(\.call) }

  /// Names and arguments of all calls on one line.
  var callsSummary: String {
    let all =
      calls.map { "\($0.name) \($0.arguments.text)" }
      + delegatedCalls.map { "\($0.agent): \($0.call.name) \($0.call.arguments.text)" }
    return all.isEmpty ? "no calls" : all.joined(separator: ", ")
  }
}
