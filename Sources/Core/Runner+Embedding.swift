// SPDX-License-Identifier: Apache-2.0
import JSONCodec

extension Runner {
  /// Turns texts into vectors for a caller, within what is left of the user's day; no run is recorded.
  ///
  /// - Throws: ``Failure``: `upstream`, `rate_limited` when the day is used up, `limit` when the model has no price, or
  ///   `cancelled`.
  public func embed(
    _ request: EmbeddingRequest, as user: Principal, within limit: Duration
  ) async throws(Failure) -> EmbeddingReply {
    do {
      guard model.isConfigured(for: [request.model]) else {
        throw Failure(.upstream, "no model is configured", detail: ["kind": "notConfigured"])
      }
      let shared = try await ledger.budgets(userID: user.id, sessionID: Identifier.randomUUID())
      let budget = Budget(.run, limits: SpendingLimits(), parents: shared)
      let call = Budget.Call(
        inputTokens: Usage.estimatedTokens(bytes: request.inputs.reduce(0) { $0 + $1.utf8.count }),
        outputTokensMax: 0, price: model.price(of: [request.model]),
        copies: model.askedAtOnce(of: [request.model]))
      let reservation: Budget.Reservation?
      do {
        reservation = try budget.reserve(call)
      } catch {
        throw error.failure(at: time.now)
      }
      do {
        let reply = try await model.embed(request, within: limit)
        budget.settle(reservation, reply.usage)
        return reply
      } catch {
        budget.settle(reservation, call.usage(after: error) ?? Usage())
        throw error is ChargedCancellation ? CancellationError() : error
      }
    } catch let error as ModelError {
      throw Failure(error)
    } catch {
      throw Failure(error)
    }
  }
}
