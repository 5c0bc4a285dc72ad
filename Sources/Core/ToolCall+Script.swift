// SPDX-License-Identifier: Apache-2.0
public import JSONCodec

extension ToolCall {
  /// Writes the call as scripts see it: an element of `reply.tool_calls`.
  ///
  /// - Parameter agent: Who made it, where that is not the agent that answers.
  public func writeForScripts(to writer: inout JSONWriter, by agent: String? = nil) {
    writer.object {
      $0.member("id", id)
      if let agent { $0.member("agent", agent) }
      $0.member("name", name)
      $0.member("arguments", arguments)
      switch outcome {
      case .result(let result): $0.member("result", result)
      case .failed(let failure):
        $0.key("error")
        $0.object {
          $0.member("code", failure.code.rawValue)
          $0.member("message", failure.message)
        }
      }
    }
  }
}
