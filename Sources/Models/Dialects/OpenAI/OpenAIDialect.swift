// SPDX-License-Identifier: Apache-2.0
import Core
import JSONCodec

/// Chat completions, as OpenAI defines them and most local servers speak them.
///
/// Source: OpenAI API reference, `POST /chat/completions`.
struct OpenAIDialect: Dialect {
  let headers: [(name: String, value: String)]
  private let base: String
  /// Made once: every request goes there.
  private let url: String
  private let words: ChatRequest.Words

  init(_ configuration: ProviderConfiguration) {
    base = configuration.trimmedBaseURL
    url = base + "/chat/completions"
    headers = configuration.bearer
    words = ChatRequest.Words(configuration)
  }

  func url(for model: String) -> String { url }

  var listURL: String { base + "/models" }

  func embeddingsURL(for model: String) -> String? { base + "/embeddings" }

  func body(of call: ModelCall) -> [UInt8] { ChatRequest(call: call, words: words).encoded() }

  func read(reply: JSON, into assembly: ReplyAssembly) -> Bool { assembly.read(completion: reply) }

  func textChunks() -> TextChunks? { TextChunks() }

  func read(event: JSON, into assembly: ReplyAssembly) -> String { assembly.read(chunk: event) }
}
