// SPDX-License-Identifier: Apache-2.0
import Core
import HTTPTypes
import JSONCodec

/// The routes that speak OpenAI's wire format.
///
/// Source: OpenAI API reference; `openai/openai-openapi:openapi.yaml`.
enum OpenAIDoor {
  private static let paths = ["/v1/chat/", "/v1/models", "/v1/responses", "/v1/embeddings"]

  /// Whether whoever asks for this path expects errors in OpenAI's envelope.
  static func covers(_ path: String) -> Bool {
    path.hasPrefix("/v1/") && paths.contains(where: path.hasPrefix)
  }
}

extension Problem {
  /// The problem in OpenAI's envelope, with the status that its clients turn into their error classes.
  var openAIReply: Reply {
    var writer = JSONWriter(reservingCapacity: 128 + detail.utf8.count)
    writeOpenAIError(to: &writer)
    var reply = Reply.json(status: status, writer.bytes)
    reply.headers = headers
    if let seconds = retryAfter { reply.headers[.retryAfter] = String(seconds) }
    // A run that has failed may have done something already: its client may not do it again unasked (ADR 4).
    let mayRetry = status == .tooManyRequests || status == .serviceUnavailable
    if !mayRetry, let name = HTTPField.Name("X-Should-Retry") { reply.headers[name] = "false" }
    return reply
  }

  /// `{"error": …}`, as it stands in an answer and in the middle of a stream.
  func writeOpenAIError(to writer: inout JSONWriter) {
    writer.object {
      $0.key("error")
      $0.object {
        $0.member("message", detail)
        $0.member("type", openAIType)
        $0.member("param", faults.first.flatMap { $0.field.isEmpty ? nil : .string($0.field) } ?? JSON.null)
        $0.member("code", code == Failure.Code.rateLimited.rawValue ? "rate_limit_exceeded" : code)
      }
    }
  }

  private var openAIType: String {
    switch status {
    case .unauthorized: "authentication_error"
    case .forbidden: "permission_error"
    case .tooManyRequests: "rate_limit_error"
    case _ where status.code >= 500: "server_error"
    default: "invalid_request_error"
    }
  }
}
