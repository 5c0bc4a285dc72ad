// SPDX-License-Identifier: Apache-2.0
public import Core
public import Logging
import Telemetry
public import Transport

/// Asks the models of the configured providers, retries what deserves it, and falls back to the next model.
public final class ModelClient: Model {
  public struct Configuration: Sendable {
    /// The first is asked for models that name none.
    public var providers: [ProviderConfiguration]
    public var defaultModel: String
    /// By the model's name, alone or as `provider/model`.
    public var prices: [String: TokenPrice]
    /// For requests that name none.
    public var temperature: Double?
    /// Tokens of an answer, for requests that name no limit.
    public var tokensMax: Int?

    public init(
      providers: [ProviderConfiguration], defaultModel: String = "gpt-4o-mini",
      prices: [String: TokenPrice] = [:], temperature: Double? = nil, tokensMax: Int? = nil
    ) {
      self.providers = providers
      self.defaultModel = defaultModel
      self.prices = prices
      self.temperature = temperature
      self.tokensMax = tokensMax
    }
  }

  let configuration: Configuration
  private let providers: [Provider]
  let client: HTTPClient
  let time: any TimeSource
  let logger: Logger

  public init(configuration: Configuration, client: HTTPClient, time: any TimeSource, logger: Logger) {
    self.configuration = configuration
    self.client = client
    self.time = time
    self.logger = logger
    providers = configuration.providers.map(Provider.init)
  }

  public func isConfigured(for models: [String]) -> Bool {
    (models.isEmpty ? [configuration.defaultModel] : models).contains {
      resolve($0)?.provider.isUsable ?? false
    }
  }

  /// Models that were asked, in the order of their names.
  public var health: [ModelHealth] {
    providers.flatMap { $0.health(at: time.elapsed) }
  }

  /// Answers one request; see ``Model/respond(to:within:onText:)``.
  ///
  /// With `onText` the provider is asked to stream; an answer that breaks off after its first text is
  /// returned as it is, with `finishReason` `interrupted` and without calls.
  public func respond(
    to request: ModelRequest, within deadline: Duration, onText: TextListener?
  ) async throws -> ModelReply {
    guard let trace = request.trace, trace.isSampled else {
      return try await charged(request, within: deadline, onText: onText)
    }
    return try await TraceContext.$measured.withValue(trace) {
      try await charged(request, within: deadline, onText: onText)
    }
  }

  private func charged(
    _ request: ModelRequest, within deadline: Duration, onText: TextListener?
  ) async throws -> ModelReply {
    try await charging { charges in
      try await answer(request, within: deadline, charges, onText: onText)
    }
  }

  /// Makes a call, and counts with it what its failed attempts were charged.
  func charging<Reply: CostlyReply>(_ call: (Charges) async throws -> Reply) async throws -> Reply {
    let charges = Charges()
    do {
      var reply = try await call(charges)
      reply.usage += charges.usage
      return reply
    } catch let error as ModelError {
      throw error.costing(charges.usage)
    } catch let error as CancellationError {
      let usage = charges.usage
      guard usage.tokens > 0 else { throw error }
      throw ChargedCancellation(usage: usage)
    }
  }

  private func answer(
    _ request: ModelRequest, within deadline: Duration, _ charges: Charges,
    onText: TextListener?
  ) async throws -> ModelReply {
    try await askEach(of: request.models, within: deadline) { target, end in
      let price = price(of: target)
      let exchange = Exchange(
        ModelCall(
          request: request, model: target.model, origin: target.origin,
          temperature: request.temperature ?? configuration.temperature,
          tokensMax: request.tokensMax ?? configuration.tokensMax, isStreamed: onText != nil),
        provider: target.provider)
      let assembly = try await retrying(target, tokens: exchange.tokens, until: end) { attempt in
        if let delay = target.provider.hedgeDelay {
          return try await askHedged(exchange, attempt, target, delay, charges, price, onText: onText)
        }
        return try await askOnce(exchange, attempt, charges, price, onText: onText)
      }
      do throws(ModelError) {
        return try assembly.reply(of: target, price: price, requestBytes: exchange.bodyBytes)
      } catch {
        charges.add(assembly.spent(price: price, requestBytes: exchange.bodyBytes))
        let failure = ProviderFailure(error)
        log(failure, model: target.name, attempt: nil, delay: nil)
        throw failure
      }
    }
  }

  @inline(never) private func askOnce(
    _ exchange: Exchange, _ attempt: Attempt, _ charges: Charges, _ price: TokenPrice?, onText: TextListener?
  ) async throws -> ReplyAssembly {
    do {
      guard let onText else { return try await askWhole(exchange, attempt) }
      return try await client.onLoopThread { try await streamOnce(exchange, attempt, onText: onText) }
    } catch {
      charges.add(error, inputTokens: Usage.estimatedTokens(bytes: exchange.bodyBytes), price: price)
      throw error
    }
  }

  @inline(never) private func askHedged(
    _ exchange: Exchange, _ attempt: Attempt, _ target: Target, _ delay: Duration, _ charges: Charges,
    _ price: TokenPrice?, onText: TextListener?
  ) async throws -> ReplyAssembly {
    let lost = { (late: ReplyAssembly?) in
      if let late { return charges.add(late.spent(price: price, requestBytes: exchange.bodyBytes)) }
      charges.addCancelled(inputTokens: Usage.estimatedTokens(bytes: exchange.bodyBytes), price: price)
    }
    return try await hedging(attempt, of: target, after: delay, charge: lost) { attempt in
      try await self.askOnce(exchange, attempt, charges, price, onText: onText)
    }
  }

  @inline(never) private func askWhole(
    _ exchange: Exchange, _ attempt: Attempt
  ) async throws -> ReplyAssembly {
    let response = try await client.send(exchange.wholeRequest(within: attempt.remaining))
    attempt.learn(response.headers)
    return try exchange.read(response, now: time.now)
  }

  public func price(of models: [String]) -> TokenPrice? {
    var dearest = TokenPrice(inputPerMillion: 0, outputPerMillion: 0)
    for name in models.isEmpty ? [configuration.defaultModel] : models {
      guard let price = resolve(name).flatMap({ price(of: $0) }) else { return nil }
      dearest.inputPerMillion = max(dearest.inputPerMillion, price.inputPerMillion)
      dearest.outputPerMillion = max(dearest.outputPerMillion, price.outputPerMillion)
    }
    return dearest
  }

  public func askedAtOnce(of models: [String]) -> Int {
    let names = models.isEmpty ? [configuration.defaultModel] : models
    return names.contains { resolve($0)?.provider.hedgeDelay != nil } ? 2 : 1
  }

  func price(of target: Target) -> TokenPrice? {
    configuration.prices[target.name] ?? configuration.prices[target.model]
  }

  /// One model to ask.
  struct Target {
    /// As it was asked for.
    let name: String
    let provider: Provider
    /// The provider's own name of it.
    let model: String

    var origin: String { "\(provider.configuration.name)/\(model)" }
  }

  /// `provider/model`, or a model's name alone for the first provider.
  func resolve(_ name: String) -> Target? {
    if let slash = name.utf8.firstIndex(of: UInt8(ascii: "/")),
      let provider = providers.first(where: { $0.configuration.name == name[..<slash] })
    {
      return Target(name: name, provider: provider, model: String(name[name.index(after: slash)...]))
    }
    return providers.first.map { Target(name: name, provider: $0, model: name) }
  }
}

/// What a call of a model brings, and what it took.
protocol CostlyReply {
  var usage: Usage { get set }
}

extension ModelReply: CostlyReply {}
extension EmbeddingReply: CostlyReply {}
