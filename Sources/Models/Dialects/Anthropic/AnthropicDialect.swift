// SPDX-License-Identifier: Apache-2.0
import Core
import JSONCodec

/// Anthropic's messages.
///
/// A structured answer is asked for as a tool that the model has to call: every model can do that, its arguments
/// follow the schema, and nothing stands around them.
/// Source: Anthropic API reference, `POST /v1/messages`.
struct AnthropicDialect: Dialect {
  let headers: [(name: String, value: String)]
  private let base: String
  /// Made once: every request goes there.
  private let url: String

  static let version = "2023-06-01"

  init(_ configuration: ProviderConfiguration) {
    base = configuration.trimmedBaseURL
    url = base + "/messages"
    var headers = [(name: "anthropic-version", value: configuration.apiVersion ?? Self.version)]
    if let key = configuration.apiKey, !key.isEmpty, !configuration.hasHeader("authorization") {
      headers.append(("x-api-key", key))
    }
    self.headers = headers
  }

  func url(for model: String) -> String { url }

  var listURL: String { base + "/models" }

  var limitHeaders: RateLimitHeaders.Names { .anthropic }

  func body(of call: ModelCall) -> [UInt8] {
    AnthropicRequest(call: call, answerTool: Self.answerTool(for: call.request)).encoded()
  }

  func assembly(for request: ModelRequest) -> ReplyAssembly {
    ReplyAssembly(answerTool: Self.answerTool(for: request))
  }

  func read(reply: JSON, into assembly: ReplyAssembly) -> Bool {
    guard reply["content"]?.array != nil else { return false }
    assembly.read(message: reply)
    return true
  }

  func read(event: JSON, into assembly: ReplyAssembly) -> String { assembly.read(messageEvent: event) }

  /// What no tool of the request is called.
  private static func answerTool(for request: ModelRequest) -> String? {
    guard request.output != nil else { return nil }
    var name = AnswerFormat.name
    while request.tools.contains(where: { $0.name == name }) { name += "_" }
    return name
  }
}
