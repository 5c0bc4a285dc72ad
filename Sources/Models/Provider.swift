// SPDX-License-Identifier: Apache-2.0
import Core
import Synchronization
import Telemetry
import Transport

/// A provider, ready to be asked: what does not change between requests is made once.
final class Provider: Sendable {
  let configuration: ProviderConfiguration
  let isUsable: Bool
  let dialect: any Dialect
  /// How long a request may go unanswered before it is made a second time; `nil` = for ever.
  let hedgeDelay: Duration?
  private let headers: [(name: String, value: String)]
  private let secrets: [String]

  private let budget: ProviderBudget?
  private let upstreams = Mutex<[String: Upstream]>([:])

  /// Models whose behaviour is remembered: scripts may name any.
  static let upstreamsMax = 256

  /// Bytes of a reply; the longest answers of today's models are below 1 MB.
  static let replyBytesMax = 16 << 20
  /// The same for embeddings: 2,048 vectors of 3,072 floats in base64 are 34 MB.
  static let embeddingsBytesMax = 64 << 20

  init(_ configuration: ProviderConfiguration) {
    self.configuration = configuration
    isUsable = configuration.isUsable
    dialect = Self.dialect(configuration)
    hedgeDelay = configuration.hedgeSeconds > 0 ? .seconds(configuration.hedgeSeconds) : nil
    budget = ProviderBudget(
      requestsPerMinute: configuration.requestsPerMinute, tokensPerMinute: configuration.tokensPerMinute)
    headers = [("Content-Type", "application/json")] + dialect.headers + configuration.headers
    secrets = ([configuration.apiKey] + configuration.headers.map(\.value)).compactMap { secret in
      secret.flatMap { $0.utf8.count < 6 ? nil : $0 }
    }
  }

  static func dialect(_ configuration: ProviderConfiguration) -> any Dialect {
    switch configuration.dialect {
    case .openai: OpenAIDialect(configuration)
    case .azure: AzureDialect(configuration)
    case .responses: ResponsesDialect(configuration)
    case .anthropic: AnthropicDialect(configuration)
    }
  }

  var name: String { "the provider \(configuration.name)" }

  /// What is known of one of its models.
  func upstream(of model: String, at now: Duration) -> Upstream {
    upstreams.withLock { upstreams in
      if let known = upstreams[model] { return known }
      if upstreams.count >= Self.upstreamsMax {
        upstreams = upstreams.filter { !$0.value.isForgettable(at: now) }
      }
      let upstream = Upstream(
        model: model, provider: configuration.name,
        attempts: (configuration.retries + 1) * (hedgeDelay == nil ? 1 : 2), budget: budget)
      // One too many is asked without being remembered.
      if upstreams.count < Self.upstreamsMax { upstreams[model] = upstream }
      return upstream
    }
  }

  func health(at now: Duration) -> [ModelHealth] {
    upstreams.withLock { $0.values.map { $0.health(at: now) } }.sorted { $0.model < $1.model }
  }

  func request(
    _ body: HTTPBody, to url: String, timeout: Duration, trace: TraceContext? = nil
  ) -> HTTPRequest {
    var request = HTTPRequest(
      method: "POST", url: url, headers: headers, timeout: timeout, responseBytesMax: Self.replyBytesMax,
      // A completion changes nothing, so that a kept connection that has died meanwhile costs no error.
      isIdempotent: true)
    request.body = body
    if let trace {
      request.headers.append(("traceparent", trace.traceparent))
      if !trace.traceState.isEmpty { request.headers.append(("tracestate", trace.traceState)) }
    }
    return request
  }

  /// The first bytes of a body, without the key that some servers repeat.
  func diagnostic(_ body: [UInt8]) -> String? {
    guard !body.isEmpty else { return nil }
    // Redacted first: the cut could go through the key.
    let text = redact(String(decoding: body.prefix(ProviderFailure.diagnosticBytesMax * 2), as: UTF8.self))
    return String(decoding: text.utf8.prefix(ProviderFailure.diagnosticBytesMax), as: UTF8.self)
  }

  func redact(_ text: String) -> String {
    secrets.reduce(text) { $0.replacing($1, with: "[redacted]") }
  }
}
