// SPDX-License-Identifier: Apache-2.0
import Core
import JSONCodec

/// How one kind of provider is spoken to: what goes out to it, and how what comes back is read.
///
/// Knows no sockets, retries or clocks, and keeps nothing between requests: what a reply has come to so far stands
/// in its ``ReplyAssembly``.
protocol Dialect: Sendable {
  /// Absolute URL that requests to this model go to.
  func url(for model: String) -> String
  /// The same for embeddings; `nil` where there are none.
  func embeddingsURL(for model: String) -> String?
  /// Where the models are listed, which tells whether the provider is there and takes the key.
  var listURL: String { get }
  /// Headers of every request beside the configured ones, the key's among them.
  var headers: [(name: String, value: String)] { get }

  /// What its headers on limits are called.
  var limitHeaders: RateLimitHeaders.Names { get }

  func body(of call: ModelCall) -> [UInt8]
  /// An empty reply to this request.
  func assembly(for request: ModelRequest) -> ReplyAssembly
  /// Reads a whole reply; false when there is no answer in it.
  func read(reply: JSON, into assembly: ReplyAssembly) -> Bool
  /// What reads the events of one stream that have nothing to say but a text; `nil` = each is read as a whole.
  func textChunks() -> TextChunks?
  /// Adds one event of a stream and returns the text in it that may be told.
  func read(event: JSON, into assembly: ReplyAssembly) -> String
  /// The error that a body or an event holds in place of an answer.
  func fault(in json: JSON) -> ReplyFault?
}

extension Dialect {
  func embeddingsURL(for model: String) -> String? { nil }

  var limitHeaders: RateLimitHeaders.Names { .openAI }

  func assembly(for request: ModelRequest) -> ReplyAssembly { ReplyAssembly() }

  func textChunks() -> TextChunks? { nil }

  /// Source: OpenAI API reference, error codes; the same form is spoken by nearly all.
  func fault(in json: JSON) -> ReplyFault? { json["error"].flatMap { ReplyFault($0) } }
}

/// One request to one model, with the configured defaults filled in: what a dialect writes.
struct ModelCall {
  let request: ModelRequest
  /// The provider's own name of it.
  let model: String
  /// Whose answers go to it verbatim, `provider/model`.
  let origin: String
  let temperature: Double?
  let tokensMax: Int?
  let isStreamed: Bool

  /// Roughly the bytes that its text will take, so that a buffer grows seldom.
  var capacity: Int {
    let messages = request.messages.reduce(0) { sum, message in
      switch message.content {
      case .system(let text): sum + text.utf8.count + 48
      case .user(let text, let images):
        images.reduce(sum + text.utf8.count + 48) { $0 + $1.url.utf8.count + 96 }
      case .assistant(let text, let calls, let verbatim):
        sum + (text?.utf8.count ?? 4) + 48 + (verbatim?.items.reduce(0) { $0 + $1.bytes.count } ?? 0)
          + calls.reduce(0) { $0 + $1.arguments.utf8.count + $1.name.utf8.count + $1.id.utf8.count + 80 }
      case .tool(let callID, _, let content): sum + callID.utf8.count + content.utf8.count + 64
      }
    }
    let tools = request.tools.reduce(0) {
      $0 + $1.name.utf8.count + $1.description.utf8.count + $1.schema.bytes.count + 96
    }
    return messages + tools + (request.output.map { ($0.strict ?? $0.json).bytes.count } ?? 0) + 256
  }
}

/// An error in the provider's own words.
struct ReplyFault {
  /// The status that it stands for, where that is known.
  let status: Int?
  let isQuota: Bool

  /// - Parameter fault: What stands under `error`; `nil` for `null`.
  init?(_ fault: JSON) {
    guard !fault.isNull else { return nil }
    let names = [fault["code"]?.string, fault["type"]?.string].compactMap(\.self)
    isQuota = names.contains("insufficient_quota") || names.contains("billing_error")
    let number = fault["code"]?.integer ?? fault["code"]?.string.flatMap { Int64($0) }
    if let number, (400..<600).contains(number) {
      status = Int(number)
    } else {
      status = names.lazy.compactMap { Self.statuses[$0] }.first
    }
  }

  /// Source: OpenAI and Anthropic API references, errors.
  private static let statuses = [
    "rate_limit_exceeded": 429, "insufficient_quota": 429, "server_error": 500,
    "invalid_request_error": 400, "authentication_error": 401, "billing_error": 402, "permission_error": 403,
    "not_found_error": 404, "request_too_large": 413, "rate_limit_error": 429, "api_error": 500,
    "timeout_error": 504, "overloaded_error": 529,
  ]
}

extension ProviderConfiguration {
  /// The key as a bearer token; none when the configured headers authorize in their own way.
  var bearer: [(name: String, value: String)] {
    guard let apiKey, !apiKey.isEmpty, !hasHeader("authorization") else { return [] }
    return [("Authorization", "Bearer \(apiKey)")]
  }

  func hasHeader(_ name: String) -> Bool { headers.contains { $0.name.lowercased() == name } }
}
