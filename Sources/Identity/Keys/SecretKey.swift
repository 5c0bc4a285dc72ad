// SPDX-License-Identifier: Apache-2.0
import FoundationEssentials
import JWTKit

/// The shared secret of the HS algorithms.
enum SecretKey {
  /// A secret of fewer different bytes was typed, not drawn.
  static let distinctBytesMin = 8

  static func check(_ secret: [UInt8], for algorithm: SignatureAlgorithm) throws(IdentityError) {
    guard let bytesMin = algorithm.secretBytesMin else {
      throw IdentityError(
        "\(algorithm.rawValue) is verified with a public key, not with a secret", hint: "name HS256")
    }
    // Public keys are known to everybody: as a secret they would let everybody sign.
    if String(decoding: secret, as: UTF8.self).contains("-----BEGIN ") {
      throw IdentityError(
        "the secret is a PEM file", hint: "give it as public_key_file, with RS256, ES256 or EdDSA")
    }
    guard secret.count >= bytesMin, Set(secret).count >= distinctBytesMin else {
      throw IdentityError(
        "the secret is too weak for \(algorithm.rawValue): it needs \(bytesMin) random bytes or more",
        hint: "make one: openssl rand -base64 \(bytesMin)")
    }
  }

  static func algorithm(_ secret: [UInt8], _ algorithm: SignatureAlgorithm) async throws -> any JWTAlgorithm {
    let collection = JWTKeyCollection()
    let key = HMACKey(from: secret)
    switch algorithm {
    case .hs256: await collection.add(hmac: key, digestAlgorithm: .sha256)
    case .hs384: await collection.add(hmac: key, digestAlgorithm: .sha384)
    case .hs512: await collection.add(hmac: key, digestAlgorithm: .sha512)
    default: throw IdentityError("\(algorithm.rawValue) takes no secret")
    }
    return try await collection.getKey()
  }
}
