// SPDX-License-Identifier: Apache-2.0
import Synchronization

/// The calls of models, and what they take.
extension Run {
  /// Folds the turns that no longer fit into a summary; without one they are left out.
  ///
  /// - Throws: What the script's own `compact` raises.
  func compact() async throws {
    guard let summarizer = agent.summarizer, let (compaction, earlier) = turn.withLock({ $0.compaction })
    else { return }
    let text: String
    switch summarizer {
    case .function: text = try await openScript().compact(compaction.passages(after: earlier)) ?? ""
    case .model:
      let request = compaction.request(models: agent.models, after: earlier)
      guard let reply = try? await ask(request) else { return }
      turn.withLock { $0.spent(reply.usage) }
      text = reply.text
    }
    if !text.isBlank { turn.withLock { $0.compacted(compaction, into: text) } }
  }

  func callModel(_ messages: [ModelMessage]) async throws -> Turn.Action {
    let (request, onText) = prepareCall(messages)
    do {
      let reply = try await ask(request, onText: onText)
      return try turn.withLock { turn throws(Failure) in try turn.replied(reply) }
    } catch {
      return try callFailed(error)
    }
  }

  @inline(never) private func prepareCall(_ messages: [ModelMessage]) -> (ModelRequest, TextListener?) {
    let (tools, output, showsText) = turn.withLock { ($0.toolDescriptions, $0.output, $0.showsTextAtOnce) }
    let request = ModelRequest(
      models: agent.models, messages: messages, tools: tools, output: output,
      temperature: callers?.temperature ?? agent.temperature,
      tokensMax: callers?.tokensMax ?? agent.tokensMax, toolChoice: callers?.toolChoice ?? .auto,
      allowsParallelCalls: callers?.allowsParallelCalls ?? true)
    let feed = showsText ? environment.feed : nil
    return (request, feed.map { feed in { @Sendable texts in feed.append(texts.map(RunEvent.text)) } })
  }

  @inline(never) private func callFailed(_ error: any Error) throws -> Turn.Action {
    switch error {
    case let error as ModelError:
      return try turn.withLock { turn throws(Failure) in try turn.modelFailed(error) }
    case let exhausted as Budget.Exhausted:
      let now = environment.time.now
      return try turn.withLock { turn throws(Failure) in try turn.exhausted(exhausted, at: now) }
    default: throw error
    }
  }

  /// Asks the model within what the budgets have left.
  ///
  /// - Throws: ``ModelError``, ``Budget/Exhausted``, or `CancellationError`.
  func ask(
    _ request: ModelRequest, onText: TextListener? = nil
  ) async throws -> ModelReply {
    let told = onText.map { _ in Told() }
    let counting = onText.map { onText in
      { @Sendable (texts: [String]) async in
        for text in texts { told?.bytes.add(text.utf8.count, ordering: .relaxed) }
        await onText(texts)
      }
    }
    let model = environment.model
    return try await spending(
      Budget.Call(
        inputTokens: request.estimatedTokens, outputTokensMax: request.tokensMax,
        price: model.price(of: request.models)), told
    ) { reservation in
      let reply = try await model.respond(
        to: request.limited(to: reservation?.outputTokensMax), within: remaining, onText: counting)
      return (reply, reply.usage)
    }
  }

  /// Bytes of an answer that came before its call failed.
  final class Told: Sendable {
    let bytes = Atomic<Int>(0)
  }

  /// Makes a call within what the budgets have left; what one that failed was charged counts in the turn.
  func spending<Reply>(
    _ call: @autoclosure () -> Budget.Call, _ told: Told? = nil,
    _ make: (Budget.Reservation?) async throws -> (Reply, Usage)
  ) async throws -> Reply {
    let reservation = budget.isUnlimited ? nil : try budget.reserve(call())
    do {
      let (reply, usage) = try await make(reservation)
      budget.settle(reservation, usage)
      return reply
    } catch {
      let usage = call().usage(after: error, toldBytes: told?.bytes.load(ordering: .relaxed) ?? 0)
      budget.settle(reservation, usage ?? Usage())
      if let usage { turn.withLock { $0.spent(usage) } }
      throw error
    }
  }
}
