// SPDX-License-Identifier: Apache-2.0

/// What a request shows to prove who asks.
public enum Credentials: Sendable {
  /// Not yet verified.
  case token(String)
  /// Well spelled, not yet looked up. OpenAI's clients send it as `Bearer`, others as `X-API-Key`.
  case apiKey(APIKey)

  /// Reads the one credential of a request; `nil` when it shows none.
  ///
  /// Two are refused, even equal ones: a proxy and this server might each believe another. Source: RFC 6750,
  /// 2.
  ///
  /// - Parameters:
  ///   - authorization: All values of `Authorization`.
  ///   - apiKey: All values of `X-API-Key`.
  /// - Throws: ``TokenRefusal``: `request` for two credentials, another scheme or no credential at all after
  ///   it; `malformed` for what is too long or is no key.
  public static func parse(authorization: [String], apiKey: [String]) throws(TokenRefusal) -> Credentials? {
    guard authorization.count + apiKey.count <= 1 else {
      throw TokenRefusal(.request, "the request shows more than one credential")
    }
    if let value = apiKey.first { return .apiKey(try APIKey(parsing: value)) }
    guard let value = authorization.first else { return nil }
    return try bearer(value)
  }

  /// `Bearer` 1*SP b64token. Source: RFC 6750, 2.1; RFC 9110, 11.1 (the scheme's case does not count).
  private static func bearer(_ value: String) throws(TokenRefusal) -> Credentials {
    let bytes = value.utf8
    let scheme = bytes.prefix { $0 != UInt8(ascii: " ") }
    guard scheme.map({ $0 | 0x20 }).elementsEqual("bearer".utf8) else {
      throw TokenRefusal(.request, "the Authorization header's scheme must be Bearer")
    }
    let credential = bytes[scheme.endIndex...].drop { $0 == UInt8(ascii: " ") }
    guard credential.count <= CompactToken.bytesMax else {
      throw TokenRefusal(.malformed, "the credential is longer than \(CompactToken.bytesMax) bytes")
    }
    guard !credential.isEmpty, credential.allSatisfy(isTokenCharacter) else {
      throw TokenRefusal(.request, "the Authorization header must be 'Bearer' and one token")
    }
    let text = String(Substring(credential))
    return text.hasPrefix(APIKey.prefix) ? .apiKey(try APIKey(parsing: text)) : .token(text)
  }

  private static func isTokenCharacter(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
      UInt8(ascii: "~"), UInt8(ascii: "+"), UInt8(ascii: "/"), UInt8(ascii: "="):
      true
    default: false
    }
  }
}
