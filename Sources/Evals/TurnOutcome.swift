// SPDX-License-Identifier: Apache-2.0
public import Core
public import JSONCodec

/// What came of one turn: an answer, or a failure.
public struct TurnOutcome: Sendable {
  /// The answer; of a turn that failed, the failure's message.
  public var text: String
  public var data: JSON?
  public var calls: [ToolCall]
  public var usage: Usage
  public var failure: Failure?
  public var usingStub: Bool

  public init(
    text: String, data: JSON? = nil, calls: [ToolCall] = [], usage: Usage = Usage(), failure: Failure? = nil,
    usingStub: Bool = false
  ) {
    self.text = text
    self.data = data
    self.calls = calls
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
    writer.array { writer in for call in calls { call.writeForScripts(to: &writer) } }
    writer.key("usage")
    writer.object {
      $0.member("input_tokens", usage.inputTokens)
      $0.member("output_tokens", usage.outputTokens)
      if let cost = usage.costUSD { $0.member("cost_usd", cost) }
    }
  }
}
