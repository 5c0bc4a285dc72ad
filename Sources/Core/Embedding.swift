// SPDX-License-Identifier: Apache-2.0

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
