// SPDX-License-Identifier: Apache-2.0
import JSONCodec
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
      guard let reply = try? await ask(request, at: "\(prefix)compact") else { return }
      turn.withLock { $0.spent(reply.usage) }
      text = reply.text
    }
    if !text.isBlank { turn.withLock { $0.compacted(compaction, into: text) } }
  }

  func callModel(_ messages: [ModelMessage]) async throws -> Turn.Action {
    let (request, key, onText, guarded) = prepareCall(messages)
    do {
      var reply = try await ask(request, at: key, onText: onText)
      if request.output == nil { reply.text = self.guarded(reply, key: key) }
      if let rest = guarded?.finish(), !rest.isEmpty { environment.feed?.append(.text(rest)) }
      return try turn.withLock { turn throws(Failure) in try turn.replied(reply) }
    } catch {
      return try callFailed(error)
    }
  }

  @inline(never) private func prepareCall(
    _ messages: [ModelMessage]
  ) -> (ModelRequest, key: String, TextListener?, GuardedStream?) {
    let (tools, output, showsText, number) = turn.withLock {
      ($0.toolDescriptions, $0.output, $0.showsTextAtOnce, $0.modelCalls)
    }
    let key = "\(prefix)model.\(number)"
    let request = ModelRequest(
      models: agent.models, messages: messages, tools: tools, output: output,
      temperature: callers?.temperature ?? agent.temperature,
      tokensMax: callers?.tokensMax ?? agent.tokensMax, toolChoice: callers?.toolChoice ?? .auto,
      allowsParallelCalls: callers?.allowsParallelCalls ?? true, trace: context.trace?.context(of: key))
    let feed = showsText ? environment.feed : nil
    let guarded = feed == nil ? nil : guards?.stream()
    return (
      request, key,
      feed.map { feed in
        { @Sendable texts in feed.append((guarded?.push(texts) ?? texts).map(RunEvent.text)) }
      }, guarded
    )
  }

  @inline(never) private func callFailed(_ error: any Error) throws -> Turn.Action {
    switch error {
    case let error as ModelError:
      return try turn.withLock { turn throws(Failure) in
        try turn.modelFailed(error.kind, Failure(error), hasActed: journal.hasActed(under: prefix))
      }
    case let exhausted as Budget.Exhausted:
      let now = environment.time.now
      return try turn.withLock { turn throws(Failure) in try turn.exhausted(exhausted, at: now) }
    default: throw error
    }
  }

  /// Asks the model within what the budgets have left, or hands back what it said before.
  ///
  /// - Parameter key: Of the call in the journal.
  /// - Throws: ``ModelError``, ``Budget/Exhausted``, ``Failure`` `conflict` of the journal, or `CancellationError`.
  func ask(
    _ request: ModelRequest, at key: String, onText: TextListener? = nil
  ) async throws -> ModelReply {
    let open = OpenCall(JournalCall(key: key, name: "model", digest: request.digest), in: self)
    if let reply = try recalled(open.call) {
      if !reply.text.isEmpty { await onText?([reply.text]) }
      return reply
    }
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
        price: model.price(of: request.models), copies: model.askedAtOnce(of: request.models)), told
    ) { reservation in
      do {
        let spill = journal.spill(soonOn: environment.deadlines)
        defer { spill.map(environment.deadlines.cancel) }
        let reply = try await model.respond(
          to: request.limited(to: reservation?.outputTokensMax), within: remaining, onText: counting)
        open.end(.result(reply.json), in: self)
        return (reply, reply.usage)
      } catch let error as ModelError {
        open.end(.failed(error.recorded), in: self)
        throw error
      }
    }
  }

  /// A call of a model under way; a reference, so that the frame that waits keeps no more of it.
  private final class OpenCall: Sendable {
    let call: JournalCall
    private let startedAt: Timestamp
    private let start: Duration

    init(_ call: JournalCall, in run: Run) {
      self.call = call
      startedAt = run.environment.time.now
      start = run.environment.time.elapsed
    }

    func end(_ outcome: JournalEntry.Outcome, in run: Run) {
      run.journal.keep(
        call, outcome, startedAt: startedAt,
        milliseconds: (run.environment.time.elapsed - start) / .milliseconds(1))
    }
  }

  /// What a model said to this in an earlier life of the run; it is paid for once.
  @inline(never) private func recalled(_ call: JournalCall) throws -> ModelReply? {
    guard case .ended(let outcome) = try journal.recall(call) else { return nil }
    switch outcome {
    case .result(let json):
      guard let value = try? json.value(), let reply = ModelReply(json: value) else { return nil }
      journal.recount(reply.usage, in: budget)
      return reply
    case .failed(let failure):
      guard let error = ModelError(recorded: failure) else { return nil }
      if let usage = error.usage {
        journal.recount(usage, in: budget)
        turn.withLock { $0.spent(usage) }
      }
      throw error
    }
  }

  /// Whether a model may be asked; a run keeps to what it was when it began.
  func hasModel() async throws -> Bool {
    let call = JournalCall(key: "\(prefix)stub", name: "stub")
    if case .ended = try journal.recall(call) { return false }
    if journal.isReplaying || environment.model.isConfigured(for: agent.models) { return true }
    journal.keep(call, .result(.null), startedAt: environment.time.now, milliseconds: 0)
    return false
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
      // What it was charged is counted: to those above it is a cancellation like any other.
      throw error is ChargedCancellation ? CancellationError() : error
    }
  }
}
