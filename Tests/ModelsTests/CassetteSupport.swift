// SPDX-License-Identifier: Apache-2.0
import Core
import Foundation

/// A model that answers as a test tells it to.
final class StubModel: Model {
  private let answer: @Sendable (ModelRequest) throws -> ModelReply

  private let vectors: @Sendable (EmbeddingRequest) throws -> EmbeddingReply

  init(
    _ answer: @escaping @Sendable (ModelRequest) throws -> ModelReply = { _ in throw CancellationError() },
    vectors: @escaping @Sendable (EmbeddingRequest) throws -> EmbeddingReply = { _ in
      throw CancellationError()
    }
  ) {
    self.answer = answer
    self.vectors = vectors
  }

  func embed(_ request: EmbeddingRequest, within deadline: Duration) async throws -> EmbeddingReply {
    try vectors(request)
  }

  func isConfigured(for models: [String]) -> Bool { true }

  /// Streams a character at a time.
  func respond(
    to request: ModelRequest, within deadline: Duration, onText: TextListener?
  ) async throws -> ModelReply {
    let reply = try answer(request)
    for character in reply.text { await onText?([String(character)]) }
    return reply
  }
}

final class TapeFolder: Sendable {
  let path = FileManager.default.temporaryDirectory.path + "/perigee-" + UUID().uuidString
  init() throws { try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true) }
  deinit { try? FileManager.default.removeItem(atPath: path) }
}

extension ModelRequest {
  static func of(
    _ messages: ModelMessage..., models: [String] = [], tools: [ToolDescription] = [], output: Schema? = nil,
    temperature: Double? = nil, tokensMax: Int? = nil
  ) -> ModelRequest {
    ModelRequest(
      models: models, messages: messages, tools: tools, output: output, temperature: temperature,
      tokensMax: tokensMax)
  }
}

extension ModelReply {
  static func saying(_ text: String, calls: [ToolCallRequest] = []) -> ModelReply {
    ModelReply(
      model: "base", text: text, calls: calls, finishReason: calls.isEmpty ? .stop : .toolCalls,
      usage: Usage(inputTokens: 3, outputTokens: 2, costUSD: 0.5))
  }
}

/// UUIDs, as runs make them.
enum TestNames {
  static let first = "018f3c1e-7a2b-7c3d-8e4f-0123456789ab"
  static let second = "11111111-2222-4333-8444-555555555555"
}
