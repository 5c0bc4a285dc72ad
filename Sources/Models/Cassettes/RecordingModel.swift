// SPDX-License-Identifier: Apache-2.0
public import Core
import Synchronization

/// Asks another model, and writes what it answers into a cassette: errors and the pieces of a stream, too.
public final class RecordingModel: Model {
  private let model: any Model
  private let normalization: RequestNormalization
  private let writer: CassetteWriter

  /// - Parameter path: Of the cassette; new lines go to its end.
  /// - Throws: ``CassetteError`` when it cannot be written, or holds something else.
  public init(
    _ model: any Model, to path: String, normalization: RequestNormalization
  ) throws(CassetteError) {
    self.model = model
    self.normalization = normalization
    writer = try CassetteWriter(path)
  }

  public func isConfigured(for models: [String]) -> Bool { model.isConfigured(for: models) }

  public var health: [ModelHealth] { model.health }
  public func price(of models: [String]) -> TokenPrice? { model.price(of: models) }
  public func askedAtOnce(of models: [String]) -> Int { model.askedAtOnce(of: models) }

  /// Answers as the model does.
  ///
  /// - Throws: Its errors, or ``ModelError`` `cassette` when the answer cannot be written down.
  public func respond(
    to request: ModelRequest, within deadline: Duration, onText: TextListener?
  ) async throws -> ModelReply {
    let form = normalization.form(of: request)
    let pieces = Pieces()
    let reply: ModelReply
    do {
      reply = try await model.respond(
        to: request, within: deadline,
        onText: onText.map { onText in
          { @Sendable texts in
            for text in texts { pieces.add(text) }
            await onText(texts)
          }
        })
    } catch let error as ModelError {
      try await record(form, .failure(normalization.blotted(error)))
      throw error
    }
    let written = normalization.blotted(reply, in: form)
    try await record(form, .reply(written, pieces: onText == nil ? nil : pieces.lengths))
    return reply
  }

  /// Gives the model's vectors, and writes them down.
  ///
  /// - Throws: As ``respond(to:within:onText:)``.
  public func embed(_ request: EmbeddingRequest, within deadline: Duration) async throws -> EmbeddingReply {
    let form = normalization.form(of: request)
    let reply: EmbeddingReply
    do {
      reply = try await model.embed(request, within: deadline)
    } catch let error as ModelError {
      try await record(form, .failure(normalization.blotted(error)))
      throw error
    }
    try await record(form, .vectors(reply))
    return reply
  }

  private func record(_ form: RequestForm, _ outcome: Recording.Outcome) async throws {
    do {
      try await writer.append(Recording(form: form, outcome: outcome))
    } catch {
      throw ModelError(.cassette, "what the model answered could not be recorded", diagnostic: error.message)
    }
  }

  /// Lengths of what a stream brought, in Unicode scalars.
  private final class Pieces: Sendable {
    private let state = Mutex<[Int]>([])
    var lengths: [Int] { state.withLock { $0 } }
    func add(_ text: String) { state.withLock { $0.append(text.unicodeScalars.count) } }
  }
}

extension RequestNormalization {
  fileprivate func blotted(_ error: ModelError) -> ModelError {
    // The provider's own words are for the log.
    ModelError(
      error.kind, blot(error.message), status: error.status, retryAfterSeconds: error.retryAfterSeconds,
      usage: error.usage)
  }
}
