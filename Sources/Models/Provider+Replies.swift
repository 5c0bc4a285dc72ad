// SPDX-License-Identifier: Apache-2.0
import Core
import JSONCodec
import Transport

extension Provider {
  /// Reads the body of a response.
  ///
  /// - Throws: ``ProviderFailure`` when it is no answer, whatever its status says.
  func read(_ response: HTTPResponse, now: Timestamp) throws(ProviderFailure) -> JSON {
    let json = try? JSON(parsing: response.body)
    guard response.status == 200 else {
      throw ProviderFailure(
        status: response.status, fault: json.flatMap(dialect.fault), headers: response.headers,
        body: response.body, provider: self, now: now)
    }
    guard let json else { throw badReply("answered with something that is not JSON", response.body) }
    try checkForFault(in: json, body: response.body, headers: response.headers, now: now)
    return json
  }

  /// Finds an error in the clothes of a reply.
  ///
  /// - Throws: ``ProviderFailure`` of the status that the error names.
  func checkForFault(
    in json: JSON, body: [UInt8], headers: HTTPHeaders, now: Timestamp
  ) throws(ProviderFailure) {
    guard let fault = dialect.fault(in: json) else { return }
    guard let status = fault.status else { throw badReply("answered with an error", body) }
    throw ProviderFailure(
      status: status, fault: fault, headers: headers, body: body, provider: self, now: now)
  }

  func badReply(_ what: String, _ body: [UInt8]) -> ProviderFailure {
    ProviderFailure(ModelError(.badReply, "\(name) \(what)", status: 200, diagnostic: diagnostic(body)))
  }
}
