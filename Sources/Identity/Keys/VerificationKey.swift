// SPDX-License-Identifier: Apache-2.0
import JWTKit

/// A key together with the one algorithm for which it is used: the token's header never chooses the pair.
///
/// Source: RFC 8725, 3.1.
struct VerificationKey: Sendable {
  /// The name by which a header may ask for it; `nil` = it answers to every name.
  let kid: String?
  let algorithm: SignatureAlgorithm
  /// Of key and algorithm, not of the name.
  let fingerprint: Fingerprint
  private let verifier: any JWTAlgorithm

  init(_ key: PublicKey, algorithm: SignatureAlgorithm, kid: String?) async throws {
    try self.init(
      kid: kid, algorithm: algorithm, material: Array(key.pem.utf8), verifier: await key.verifier(algorithm))
  }

  /// - Parameter secret: Strong enough: ``SecretKey/check(_:for:)``.
  init(secret: [UInt8], algorithm: SignatureAlgorithm, kid: String?) async throws {
    try self.init(
      kid: kid, algorithm: algorithm, material: secret,
      verifier: await SecretKey.algorithm(secret, algorithm))
  }

  private init(
    kid: String?, algorithm: SignatureAlgorithm, material: [UInt8], verifier: any JWTAlgorithm
  ) throws(IdentityError) {
    guard verifier.name == algorithm.rawValue else {
      throw IdentityError("the key is not for \(algorithm.rawValue)")
    }
    self.kid = kid
    self.algorithm = algorithm
    fingerprint = Fingerprint(of: Array("\(algorithm.rawValue)\n".utf8) + material)
    self.verifier = verifier
  }

  /// Whether `signature` is this key's over `text`.
  ///
  /// HMACs are compared in constant time by swift-crypto; the other kinds compare public values.
  func signed(_ text: [UInt8], signature: [UInt8]) -> Bool {
    // It throws for a signature of the wrong size, which is a wrong signature.
    (try? verifier.verify(signature, signs: text)) ?? false
  }
}
