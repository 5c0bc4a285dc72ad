// SPDX-License-Identifier: Apache-2.0

/// How a token is signed, by its name in the header. Source: RFC 7518, 3.1 and RFC 8037, 3.1.
public enum SignatureAlgorithm: String, Sendable, Hashable, CaseIterable {
  case hs256 = "HS256"
  case hs384 = "HS384"
  case hs512 = "HS512"
  case rs256 = "RS256"
  case rs384 = "RS384"
  case rs512 = "RS512"
  case es256 = "ES256"
  case es384 = "ES384"
  case es512 = "ES512"
  /// With Ed25519 only.
  case edDSA = "EdDSA"

  /// Who can verify can also sign.
  public var isSymmetric: Bool { secretBytesMin != nil }

  /// Bytes that a secret must have at least; `nil` where there is no secret. Source: RFC 7518, 3.2.
  public var secretBytesMin: Int? {
    switch self {
    case .hs256: 32
    case .hs384: 48
    case .hs512: 64
    default: nil
    }
  }
}
