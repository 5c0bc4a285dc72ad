// SPDX-License-Identifier: Apache-2.0

/// Why a caller's token or key was not accepted, in words that the caller may read.
public struct TokenRefusal: Error, Sendable, Hashable, CustomStringConvertible {
  public struct Code: Sendable, Hashable, RawRepresentable, CustomStringConvertible {
    public let rawValue: String
    public init(rawValue: String) { self.rawValue = rawValue }
    public var description: String { rawValue }

    /// Two credentials, or something that is none.
    public static let request = Code(rawValue: "request")
    public static let malformed = Code(rawValue: "malformed")
    public static let algorithm = Code(rawValue: "algorithm")
    public static let unknownKey = Code(rawValue: "unknown_key")
    public static let signature = Code(rawValue: "signature")
    public static let expired = Code(rawValue: "expired")
    public static let notYetValid = Code(rawValue: "not_yet_valid")
    public static let issuer = Code(rawValue: "issuer")
    public static let audience = Code(rawValue: "audience")
    public static let subject = Code(rawValue: "subject")
    public static let tenant = Code(rawValue: "tenant")
    public static let revoked = Code(rawValue: "revoked")
    /// Nobody can tell now: the published keys or the store of API keys are out of reach.
    public static let unavailable = Code(rawValue: "unavailable")
  }

  public let code: Code
  /// One line; nothing of the token and nothing of a key is ever in it.
  public let message: String

  // Only literals and the operator's own words come here, never what the caller sent.
  init(_ code: Code, _ message: String) {
    self.code = code
    self.message = message
  }

  public var description: String { "\(code): \(message)" }

  /// Value of `WWW-Authenticate`; `nil` for `unavailable`, which is no fault of the credential (503, not
  /// 401).
  ///
  /// `request` is `invalid_request` (400), everything else `invalid_token` (401). Source: RFC 6750, 3 and
  /// 3.1.
  public var challenge: String? {
    if code == .unavailable { return nil }
    let error = code == .request ? "invalid_request" : "invalid_token"
    return "Bearer error=\"\(error)\", error_description=\"\(quotable)\""
  }

  /// The message in the characters that RFC 6750 allows an `error_description`.
  private var quotable: String {
    String(
      decoding: message.utf8.map { byte in
        let isAllowed = (0x20...0x7E).contains(byte) && byte != 0x22 && byte != 0x5C
        return isAllowed ? byte : UInt8(ascii: "'")
      }, as: UTF8.self)
  }
}
