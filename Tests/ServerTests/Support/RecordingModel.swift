// SPDX-License-Identifier: Apache-2.0
import Core
import Synchronization

/// Answers with these replies in turn, and keeps what it was asked.
final class RecordingModel: Model {
  private let replies: [ModelReply]
  private let asked = Mutex<[ModelRequest]>([])

  init(_ replies: ModelReply...) { self.replies = replies }

  /// All requests so far, the oldest first.
  var requests: [ModelRequest] { asked.withLock { $0 } }

  func isConfigured(for models: [String]) -> Bool { true }

  func respond(
    to request: ModelRequest, within deadline: Duration, onText: TextListener?
  ) async throws -> ModelReply {
    let count = asked.withLock { asked in
      asked.append(request)
      return asked.count
    }
    let reply = replies[min(count, replies.count) - 1]
    if !reply.text.isEmpty { await onText?([reply.text]) }
    return reply
  }
}

extension ModelReply {
  static func saying(_ text: String, _ reason: FinishReason = .stop) -> ModelReply {
    ModelReply(
      model: "m", text: text, finishReason: reason, usage: Usage(inputTokens: 10, outputTokens: 4))
  }

  /// Calls `(id, name, arguments)`.
  static func calling(_ calls: (String, String, String)..., saying text: String = "") -> ModelReply {
    ModelReply(
      model: "m", text: text, calls: calls.map { ToolCallRequest(id: $0.0, name: $0.1, arguments: $0.2) },
      finishReason: .toolCalls, usage: Usage(inputTokens: 10, outputTokens: 4))
  }
}
