// SPDX-License-Identifier: Apache-2.0
import Core
import JSONCodec

/// The response object, at any moment of its run.
///
/// Source: OpenAI API reference, The response object.
struct ModelResponse: Sendable {
  let model: String
  /// ``ResponseRequest/echo``.
  let echo: JSONObject
  var runID = ""

  enum Status: Sendable {
    case inProgress
    case ended(ChatReply, content: String)
    case failed(Problem)
  }

  func write(_ status: Status, to writer: inout JSONWriter) {
    var (name, problem, reason) = ("in_progress", Problem?.none, String?.none)
    switch status {
    case .inProgress: break
    case .failed(let failure): (name, problem) = ("failed", failure)
    case .ended(let reply, _):
      reason = reply.finishReason.incompleteness
      name = reason == nil ? "completed" : "incomplete"
    }
    writer.object { writer in
      writer.member("id", "resp_\(runID)")
      writer.member("object", "response")
      writer.member("created_at", Identifier.time(of: runID).milliseconds / 1000)
      writer.member("status", name)
      writer.member("model", model)
      writer.member("error", problem.map(Self.error) ?? .null)
      writer.member("incomplete_details", reason.map { ["reason": .string($0)] } ?? JSON.null)
      writer.key("output")
      writer.array { list in
        guard case .ended(let reply, let content) = status else { return }
        writeOutput(of: reply, content: content, to: &list)
      }
      for (key, value) in echo.members { writer.member(named: key, value) }
      writer.member("store", false)
      writer.member("truncation", "disabled")
      writer.key("usage")
      if case .ended(let reply, _) = status { writer.write(usage: reply.usage) } else { writer.writeNull() }
    }
  }

  private func writeOutput(of reply: ChatReply, content: String, to list: inout JSONWriter) {
    if !content.isEmpty || reply.handedOut.isEmpty {
      writeMessage(content, isRefusal: reply.finishReason == .refusal, status: "completed", to: &list)
    }
    for (index, call) in reply.handedOut.enumerated() {
      writeCall(call, index: index, isWhole: true, to: &list)
    }
  }

  var messageID: String { "msg_\(runID)" }

  func itemID(ofCall index: Int) -> String { "fc_\(runID)_\(index)" }

  /// - Parameter text: `nil` = nothing was said yet.
  func writeMessage(_ text: String?, isRefusal: Bool, status: String, to writer: inout JSONWriter) {
    writer.object {
      $0.member("id", messageID)
      $0.member("type", "message")
      $0.member("role", "assistant")
      $0.member("status", status)
      $0.key("content")
      $0.array { list in if let text { Self.writePart(text, isRefusal: isRefusal, to: &list) } }
    }
  }

  static func writePart(_ text: String, isRefusal: Bool, to writer: inout JSONWriter) {
    writer.object {
      $0.member("type", isRefusal ? "refusal" : "output_text")
      $0.member(isRefusal ? "refusal" : "text", text)
      guard !isRefusal else { return }
      $0.member("annotations", JSON.array([]))
      $0.member("logprobs", JSON.array([]))
    }
  }

  func writeCall(_ call: ToolCallRequest, index: Int, isWhole: Bool, to writer: inout JSONWriter) {
    writer.object {
      $0.member("id", itemID(ofCall: index))
      $0.member("type", "function_call")
      $0.member("call_id", HandedOutCall.id(ofRun: runID, at: index))
      $0.member("name", call.name)
      $0.member("arguments", isWhole ? call.arguments : "")
      $0.member("status", isWhole ? "completed" : "in_progress")
    }
  }

  private static func error(_ problem: Problem) -> JSON {
    let isLimited = problem.code == Failure.Code.rateLimited.rawValue
    return [
      "code": .string(isLimited ? "rate_limit_exceeded" : "server_error"), "message": .string(problem.detail),
    ]
  }
}

extension FinishReason {
  /// Why a response is not complete, in OpenAI's words; `nil` = it is.
  fileprivate var incompleteness: String? {
    switch openAI {
    case "length": "max_output_tokens"
    case "content_filter": "content_filter"
    default: nil
    }
  }
}

extension JSONWriter {
  fileprivate mutating func write(usage: Usage) {
    object {
      $0.member("input_tokens", usage.inputTokens)
      $0.member("input_tokens_details", ["cached_tokens": 0] as JSON)
      $0.member("output_tokens", usage.outputTokens)
      $0.member("output_tokens_details", ["reasoning_tokens": 0] as JSON)
      $0.member("total_tokens", usage.tokens)
    }
  }
}
