// SPDX-License-Identifier: Apache-2.0
import JSONCodec

/// A JWS in its compact spelling, taken apart and not yet believed. Source: RFC 7515, 3.1 and 5.2.
struct CompactToken: Sendable {
  static let bytesMax = 16 << 10
  static let kidBytesMax = 256

  /// As the header writes it; it selects among the configured keys and nothing else.
  let algorithmName: String
  let kid: String?
  /// What the signature is over: the first two parts with their dot.
  let signedText: [UInt8]
  let signature: [UInt8]
  private let payloadStart: Int

  /// Splits a token and reads its header.
  ///
  /// `jku`, `x5u`, `jwk` and `x5c` are not looked at. They are not refused, because issuers in use write some
  /// of them into every token (`jku`: Cloud Foundry; `x5c`: registries); a key comes from the configuration
  /// or not at all.
  ///
  /// - Throws: ``TokenRefusal`` `malformed`.
  init(parsing token: String) throws(TokenRefusal) {
    guard token.utf8.count <= Self.bytesMax else {
      throw Self.malformed("is longer than \(Self.bytesMax) bytes")
    }
    let bytes = Array(token.utf8)
    let parts = bytes.split(separator: UInt8(ascii: "."), maxSplits: 3, omittingEmptySubsequences: false)
    guard parts.count == 3 else { throw Self.malformed("does not have three parts") }
    guard let headerBytes = Base64URL.decode(parts[0]), let signature = Base64URL.decode(parts[2]) else {
      throw Self.malformed("is not base64url without padding")
    }
    guard let header = JSON.strictObject(headerBytes) else {
      throw Self.malformed("has a header that is not one JSON object with distinct keys")
    }
    // Extensions change what the signature means, and none is known here. Source: RFC 7515, 4.1.11; RFC 7797,
    // 6.
    guard header["crit"] == nil, header["b64"] == nil else { throw Self.malformed("asks for an extension") }
    guard let algorithmName = header["alg"]?.string else {
      throw Self.malformed("has a header without 'alg'")
    }
    guard Self.isAccessTokenType(header["typ"]) else { throw Self.malformed("has a 'typ' of another kind") }
    switch header["kid"] {
    case nil: kid = nil
    case .string(let text)? where text.utf8.count <= Self.kidBytesMax: kid = text
    default: throw Self.malformed("has a 'kid' that is not text of at most \(Self.kidBytesMax) bytes")
    }
    self.algorithmName = algorithmName
    signedText = Array(bytes[..<parts[1].endIndex])
    payloadStart = parts[1].startIndex
    self.signature = signature
  }

  /// Reads the claims, once the signature holds.
  ///
  /// - Throws: ``TokenRefusal`` `malformed`.
  func claims() throws(TokenRefusal) -> JSONObject {
    guard let bytes = Base64URL.decode(signedText[payloadStart...]) else {
      throw Self.malformed("is not base64url without padding")
    }
    guard let claims = JSON.strictObject(bytes) else {
      throw Self.malformed("has claims that are not one JSON object with distinct keys")
    }
    return claims
  }

  static func malformed(_ what: String) -> TokenRefusal { TokenRefusal(.malformed, "the token \(what)") }

  /// An issuer signs other things with the same key: logout messages, security events, proofs of possession.
  ///
  /// Source: RFC 8725, 3.11; RFC 9068, 2.1 (`at+jwt`); RFC 7515, 4.1.9 (the `application/` may be left out).
  private static func isAccessTokenType(_ type: JSON?) -> Bool {
    guard let type else { return true }
    guard let name = type.string?.lowercased() else { return false }
    return ["jwt", "at+jwt", "application/jwt", "application/at+jwt"].contains(name)
  }
}
