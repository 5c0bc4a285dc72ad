// SPDX-License-Identifier: Apache-2.0
import Core
import JSONCodec

/// Chat completions where Azure serves them: a deployment in the path, a version in the query, a header of its own.
///
/// The newer surface, `/openai/v1`, has neither deployments nor dated versions; `preview` and `latest` mean it too.
/// Source: openai-python `lib/azure.py`; Azure OpenAI reference, data plane v1.
struct AzureDialect: Dialect {
  let headers: [(name: String, value: String)]
  /// What all of the service stands below.
  private let surface: String
  /// Until the deployment's name; the whole surface where there are no deployments.
  private let base: String
  private let namesDeployment: Bool
  private let query: String
  private let words: ChatRequest.Words

  init(_ configuration: ProviderConfiguration) {
    let version = configuration.apiVersion ?? ""
    var base = configuration.trimmedBaseURL
    let isNewer = base.hasSuffix("/openai/v1") || ["preview", "latest"].contains(version)
    if base.hasSuffix("/openai/v1") { base.removeLast(3) }
    let hasDeployment = base.contains("/openai/deployments/")
    if !hasDeployment, !base.hasSuffix("/openai") { base += "/openai" }
    surface =
      isNewer
      ? base + "/v1" : base.firstRange(of: "/deployments/").map { String(base[..<$0.lowerBound]) } ?? base
    namesDeployment = !isNewer && !hasDeployment
    self.base = isNewer ? base + "/v1" : namesDeployment ? base + "/deployments/" : base
    query = version.isEmpty ? "" : "?api-version=" + version.percentEncoded
    // A token of Entra goes as `Authorization`, and then no key may go with it.
    if let key = configuration.apiKey, !key.isEmpty, !configuration.hasHeader("authorization") {
      headers = [("api-key", key)]
    } else {
      headers = []
    }
    words = ChatRequest.Words(configuration)
  }

  func url(for model: String) -> String { url(for: model, operation: "/chat/completions") }

  func embeddingsURL(for model: String) -> String? { url(for: model, operation: "/embeddings") }

  var listURL: String { surface + "/models" + query }

  private func url(for model: String, operation: String) -> String {
    namesDeployment ? base + model.percentEncoded + operation + query : base + operation + query
  }

  func body(of call: ModelCall) -> [UInt8] { ChatRequest(call: call, words: words).encoded() }

  func read(reply: JSON, into assembly: ReplyAssembly) -> Bool { assembly.read(completion: reply) }

  func textChunks() -> TextChunks? { TextChunks() }

  func read(event: JSON, into assembly: ReplyAssembly) -> String { assembly.read(chunk: event) }
}

extension String {
  /// Fit to be one segment of a path or one value of a query. Source: RFC 3986, 2.3.
  var percentEncoded: String {
    var encoded = ""
    for byte in utf8 {
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
        UInt8(ascii: "~"):
        encoded.unicodeScalars.append(Unicode.Scalar(byte))
      default:
        let digits = String(byte, radix: 16, uppercase: true)
        encoded += digits.utf8.count == 1 ? "%0\(digits)" : "%\(digits)"
      }
    }
    return encoded
  }
}
