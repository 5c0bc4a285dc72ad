// SPDX-License-Identifier: Apache-2.0
import Core
import JSONCodec
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
    provider.request(body, to: url, timeout: min(remaining, attempt))
  }

  /// An answer may take as long as the run, as long as it does not stall.
  func streamedRequest(within remaining: Duration) -> HTTPRequest {
    var request = provider.request(body, to: url, timeout: remaining)
    request.idleTimeout = attempt
    return request
  }

  /// Reads a whole response.
  ///
  /// - Throws: ``ProviderFailure`` when it is no reply, whatever its status says.
  func read(_ response: HTTPResponse, now: Timestamp) throws(ProviderFailure) -> ReplyAssembly {
    let json = try? JSON(parsing: response.body)
    guard response.status == 200 else {
      throw ProviderFailure(
        status: response.status, fault: json.flatMap(provider.dialect.fault), headers: response.headers,
        body: response.body, provider: provider, now: now)
    }
    guard let json else { throw badReply("answered with something that is not JSON", response.body) }
    try checkForFault(in: json, body: response.body, headers: response.headers, now: now)
    let assembly = provider.dialect.assembly(for: request)
    guard provider.dialect.read(reply: json, into: assembly) else {
      throw badReply("gave a reply without an answer", response.body)
    }
    return assembly
  }

  /// Finds an error in the clothes of a reply.
  ///
  /// - Throws: ``ProviderFailure`` of the status that the error names.
  func checkForFault(
    in json: JSON, body: [UInt8], headers: HTTPHeaders, now: Timestamp
  ) throws(ProviderFailure) {
    guard let fault = provider.dialect.fault(in: json) else { return }
    guard let status = fault.status else { throw badReply("answered with an error", body) }
    throw ProviderFailure(
      status: status, fault: fault, headers: headers, body: body, provider: provider, now: now)
  }

  func badReply(_ what: String, _ body: [UInt8]) -> ProviderFailure {
    ProviderFailure(
      ModelError(
        .badReply, "\(provider.name) \(what)", status: 200, diagnostic: provider.diagnostic(body)))
  }
}
