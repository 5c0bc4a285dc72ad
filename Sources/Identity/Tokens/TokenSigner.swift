// SPDX-License-Identifier: Apache-2.0
public import Core
import FoundationEssentials
import JSONCodec
import JWTKit

/// Makes tokens for development: `perigee token`.
public struct TokenSigner: Sendable {
  public let algorithm: SignatureAlgorithm
  /// Name of the key in the header.
  public let kid: String?
  private let signer: any JWTAlgorithm

  private init(_ signer: any JWTAlgorithm, _ algorithm: SignatureAlgorithm, kid: String?)
    throws(IdentityError)
  {
    guard signer.name == algorithm.rawValue, (kid?.utf8.count ?? 0) <= CompactToken.kidBytesMax else {
      throw IdentityError("the key is not for \(algorithm.rawValue), or its name is too long")
    }
    self.signer = signer
    self.algorithm = algorithm
    self.kid = kid
  }

  /// Signs with a shared secret, as strong as ``VerificationKeys/secret(_:algorithm:kid:)`` asks.
  ///
  /// - Throws: ``IdentityError``.
  public static func secret(
    _ secret: [UInt8], algorithm: SignatureAlgorithm = .hs256, kid: String? = nil
  ) async throws(IdentityError) -> TokenSigner {
    try SecretKey.check(secret, for: algorithm)
    do {
      return try TokenSigner(try await SecretKey.algorithm(secret, algorithm), algorithm, kid: kid)
    } catch {
      throw error as? IdentityError ?? IdentityError("the secret cannot be used")
    }
  }

  /// Signs with a private key in PEM: PKCS #8, or PKCS #1 for RSA and SEC 1 for the curves.
  ///
  /// - Parameter rsa: Algorithm, when the key is one of RSA; every other key has its own.
  /// - Throws: ``IdentityError`` when it is no such key, encrypted, or too weak.
  public static func privateKey(
    pem: String, rsa: SignatureAlgorithm = .rs256, kid: String? = nil
  ) async throws(IdentityError) -> TokenSigner {
    let collection = JWTKeyCollection()
    let algorithm: SignatureAlgorithm
    if let key = try? ES256PrivateKey(pem: pem) {
      algorithm = .es256
      await collection.add(ecdsa: key)
    } else if let key = try? ES384PrivateKey(pem: pem) {
      algorithm = .es384
      await collection.add(ecdsa: key)
    } else if let key = try? ES512PrivateKey(pem: pem) {
      algorithm = .es512
      await collection.add(ecdsa: key)
    } else if let key = try? EdDSA.PrivateKey(pem: pem) {
      algorithm = .edDSA
      await collection.add(eddsa: key)
    } else if let key = try? Insecure.RSA.PrivateKey(pem: pem) {
      let digests: [SignatureAlgorithm: DigestAlgorithm] = [
        .rs256: .sha256, .rs384: .sha384, .rs512: .sha512,
      ]
      guard let digest = digests[rsa] else { throw IdentityError("\(rsa.rawValue) is not for RSA keys") }
      algorithm = rsa
      await collection.add(rsa: key, digestAlgorithm: digest)
    } else {
      throw IdentityError(
        "the file holds no private key that can be used",
        hint: "an unencrypted PEM: openssl genpkey -algorithm ed25519 -out private.pem")
    }
    do {
      return try TokenSigner(try await collection.getKey(), algorithm, kid: kid)
    } catch {
      throw error as? IdentityError ?? IdentityError("the private key cannot be used")
    }
  }

  /// Signs what `draft` says; a verifier with the key's other half and `policy` accepts it.
  ///
  /// - Throws: ``IdentityError``.
  public func sign(
    _ draft: TokenDraft, for policy: TokenPolicy = TokenPolicy(), at now: Timestamp
  ) throws(IdentityError) -> String {
    let token = try sign(header: header, payload: RawJSON(.object(draft.payload(for: policy, at: now))))
    guard token.utf8.count <= CompactToken.bytesMax else {
      throw IdentityError("the token has more than \(CompactToken.bytesMax) bytes")
    }
    return token
  }

  private var header: RawJSON {
    var writer = JSONWriter()
    writer.object {
      $0.member("alg", algorithm.rawValue)
      $0.member("typ", "JWT")
      if let kid { $0.member("kid", kid) }
    }
    return writer.raw
  }

  /// Signs any two parts, sensible or not.
  func sign(header: RawJSON, payload: RawJSON) throws(IdentityError) -> String {
    let text = Base64URL.encode(header.bytes) + "." + Base64URL.encode(payload.bytes)
    do {
      return text + "." + Base64URL.encode(try signer.sign(Array(text.utf8)))
    } catch {
      throw IdentityError("the token could not be signed")
    }
  }
}
