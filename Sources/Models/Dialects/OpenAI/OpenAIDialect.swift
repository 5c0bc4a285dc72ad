// SPDX-License-Identifier: Apache-2.0
import Core
import JSONCodec

/// Chat completions, as OpenAI defines them and most local servers speak them.
///
/// Source: OpenAI API reference, `POST /chat/completions`.
struct OpenAIDialect: Dialect {
  let headers: [(name: String, value: String)]
  private let url: String
  private let words: ChatRequest.Words

  init(_ configuration: ProviderConfiguration) {
    url = configuration.trimmedBaseURL + "/chat/completions"
    headers = configuration.bearer
    words = ChatRequest.Words(configuration)
  }

  func url(for model: String) -> String { url }

  func body(of call: ModelCall) -> [UInt8] { ChatRequest(call: call, words: words).encoded() }

  func read(reply: JSON, into assembly: ReplyAssembly) -> Bool { assembly.read(completion: reply) }

  func read(event: JSON, into assembly: ReplyAssembly) -> String { assembly.read(chunk: event) }
}
