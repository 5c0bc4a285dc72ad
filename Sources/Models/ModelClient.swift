// SPDX-License-Identifier: Apache-2.0
public import Core
public import Logging
public import Transport

/// Asks the models of the configured providers, retries what deserves it, and falls back to the next model.
public final class ModelClient: Model {
  public struct Configuration: Sendable {
    /// The first is asked for models that name none.
    public var providers: [ProviderConfiguration]
    public var defaultModel: String
    /// By the model's name, alone or as `provider/model`.
    public var prices: [String: ModelPrice]
    /// For requests that name none.
    public var temperature: Double?
    /// Tokens of an answer, for requests that name no limit.
    public var tokensMax: Int?

    public init(
      providers: [ProviderConfiguration], defaultModel: String = "gpt-4o-mini",
      prices: [String: ModelPrice] = [:], temperature: Double? = nil, tokensMax: Int? = nil
    ) {
      self.providers = providers
      self.defaultModel = defaultModel
      self.prices = prices
      self.temperature = temperature
      self.tokensMax = tokensMax
    }
  }

  private let configuration: Configuration
  private let providers: [Provider]
  let client: HTTPClient
  let time: any TimeSource
  private let logger: Logger

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

  /// Answers one request; see ``Model/respond(to:within:onText:)``.
  ///
  /// With `onText` the provider is asked to stream; an answer that breaks off after its first text is
  /// returned as it is, with `finishReason` `interrupted` and without calls.
  public func respond(
    to request: ModelRequest, within deadline: Duration, onText: (@Sendable (String) -> Void)?
  ) async throws -> ModelReply {
    let end = time.elapsed + deadline
    var firstError: ModelError?
    for name in request.models.isEmpty ? [configuration.defaultModel] : request.models {
      do {
        return try await ask(name, request, until: end, onText: onText)
      } catch let failure as ProviderFailure {
        firstError = firstError ?? failure.error
        guard failure.allowsAnotherModel, end > time.elapsed else { break }
      }
    }
    throw firstError ?? ModelError(.notConfigured, "no model is configured")
  }

  /// Asks one model until it answers or its provider's retries are used up.
  ///
  /// - Throws: ``ProviderFailure``, or `CancellationError`.
  private func ask(
    _ name: String, _ request: ModelRequest, until end: Duration, onText: (@Sendable (String) -> Void)?
  ) async throws -> ModelReply {
    guard let (provider, model) = resolve(name) else {
      throw ProviderFailure(ModelError(.notConfigured, "no provider of models is configured"))
    }
    let exchange = Exchange(
      ModelCall(
        request: request, model: model, temperature: request.temperature ?? configuration.temperature,
        tokensMax: request.tokensMax ?? configuration.tokensMax, isStreamed: onText != nil),
      provider: provider)
    var attempt = 1
    while true {
      do {
        return try await attemptOnce(exchange, until: end, onText: onText).reply(
          model: name, price: configuration.prices[name] ?? configuration.prices[model],
          requestBytes: exchange.bodyBytes)
      } catch let error as ModelError {
        let failure = ProviderFailure(error)
        log(failure, model: name, attempt: attempt, delay: nil)
        throw failure
      } catch let failure as ProviderFailure {
        let delay = RetryPolicy.delay(
          after: failure, attempt: attempt, retries: provider.configuration.retries,
          remaining: end - time.elapsed, jitter: .random(in: 0...1))
        log(failure, model: name, attempt: attempt, delay: delay)
        guard let delay else { throw failure }
        try await time.sleep(for: delay)
        attempt += 1
      }
    }
  }

  private func attemptOnce(
    _ exchange: Exchange, until end: Duration, onText: (@Sendable (String) -> Void)?
  ) async throws -> ReplyAssembly {
    let remaining = end - time.elapsed
    guard remaining > .zero else {
      throw ProviderFailure(ModelError(.timeout, "no time is left to ask \(exchange.provider.name)"))
    }
    if let onText { return try await streamOnce(exchange, within: remaining, onText: onText) }
    do {
      let response = try await client.send(exchange.wholeRequest(within: remaining))
      return try exchange.read(response, now: time.now)
    } catch let failure as TransportError {
      throw ProviderFailure(failure, provider: exchange.provider)
    }
  }

  /// The provider and its own name of a model: `provider/model`, or whole for the first provider.
  private func resolve(_ name: String) -> (provider: Provider, model: String)? {
    if let slash = name.firstIndex(of: "/"),
      let provider = providers.first(where: { $0.configuration.name == name[..<slash] })
    {
      return (provider, String(name[name.index(after: slash)...]))
    }
    return providers.first.map { ($0, name) }
  }

  private func log(_ failure: ProviderFailure, model: String, attempt: Int, delay: Duration?) {
    logger.warning(
      "a model gave no answer",
      metadata: [
        "model": "\(model)", "kind": "\(failure.error.kind)", "attempt": "\(attempt)",
        "retry_seconds": delay.map { "\($0.seconds)" } ?? "none",
        "diagnostic": "\(failure.error.diagnostic ?? "")",
      ])
  }
}
