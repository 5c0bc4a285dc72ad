// SPDX-License-Identifier: Apache-2.0
public import JSONCodec

/// What a host function throws so that the script sees `{ code, message, retryable, detail }`.
///
/// Any other error becomes one of code `internal` whose message tells nothing of its cause.
public struct HostError: Error, Sendable, Hashable, CustomStringConvertible {
  public var code: String
  public var message: String
  public var retryable: Bool
  public var detail: RawJSON?

  public init(code: String, message: String, retryable: Bool = false, detail: RawJSON? = nil) {
    self.code = code
    self.message = message
    self.retryable = retryable
    self.detail = detail
  }

  public var description: String { "\(code): \(message)" }
}
