// SPDX-License-Identifier: Apache-2.0
import Core
import JSONCodec

/// OpenAI's Responses API, used without state on the provider's side.
///
/// Source: OpenAI API reference, `POST /responses`.
struct ResponsesDialect: Dialect {
  let headers: [(name: String, value: String)]
  private let base: String
  /// Made once: every request goes there.
  private let url: String

  init(_ configuration: ProviderConfiguration) {
    base = configuration.trimmedBaseURL
    url = base + "/responses"
    headers = configuration.bearer
  }

  func url(for model: String) -> String { url }

  var listURL: String { base + "/models" }

  func embeddingsURL(for model: String) -> String? { base + "/embeddings" }

  func body(of call: ModelCall) -> [UInt8] { ResponsesRequest(call: call).encoded() }

  func read(reply: JSON, into assembly: ReplyAssembly) -> Bool {
    guard reply["output"]?.array != nil else { return false }
    _ = assembly.read(response: reply)
    return true
  }

  func read(event: JSON, into assembly: ReplyAssembly) -> String { assembly.read(responseEvent: event) }

  /// A failure stands in the response itself, in an event of it, or is an event of its own.
  func fault(in json: JSON) -> ReplyFault? {
    if json["type"] == "error" { return ReplyFault(json["error"] ?? json) }
    let response = json["response"] ?? json
    if let fault = response["error"].flatMap({ ReplyFault($0) }) { return fault }
    return response["status"] == "failed" ? ReplyFault([:]) : nil
  }
}
