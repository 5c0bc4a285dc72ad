// SPDX-License-Identifier: Apache-2.0
import JSONCodec

/// Texts to be turned into vectors.
///
/// One model, not a list to fall back along: vectors of different models cannot be compared.
public struct EmbeddingRequest: Sendable {
  /// `provider/model` for another provider than the first.
  public var model: String
  public var inputs: [String]
  /// Length of each vector; `nil` = the model's own.
  public var dimensions: Int?

  public init(model: String, inputs: [String], dimensions: Int? = nil) {
    self.model = model
    self.inputs = inputs
    self.dimensions = dimensions
  }
}

public struct EmbeddingReply: Sendable {
  /// The model that answered.
  public var model: String
  /// One for each input, in their order.
  public var vectors: [[Float]]
  public var usage: Usage

  public init(model: String, vectors: [[Float]], usage: Usage = Usage()) {
    self.model = model
    self.vectors = vectors
    self.usage = usage
  }
}

extension Model {
  public func embed(_ request: EmbeddingRequest, within deadline: Duration) async throws -> EmbeddingReply {
    throw ModelError(.notConfigured, "no model for embeddings is configured")
  }
}

// MARK: In the journal

extension EmbeddingRequest {
  var digest: UInt64 {
    var hash = StableHash()
    hash.combine(model)
    for input in inputs { hash.combine(input) }
    hash.combine(UInt64(dimensions ?? 0))
    return hash.value
  }
}

extension EmbeddingReply {
  var json: RawJSON {
    var writer = JSONWriter()
    writer.object {
      $0.member("model", model)
      $0.key("vectors")
      $0.array { list in
        for vector in vectors { list.array { for number in vector { $0.write(Double(number)) } } }
      }
      $0.key("usage")
      $0.object { usage.write(to: &$0) }
    }
    return writer.raw
  }

  /// Reads ``json``; `nil` when it is something else.
  init?(json: JSON) {
    guard let model = json["model"]?.string, let vectors = json["vectors"]?.array else { return nil }
    self.init(
      model: model, vectors: vectors.map { ($0.array ?? []).map { Float($0.double ?? 0) } },
      usage: Usage(json: json["usage"] ?? .null))
  }
}
