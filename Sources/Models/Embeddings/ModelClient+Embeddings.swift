// SPDX-License-Identifier: Apache-2.0
public import Core
import JSONCodec
import Transport

extension ModelClient {
  /// Turns texts into vectors, in as many requests as they need, one after the other.
  ///
  /// - Throws: ``ModelError``, or `CancellationError`; there are all vectors or none.
  public func embed(_ request: EmbeddingRequest, within deadline: Duration) async throws -> EmbeddingReply {
    try await charging { charges in try await embed(request, within: deadline, charges) }
  }

  private func embed(
    _ request: EmbeddingRequest, within deadline: Duration, _ charges: Charges
  ) async throws -> EmbeddingReply {
    try await askEach(of: [request.model], within: deadline) { target, end in
      guard let url = target.provider.dialect.embeddingsURL(for: target.model) else {
        throw ProviderFailure(ModelError(.badRequest, "\(target.provider.name) makes no embeddings"))
      }
      let price = price(of: target)
      var reply = EmbeddingReply(model: target.name, vectors: [])
      reply.vectors.reserveCapacity(request.inputs.count)
      for inputs in EmbeddingsRequest.batches(of: request.inputs) {
        let body = EmbeddingsRequest(model: target.model, inputs: inputs, dimensions: request.dimensions)
          .encoded()
        let estimate = Usage.estimatedTokens(bytes: body.count)
        let part = try await retrying(target, tokens: estimate, until: end) { attempt in
          if let delay = target.provider.hedgeDelay {
            return try await embedHedged(body, count: inputs.count, at: url, target, attempt, delay, charges)
          }
          return try await embedOnce(body, count: inputs.count, at: url, target, attempt, charges)
        }
        reply.vectors += part.vectors
        // Counted at once: the next request may fail, and with it all.
        charges.add(part, estimate: estimate, price: price)
      }
      return reply
    }
  }

  private func embedHedged(
    _ body: [UInt8], count: Int, at url: String, _ target: Target, _ attempt: Attempt, _ delay: Duration,
    _ charges: Charges
  ) async throws -> EmbeddingsReply {
    let price = price(of: target)
    let estimate = Usage.estimatedTokens(bytes: body.count)
    let lost = { (late: EmbeddingsReply?) in
      if let late { return charges.add(late, estimate: estimate, price: price) }
      charges.addCancelled(inputTokens: estimate, price: price)
    }
    return try await hedging(attempt, of: target, after: delay, charge: lost) { attempt in
      try await self.embedOnce(body, count: count, at: url, target, attempt, charges)
    }
  }

  private func embedOnce(
    _ body: [UInt8], count: Int, at url: String, _ target: Target, _ attempt: Attempt, _ charges: Charges
  ) async throws -> EmbeddingsReply {
    let provider = target.provider
    var request = provider.request(
      HTTPBody(body), to: url,
      timeout: min(attempt.remaining, .seconds(provider.configuration.timeoutSeconds)))
    request.responseBytesMax = Provider.embeddingsBytesMax
    do {
      let response = try await client.send(request)
      attempt.learn(response.headers)
      let json = try provider.read(response, now: time.now)
      guard let reply = EmbeddingsReply(json, count: count) else {
        throw provider.badReply("did not give one vector for each input", response.body)
      }
      return reply
    } catch {
      charges.add(error, inputTokens: Usage.estimatedTokens(bytes: body.count), price: price(of: target))
      throw error
    }
  }
}

extension Charges {
  fileprivate func add(_ reply: EmbeddingsReply, estimate: Int, price: TokenPrice?) {
    let tokens = reply.countedTokens ?? estimate
    add(
      Usage(
        inputTokens: tokens, costUSD: price?.cost(inputTokens: tokens, outputTokens: 0),
        isEstimated: reply.countedTokens == nil))
  }
}
