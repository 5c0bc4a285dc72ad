// SPDX-License-Identifier: Apache-2.0
public import Core
import Synchronization

/// Answers from a cassette, and from nothing else.
///
/// A request that was recorded several times is answered in that order, and with the last answer from then on.
public final class PlaybackModel: Model {
  /// Whose answers were recorded: it is asked for its prices, and for nothing else.
  private let model: any Model
  private let cassette: Cassette
  private let normalization: RequestNormalization
  /// By ``RequestNormalization/place(of:)``.
  private let recordings: [String: [Recording]]
  /// How often what stands at a place was asked for.
  private let counts = Mutex<[String: Int]>([:])

  public init(_ cassette: Cassette, of model: any Model, normalization: RequestNormalization) {
    self.model = model
    self.cassette = cassette
    self.normalization = normalization
    recordings = Dictionary(grouping: cassette.recordings.map(\.recording)) {
      normalization.place(of: $0.form)
    }
  }

  /// A recording needs no key.
  public func isConfigured(for models: [String]) -> Bool { true }

  public func price(of models: [String]) -> TokenPrice? { model.price(of: models) }

  /// Answers as the model did, in the same pieces, at once.
  ///
  /// - Throws: The ``ModelError`` that was recorded; `cassette` when nothing was, with what differs from the
  ///   nearest recording; `CancellationError`.
  public func respond(
    to request: ModelRequest, within deadline: Duration, onText: TextListener?
  ) async throws -> ModelReply {
    try Task.checkCancellation()
    let form = normalization.form(of: request)
    switch try next(form) {
    case .failure(let error): throw error
    case .vectors: throw CassetteMiss(of: form, in: cassette).error
    case .reply(let recorded, let pieces):
      let reply = restored(recorded, form.names)
      if let onText {
        for piece in Self.cut(reply.text, pieces ?? [reply.text.unicodeScalars.count]) {
          await onText([piece])
        }
      }
      return reply
    }
  }

  /// Gives the vectors that the model gave.
  ///
  /// - Throws: As ``respond(to:within:onText:)``.
  public func embed(_ request: EmbeddingRequest, within deadline: Duration) async throws -> EmbeddingReply {
    try Task.checkCancellation()
    let form = normalization.form(of: request)
    switch try next(form) {
    case .failure(let error): throw error
    case .vectors(let reply): return reply
    case .reply: throw CassetteMiss(of: form, in: cassette).error
    }
  }

  /// What was recorded of this request, the next time it was made.
  private func next(_ form: RequestForm) throws(ModelError) -> Recording.Outcome {
    let place = normalization.place(of: form)
    guard let found = recordings[place] else { throw CassetteMiss(of: form, in: cassette).error }
    let count = counts.withLock { counts in
      defer { counts[place, default: 0] += 1 }
      return counts[place, default: 0]
    }
    return found[min(count, found.count - 1)].outcome
  }

  private func restored(_ reply: ModelReply, _ names: VolatileNames) -> ModelReply {
    var reply = reply
    reply.text = names.restoring(in: reply.text)
    reply.calls = reply.calls.map {
      ToolCallRequest(id: $0.id, name: $0.name, arguments: names.restoring(in: $0.arguments))
    }
    return reply
  }

  /// The text in pieces of these lengths; where something was blotted, the last one takes what is over.
  static func cut(_ text: String, _ lengths: [Int]) -> [String] {
    var rest = text.unicodeScalars[...]
    return lengths.enumerated().compactMap { index, length in
      let piece = index == lengths.count - 1 ? rest : rest.prefix(length)
      rest = rest.dropFirst(piece.count)
      return piece.isEmpty ? nil : String(piece)
    }
  }
}
