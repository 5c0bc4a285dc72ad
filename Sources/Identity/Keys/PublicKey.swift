// SPDX-License-Identifier: Apache-2.0
import FoundationEssentials
import JWTKit

/// A public key of one of the kinds that can verify a token.
enum PublicKey: Sendable {
  case rsa(Insecure.RSA.PublicKey)
  case es256(ES256PublicKey)
  case es384(ES384PublicKey)
  case es512(ES512PublicKey)
  case ed25519(EdDSA.PublicKey)

  /// Below it can be factored, above it a verification takes milliseconds.
  static let rsaBits = 2048...8192

  /// What the key may be used with: its curve decides, and only RSA leaves a choice.
  var algorithms: [SignatureAlgorithm] {
    switch self {
    case .rsa: [.rs256, .rs384, .rs512]
    case .es256: [.es256]
    case .es384: [.es384]
    case .es512: [.es512]
    case .ed25519: [.edDSA]
    }
  }

  /// The same text for the same key, wherever it came from.
  var pem: String {
    switch self {
    case .rsa(let key): key.pemRepresentation
    case .es256(let key): key.pemRepresentation
    case .es384(let key): key.pemRepresentation
    case .es512(let key): key.pemRepresentation
    case .ed25519(let key): key.pemRepresentation
    }
  }

  /// - Throws: What jwt-kit throws, and ``IdentityError`` for a pair that does not fit.
  func verifier(_ algorithm: SignatureAlgorithm) async throws -> any JWTAlgorithm {
    let collection = JWTKeyCollection()
    switch (self, algorithm) {
    case (.rsa(let key), .rs256): await collection.add(rsa: key, digestAlgorithm: .sha256)
    case (.rsa(let key), .rs384): await collection.add(rsa: key, digestAlgorithm: .sha384)
    case (.rsa(let key), .rs512): await collection.add(rsa: key, digestAlgorithm: .sha512)
    case (.es256(let key), .es256): await collection.add(ecdsa: key)
    case (.es384(let key), .es384): await collection.add(ecdsa: key)
    case (.es512(let key), .es512): await collection.add(ecdsa: key)
    case (.ed25519(let key), .edDSA): await collection.add(eddsa: key)
    default: throw IdentityError("the key is not for \(algorithm.rawValue)")
    }
    return try await collection.getKey()
  }
}

extension PublicKey {
  /// Reads the one block of a PEM file: a public key, or a certificate as a mere envelope of its key.
  ///
  /// Dates and issuer of a certificate are not looked at: the operator has chosen this very file.
  init(pem: String) throws(IdentityError) {
    let labels = Self.labels(in: pem)
    guard labels.count == 1, let label = labels.first else {
      throw IdentityError(
        labels.isEmpty ? "the file has no PEM block" : "the file has \(labels.count) PEM blocks",
        hint: "give one public key; several belong in a JWKS file")
    }
    let candidates: [() throws -> PublicKey]
    switch label {
    case "PUBLIC KEY", "RSA PUBLIC KEY":
      candidates = [
        { .es256(try ES256PublicKey(pem: pem)) }, { .es384(try ES384PublicKey(pem: pem)) },
        { .es512(try ES512PublicKey(pem: pem)) }, { .ed25519(try EdDSA.PublicKey(pem: pem)) },
        { .rsa(try Insecure.RSA.PublicKey(pem: pem)) },
      ]
    case "CERTIFICATE":
      candidates = [
        { .es256(try ES256PublicKey(certificate: pem)) }, { .es384(try ES384PublicKey(certificate: pem)) },
        { .es512(try ES512PublicKey(certificate: pem)) },
        { .rsa(try Insecure.RSA.PublicKey(certificatePEM: pem)) },
      ]
    case _ where label.hasSuffix("PRIVATE KEY"):
      throw IdentityError(
        "the file holds a private key, which a server that only verifies must not have",
        hint: "take the public half: openssl pkey -in private.pem -pubout -out public.pem")
    default:
      throw IdentityError("the PEM block is neither a public key nor a certificate")
    }
    guard let key = candidates.lazy.compactMap({ try? $0() }).first else {
      throw IdentityError(
        "the PEM block holds no key that can be used",
        hint:
          "RSA of \(Self.rsaBits.lowerBound) bits or more, P-256, P-384, P-521 or Ed25519 (no certificate)")
    }
    if case .rsa(let rsa) = key { try Self.check(rsa) }
    self = key
  }

  private static func check(_ key: Insecure.RSA.PublicKey) throws(IdentityError) {
    guard let numbers = try? key.getKeyPrimitives(),
      rsaBits.contains(bitCount([UInt8](numbers.modulus)))
    else {
      throw IdentityError("RSA keys have \(rsaBits.lowerBound) to \(rsaBits.upperBound) bits")
    }
  }

  /// Bits of a number, most significant byte first.
  static func bitCount(_ bytes: [UInt8]) -> Int {
    let significant = bytes.drop { $0 == 0 }
    return significant.first.map { significant.count * 8 - $0.leadingZeroBitCount } ?? 0
  }

  /// `PUBLIC KEY` of every `-----BEGIN PUBLIC KEY-----`.
  private static func labels(in pem: String) -> [String] {
    pem.split(whereSeparator: \.isNewline).compactMap { line in
      let begin = "-----BEGIN "
      let end = "-----"
      guard line.hasPrefix(begin), line.hasSuffix(end), line.count > begin.count + end.count else {
        return nil
      }
      return String(line.dropFirst(begin.count).dropLast(end.count))
    }
  }
}
