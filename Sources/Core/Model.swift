// SPDX-License-Identifier: Apache-2.0
public import JSONCodec
public import Telemetry

/// Hears pieces of an answer, all that have come since the last time; nothing is read on while it waits.
public typealias TextListener = @Sendable (_ pieces: [String]) async -> Void

/// A language model, or several with fallback behind one face.
public protocol Model: Sendable {
  /// False when no model could possibly answer, for want of a key: the stub answers then.
  func isConfigured(for models: [String]) -> Bool

  /// The models that were asked so far, and how they fare.
  var health: [ModelHealth] { get }

  /// What the dearest of these models takes; `nil` when the price of one of them is unknown.
  func price(of models: [String]) -> TokenPrice?

  /// Requests that may be under way at once for one answer: 2 where a slow one is made a second time.
  func askedAtOnce(of models: [String]) -> Int

  /// Answers one request.
  ///
  /// - Parameters:
  ///   - deadline: Remaining time, retries and waits between them included.
  ///   - onText: Hears the answer as it comes; `nil` when nobody watches.
  /// - Throws: ``ModelError``; when the task is cancelled, `CancellationError` or ``ChargedCancellation``.
  func respond(
    to request: ModelRequest, within deadline: Duration, onText: TextListener?
  ) async throws -> ModelReply

  /// Turns texts into vectors.
  ///
  /// - Parameter deadline: Remaining time, retries and waits between them included.
  /// - Throws: ``ModelError``; when the task is cancelled, `CancellationError` or ``ChargedCancellation``.
  func embed(_ request: EmbeddingRequest, within deadline: Duration) async throws -> EmbeddingReply
}

extension Model {
  public var health: [ModelHealth] { [] }
  public func price(of models: [String]) -> TokenPrice? { nil }
  public func askedAtOnce(of models: [String]) -> Int { 1 }
}

/// What a model's tokens cost.
public struct TokenPrice: Sendable, Hashable {
  /// US dollars for a million tokens.
  public var inputPerMillion: Double
  public var outputPerMillion: Double

  public init(inputPerMillion: Double, outputPerMillion: Double) {
    self.inputPerMillion = inputPerMillion
    self.outputPerMillion = outputPerMillion
  }

  /// US dollars.
  public func cost(inputTokens: Int, outputTokens: Int) -> Double {
    (Double(inputTokens) * inputPerMillion + Double(outputTokens) * outputPerMillion) / 1_000_000
  }
}

/// An answer that calls tools in its provider's own words, what the model thought among them.
///
/// Opaque: it goes back together with the results of its calls, as a whole or not at all.
public struct VerbatimAnswer: Sendable, Hashable {
  /// Who said it, `provider/model`: nobody else can read it.
  public let origin: String
  /// In their order.
  public let items: [RawJSON]

  public init(origin: String, items: [RawJSON]) {
    self.origin = origin
    self.items = items
  }
}

/// Whether the model has to call a tool.
public enum ToolChoice: Sendable, Hashable {
  case auto, required
  /// This one.
  case named(String)
}

public final class ModelRequest: Sendable {
  /// Names in the order in which they are tried; `provider/model` for another provider than the first; empty = default.
  public let models: [String]
  public let messages: [ModelMessage]
  public let tools: [ToolDescription]
  public let output: Schema?
  public let temperature: Double?
  public let tokensMax: Int?
  public let toolChoice: ToolChoice
  /// Whether one answer may call several tools.
  public let allowsParallelCalls: Bool
  /// Sent along, where traces are kept.
  public let trace: TraceContext?

  public init(
    models: [String], messages: [ModelMessage], tools: [ToolDescription] = [], output: Schema? = nil,
    temperature: Double? = nil, tokensMax: Int? = nil, toolChoice: ToolChoice = .auto,
    allowsParallelCalls: Bool = true, trace: TraceContext? = nil
  ) {
    self.models = models
    self.messages = messages
    self.tools = tools
    self.output = output
    self.temperature = temperature
    // Callers name any number: sums of it must not overflow.
    self.tokensMax = tokensMax.map { min(max(1, $0), ModelRequest.tokensMaxMax) }
    self.toolChoice = toolChoice
    self.allowsParallelCalls = allowsParallelCalls
    self.trace = trace
  }

  /// Longer than any model's answer.
  static let tokensMaxMax = 10_000_000

  /// The same request for a shorter answer; `nil` = as it was.
  func limited(to tokensMax: Int?) -> ModelRequest {
    guard let tokensMax, tokensMax != self.tokensMax else { return self }
    return ModelRequest(
      models: models, messages: messages, tools: tools, output: output, temperature: temperature,
      tokensMax: tokensMax, toolChoice: toolChoice, allowsParallelCalls: allowsParallelCalls, trace: trace)
  }

  /// Tokens of the request, guessed by its length.
  var estimatedTokens: Int {
    let messages = messages.reduce(0) { $0 + $1.estimatedBytes }
    let tools = tools.reduce(0) {
      $0 + $1.name.utf8.count + $1.description.utf8.count + $1.schema.bytes.count
    }
    return Usage.estimatedTokens(bytes: messages + tools + (output?.json.bytes.count ?? 0))
  }

  /// The same request, its conversation gone on with.
  public func followed(by more: [ModelMessage]) -> ModelRequest {
    ModelRequest(
      models: models, messages: messages + more, tools: tools, output: output, temperature: temperature,
      tokensMax: tokensMax, toolChoice: toolChoice, allowsParallelCalls: allowsParallelCalls, trace: trace)
  }
}

public struct ModelReply: Sendable, Hashable {
  public enum FinishReason: String, Sendable {
    case stop, length
    case toolCalls = "tool_calls"
    case contentFilter = "content_filter"
    case refusal, interrupted
  }

  /// The model that answered.
  public var model: String
  public var text: String
  public var calls: [ToolCallRequest]
  public var finishReason: FinishReason
  public var usage: Usage
  /// `nil` where the calls say all.
  public var verbatim: VerbatimAnswer?

  public init(
    model: String, text: String, calls: [ToolCallRequest] = [], finishReason: FinishReason,
    usage: Usage = Usage(), verbatim: VerbatimAnswer? = nil
  ) {
    self.model = model
    self.text = text
    self.calls = calls
    self.finishReason = finishReason
    self.usage = usage
    self.verbatim = verbatim
  }
}

/// Tokens and money that model calls took.
public struct Usage: Sendable, Hashable {
  public var inputTokens: Int
  public var outputTokens: Int
  /// `nil` = no price is known for a model that was used: unknown is not free.
  public var costUSD: Double?
  /// Whether the provider left some of it out, as one does whose stream broke, and we had to guess.
  public var isEstimated: Bool

  public init(
    inputTokens: Int = 0, outputTokens: Int = 0, costUSD: Double? = 0, isEstimated: Bool = false
  ) {
    self.inputTokens = inputTokens
    self.outputTokens = outputTokens
    self.costUSD = costUSD
    self.isEstimated = isEstimated
  }

  /// Tokens of one call beyond this are a provider's mistake.
  public static let tokensMax: Double = 1_000_000_000

  /// Tokens that a text of so many bytes may have; a little over the mark for English.
  ///
  /// Source: OpenAI, "What are tokens": about four characters each.
  public static func estimatedTokens(bytes: Int) -> Int { (bytes + 3) / 4 }

  public var tokens: Int { inputTokens.addingSaturated(outputTokens) }

  public static func += (left: inout Usage, right: Usage) {
    left.inputTokens = left.inputTokens.addingSaturated(right.inputTokens)
    left.outputTokens = left.outputTokens.addingSaturated(right.outputTokens)
    left.costUSD = left.costUSD.flatMap { cost in right.costUSD.map { cost + $0 } }
    left.isEstimated = left.isEstimated || right.isEstimated
  }
}

extension Int {
  func addingSaturated(_ other: Int) -> Int {
    let (sum, overflow) = addingReportingOverflow(other)
    return overflow ? .max : sum
  }
}

/// The task was cancelled, and more than the request that was under way has been charged.
public struct ChargedCancellation: Error, Sendable {
  /// What came before that request, or beside it.
  public let usage: Usage

  public init(usage: Usage) { self.usage = usage }
}

/// Why a provider gave no usable answer, after the retries that its kind deserves.
public final class ModelError: Error, Sendable, CustomStringConvertible {
  public enum Kind: String, Sendable, Hashable {
    /// No connection, or it broke.
    case connection
    case timeout
    /// 429 that did not pass in time.
    case rateLimited
    /// Quota used up: waiting does not help.
    case quotaExceeded
    /// 401 or 403: the key is wrong.
    case unauthorized
    /// 404: no such model or path.
    case notFound
    /// Any other 4xx: the request is at fault.
    case badRequest
    /// 5xx.
    case server
    /// 200, but not what the protocol says.
    case badReply
    /// No provider has that name, or none is configured.
    case notConfigured
    /// A recording is missing or cannot be made: nobody was asked, and no stub may answer instead.
    case cassette
    /// Not asked at all: it failed too often, and is left alone for `retryAfterSeconds`.
    case unavailable
  }

  public let kind: Kind
  /// One line without keys, prompts or the provider's address.
  public let message: String
  public let status: Int?
  public let retryAfterSeconds: Double?
  /// The provider's own words, for the log.
  public let diagnostic: String?
  /// What was charged nevertheless, all attempts together; `nil` = nothing.
  public let usage: Usage?

  public init(
    _ kind: Kind, _ message: String, status: Int? = nil, retryAfterSeconds: Double? = nil,
    diagnostic: String? = nil, usage: Usage? = nil
  ) {
    self.kind = kind
    self.message = message
    self.status = status
    self.retryAfterSeconds = retryAfterSeconds
    self.diagnostic = diagnostic
    self.usage = usage
  }

  /// The same error of a call that took this.
  public func costing(_ usage: Usage) -> ModelError {
    guard usage.tokens > 0 else { return self }
    return ModelError(
      kind, message, status: status, retryAfterSeconds: retryAfterSeconds, diagnostic: diagnostic,
      usage: usage)
  }

  public var description: String { message }
}
