// SPDX-License-Identifier: Apache-2.0
import Core
import Transport

/// One request to one model, for as long as its attempts last.
struct Exchange {
  let provider: Provider
  let request: ModelRequest
  let url: String
  let body: HTTPBody
  let bodyBytes: Int

  init(_ call: ModelCall, provider: Provider) {
    let bytes = provider.dialect.body(of: call)
    self.provider = provider
    request = call.request
    url = provider.dialect.url(for: call.model)
    body = HTTPBody(bytes)
    bodyBytes = bytes.count
    tokens = Usage.estimatedTokens(bytes: bytes.count) + (call.tokensMax ?? 0)
  }

  /// What it is thought to take: what is said, and as much as may be answered.
  let tokens: Int

  private var attempt: Duration { .seconds(provider.configuration.timeoutSeconds) }

  /// - Parameter remaining: What is left of the run's time.
  func wholeRequest(within remaining: Duration) -> HTTPRequest {
    provider.request(body, to: url, timeout: min(remaining, attempt), trace: request.trace)
  }

  /// An answer may take as long as the run, as long as it does not stall.
  func streamedRequest(within remaining: Duration) -> HTTPRequest {
    var request = provider.request(body, to: url, timeout: remaining, trace: request.trace)
    request.idleTimeout = attempt
    return request
  }

  /// Reads a whole response.
  ///
  /// - Throws: ``ProviderFailure`` when it is no reply, whatever its status says.
  func read(_ response: HTTPResponse, now: Timestamp) throws(ProviderFailure) -> ReplyAssembly {
    let json = try provider.read(response, now: now)
    let assembly = provider.dialect.assembly(for: request)
    guard provider.dialect.read(reply: json, into: assembly) else {
      throw provider.badReply("gave a reply without an answer", response.body)
    }
    return assembly
  }
}
