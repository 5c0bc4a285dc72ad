// SPDX-License-Identifier: Apache-2.0
import Core
public import JSONCodec
import LuaHost

extension ScriptScope {
  /// POSTs JSON to a host that the agent's `access.http` lists, as `http.post` would.
  ///
  /// - Parameter key: `Idempotency-Key`: the same whenever the same thing is said again.
  /// - Returns: `status` and `body`, which is decoded when it is JSON.
  /// - Throws: ``Failure``; `upstream` for an answer that is not 200 to 299, retryable for 429 and 500 to 599.
  public func post(_ body: RawJSON, to url: String, key: String) async throws -> RawJSON {
    let arguments = Arguments(
      [
        .string(url),
        .fields(["json": .json(body), "headers": .fields(["Idempotency-Key": .string(key)])]),
      ], of: "webhook", at: CallSite(fiber: "", number: 0))
    let response: LuaValue
    do {
      response = try await HostModule.send(
        method: "POST", url: url, options: try arguments.options(2, HostModule.optionNames), scope: self,
        key: callPlace, function: "webhook")
    } catch let error as HostError {
      throw Failure(error)
    }
    let status = response["status"]?.integer ?? 0
    guard (200..<300).contains(status) else {
      throw Failure(
        status == 429 ? .rateLimited : .upstream, "the webhook answered \(status)",
        retryable: status == 429 || status >= 500, detail: ["status": .integer(status)])
    }
    var writer = JSONWriter()
    writer.object {
      $0.member("status", status)
      switch (response["json"], response["body"]) {
      case (.json(let json)?, _): $0.member("body", json)
      case (_, .string(let text)?): $0.member("body", text)
      // What is no text says nothing to a script.
      default: $0.member("body", "")
      }
    }
    return writer.raw
  }
}
