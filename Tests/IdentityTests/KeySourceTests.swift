// SPDX-License-Identifier: Apache-2.0
import Crypto
import CryptoExtras
import FoundationEssentials
import JSONCodec
import Testing

@testable import Identity

@Suite("Keys that cannot be used")
struct KeySourceTests {
  private static let all = SignatureAlgorithm.allCases

  @Test(
    "a weak secret is an error with a hint",
    arguments: [
      (SignatureAlgorithm.hs256, 31), (.hs384, 47), (.hs512, 63), (.hs256, 0),
    ])
  func weakSecret(_ algorithm: SignatureAlgorithm, _ size: Int) async throws {
    let error = await #expect(throws: IdentityError.self) {
      try await VerificationKeys.secret(Array(TestKeys.secret.prefix(size)), algorithm: algorithm)
    }
    #expect(error?.hint?.contains("openssl rand") == true)
    await #expect(throws: IdentityError.self) {
      try await TokenSigner.secret(Array(TestKeys.secret.prefix(size)), algorithm: algorithm)
    }
    _ = try await VerificationKeys.secret(
      Array(TestKeys.secret.prefix(algorithm.secretBytesMin ?? 0)), algorithm: algorithm)
  }

  @Test("a long secret of few characters is weak too")
  func typedSecret() async {
    await #expect(throws: IdentityError.self) {
      try await VerificationKeys.secret([UInt8](repeating: 97, count: 64))
    }
  }

  @Test("a public key's text is no secret")
  func pemAsSecret() async {
    for algorithm in [SignatureAlgorithm.rs256, .es256, .edDSA] {
      let text = "\n" + TestKeys.publicPEM(algorithm)
      let error = await #expect(throws: IdentityError.self) {
        try await VerificationKeys.secret(Array(text.utf8))
      }
      #expect(error?.hint?.contains("public_key_file") == true)
    }
  }

  @Test("a secret has an HS algorithm")
  func secretForRSA() async {
    await #expect(throws: IdentityError.self) {
      try await VerificationKeys.secret(TestKeys.secret, algorithm: .rs256)
    }
  }

  @Test("a PEM file holds one public key of a known kind")
  func pem() async throws {
    let weak = try _RSA.Signing.PrivateKey(unsafeKeySize: .init(bitCount: 1024)).publicKey.pemRepresentation
    let two = TestKeys.publicPEM(.es256) + "\n" + TestKeys.publicPEM(.rs256)
    // X25519 agrees on keys and signs nothing; its DER differs from Ed25519's in one byte of the OID.
    let exchange =
      "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VuAyEA"
      + Curve25519.KeyAgreement.PrivateKey().publicKey.rawRepresentation.base64EncodedString()
      + "\n-----END PUBLIC KEY-----"
    let garbage = "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----"
    for text in [weak, two, exchange, garbage, "", "no key", TestKeys.privatePEM(.es256)] {
      await #expect(throws: IdentityError.self) { try await VerificationKeys.pem(text, algorithms: Self.all) }
    }
    let secret = await #expect(throws: IdentityError.self) {
      try await VerificationKeys.pem(TestKeys.privatePEM(.rs256), algorithms: Self.all)
    }
    #expect(secret?.hint?.contains("-pubout") == true)
  }

  @Test("a key of which no algorithm is permitted is an error")
  func notPermitted() async throws {
    await #expect(throws: IdentityError.self) {
      try await VerificationKeys.pem(TestKeys.publicPEM(.rs256), algorithms: [.es256, .hs256])
    }
    let keys = try await VerificationKeys.pem(TestKeys.publicPEM(.rs256), algorithms: [.rs256])
    #expect(throws: IdentityError.self) {
      try TokenVerifier(keys: keys, policy: TokenPolicy(algorithms: [.es256]), clock: ManualTime())
    }
  }

  @Test("a verifier that could accept nothing does not start")
  func nothing() {
    let clock = ManualTime()
    #expect(throws: IdentityError.self) { try TokenVerifier(policy: TokenPolicy(), clock: clock) }
    #expect(throws: IdentityError.self) {
      try TokenVerifier(published: Issuer([]).keys(clock), policy: TokenPolicy(), clock: clock)
    }
  }

  @Test("a JWKS skips what it cannot use, with a reason")
  func skipped() async throws {
    let weak = try _RSA.Signing.PrivateKey(unsafeKeySize: .init(bitCount: 1024)).publicKey
      .getKeyPrimitives()
    let cases: [(JSON, String)] = [
      (TestKeys.jwk(.rs256, ["use": "enc"]), "'use'"),
      (TestKeys.jwk(.rs256, ["use": 1]), "'use'"),
      (TestKeys.jwk(.rs256, ["key_ops": ["encrypt"]]), "'key_ops'"),
      (TestKeys.jwk(.rs256, ["alg": "RSA-OAEP"]), "'alg'"),
      (TestKeys.jwk(.rs256, ["alg": "none"]), "'alg'"),
      (TestKeys.jwk(.rs256, ["alg": "ES256"]), "does not fit"),
      (TestKeys.jwk(.es256, ["alg": "ES384"]), "does not fit"),
      (TestKeys.jwk(.rs256, ["alg": "HS256"]), "does not fit"),
      (TestKeys.jwk(.es512), "not permitted"),
      (TestKeys.jwk(.rs256, ["kty": "AKP"]), "'kty'"),
      (TestKeys.jwk(.rs256, ["kty": .null]), "'kty'"),
      (TestKeys.jwk(.rs256, ["n": .string(Base64URL.encode(weak.modulus))]), "1024 bits"),
      (TestKeys.jwk(.rs256, ["n": .string(Base64URL.encode([UInt8](repeating: 0xFF, count: 2048)))]), "bits"),
      (TestKeys.jwk(.rs256, ["n": "AQAB="]), "base64url"),
      (TestKeys.jwk(.rs256, ["n": .null]), "base64url"),
      (TestKeys.jwk(.rs256, ["e": "AQ"]), "exponent"),
      (TestKeys.jwk(.rs256, ["e": "AQAAAAAAAAAB"]), "exponent"),
      (TestKeys.jwk(.rs256, ["d": "AQAB"]), "private"),
      (TestKeys.jwk(.es256, ["crv": "secp256k1"]), "'crv'"),
      (TestKeys.jwk(.es256, ["x": "AQAB"]), "size"),
      (TestKeys.jwk(.es256, ["x": .string(Base64URL.encode([UInt8](repeating: 1, count: 32)))]), "not a key"),
      (TestKeys.jwk(.edDSA, ["crv": "X25519"]), "'crv'"),
      (TestKeys.jwk(.edDSA, ["x": "AQAB"]), "size"),
      (TestKeys.jwk(.hs256), "secret"),
      (TestKeys.jwk(.rs256, ["kid": 7]), "'kid'"),
      (TestKeys.jwk(.rs256, ["kid": .string(String(repeating: "k", count: 257))]), "'kid'"),
      ("text", "not an object"),
    ]
    let good = TestKeys.jwk(.es256, kid: "good")
    let permitted = Self.all.filter { $0 != .es512 }
    let keys = try await VerificationKeys.jwks(jwks(cases.map(\.0) + [good]), algorithms: permitted)
    #expect(keys.count == 1 && keys.keys[0].kid == "good")
    #expect(keys.skipped.map(\.index) == Array(cases.indices))
    for (skipped, (_, reason)) in zip(keys.skipped, cases) {
      #expect(skipped.reason.contains(reason), "\(skipped)")
    }
    let error = await #expect(throws: IdentityError.self) {
      try await VerificationKeys.jwks(jwks(cases.map(\.0)), algorithms: permitted)
    }
    #expect(error?.message.contains("key 0: 'use' is not sig") == true)
  }

  @Test(
    "what is not a JWKS is refused whole",
    arguments: [
      "", "[]", "{}", #"{"keys":{}}"#, #"{"keys":[]}"#, #"{"keys":[],"keys":[]}"#, "{\"keys\":[]} x",
      String(repeating: "[", count: 10_000),
    ])
  func notJWKS(_ text: String) async {
    await #expect(throws: IdentityError.self) {
      try await VerificationKeys.jwks(Array(text.utf8), algorithms: Self.all)
    }
  }

  @Test("a document has bounds")
  func bounds() async throws {
    let many = [JSON](repeating: TestKeys.jwk(.edDSA), count: 101)
    let keys = try await VerificationKeys.jwks(jwks(many), algorithms: Self.all)
    #expect(keys.count == 100 && keys.skipped.map(\.index) == [100])
    guard case .keys(let tried) = keys.select(kid: nil, algorithm: .edDSA) else {
      Issue.record("no key")
      return
    }
    #expect(tried.count == VerificationKeys.triesMax)
    let long = [UInt8](repeating: 32, count: VerificationKeys.documentBytesMax) + jwks(many)
    await #expect(throws: IdentityError.self) { try await VerificationKeys.jwks(long, algorithms: Self.all) }
  }
}
