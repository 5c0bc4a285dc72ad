// SPDX-License-Identifier: Apache-2.0
import Core
import Crypto
import CryptoExtras
import FoundationEssentials
import JSONCodec
import SwiftASN1
import Testing
import X509

@testable import Identity

@Suite("Every algorithm, from every source of keys")
struct AlgorithmTests {
  private static let draft = TokenDraft(userID: "ada", name: "Ada Lovelace", roles: ["user", "operator"])

  private func check(
    _ keys: VerificationKeys, _ algorithm: SignatureAlgorithm, kid: String? = nil
  ) async throws {
    let clock = ManualTime()
    let policy = TokenPolicy(algorithms: [algorithm])
    let verifier = try TokenVerifier(keys: keys, policy: policy, clock: clock)
    let token = try await TestKeys.signer(algorithm, kid: kid).sign(Self.draft, at: clock.now)
    #expect(verifier.remembered(token) == nil)
    let principal = try await verifier.verify(token)
    #expect(principal.id == "ada" && principal.name == "Ada Lovelace")
    #expect(principal.roles == ["user", "operator"])
    #expect(verifier.remembered(token) == principal)
    #expect(try await verifier.verify(token) == principal)
  }

  @Test("a secret", arguments: SignatureAlgorithm.allCases.filter(\.isSymmetric))
  func secret(_ algorithm: SignatureAlgorithm) async throws {
    try await check(try await .secret(TestKeys.secret, algorithm: algorithm), algorithm)
  }

  @Test("a public key in PEM", arguments: SignatureAlgorithm.allCases.filter { !$0.isSymmetric })
  func pem(_ algorithm: SignatureAlgorithm) async throws {
    let pem = TestKeys.publicPEM(algorithm)
    try await check(try await .pem(pem, algorithms: [algorithm]), algorithm)
    // A key without a name answers to every name.
    try await check(try await .pem(pem, algorithms: [algorithm]), algorithm, kid: "of-the-issuer")
  }

  @Test("a JWKS file", arguments: SignatureAlgorithm.allCases)
  func file(_ algorithm: SignatureAlgorithm) async throws {
    let document = jwks([TestKeys.jwk(algorithm, kid: "a")])
    let keys = try await VerificationKeys.jwks(document, algorithms: [algorithm], secrets: true)
    try await check(keys, algorithm, kid: "a")
    try await check(keys, algorithm)
  }

  @Test("a JWKS URL", arguments: SignatureAlgorithm.allCases.filter { !$0.isSymmetric })
  func url(_ algorithm: SignatureAlgorithm) async throws {
    let clock = ManualTime()
    let issuer = Issuer([TestKeys.jwk(algorithm, kid: "a")])
    let verifier = try TokenVerifier(
      published: issuer.keys(clock), policy: TokenPolicy(algorithms: [algorithm]), clock: clock)
    let token = try await TestKeys.signer(algorithm, kid: "a").sign(Self.draft, at: clock.now)
    #expect(try await verifier.verify(token).id == "ada")
    #expect(verifier.remembered(token)?.id == "ada")
    #expect(issuer.loads == 1)
  }

  @Test("a certificate is an envelope of its key, whatever its dates")
  func certificate() async throws {
    let keys: [(Certificate.PrivateKey, SignatureAlgorithm)] = [
      (.init(TestKeys.p256), .es256), (.init(TestKeys.p384), .es384), (.init(TestKeys.rsa), .rs256),
    ]
    for (key, algorithm) in keys {
      let name = try DistinguishedName { CommonName("issuer") }
      let certificate = try Certificate(
        version: .v3, serialNumber: Certificate.SerialNumber(), publicKey: key.publicKey,
        notValidBefore: Date(timeIntervalSince1970: 0), notValidAfter: Date(timeIntervalSince1970: 86_400),
        issuer: name, subject: name, extensions: Certificate.Extensions(), issuerPrivateKey: key)
      let pem = try certificate.serializeAsPEM().pemString
      try await check(try await .pem(pem, algorithms: [algorithm]), algorithm)
    }
  }

  @Test("an RSA key without 'alg' serves all permitted RS algorithms, one with 'alg' only its own")
  func rsa() async throws {
    let clock = ManualTime()
    let rs: [SignatureAlgorithm] = [.rs256, .rs384, .rs512]
    let open = try await VerificationKeys.jwks(
      jwks([TestKeys.jwk(.rs256, ["alg": .null])]), algorithms: [.rs256, .rs384])
    let bound = try await VerificationKeys.jwks(jwks([TestKeys.jwk(.rs384)]), algorithms: rs)
    #expect(open.algorithms == [.rs256, .rs384] && bound.algorithms == [.rs384])
    let verifier = try TokenVerifier(keys: bound, policy: TokenPolicy(algorithms: rs), clock: clock)
    for algorithm in rs {
      let token = try await TestKeys.signer(algorithm).sign(Self.draft, at: clock.now)
      #expect(await verifier.refusal(token) == (algorithm == .rs384 ? nil : .unknownKey))
    }
  }

  @Test("keys of several sources serve side by side")
  func several() async throws {
    let clock = ManualTime()
    let keys =
      try await VerificationKeys.secret(TestKeys.secret)
      + .pem(TestKeys.publicPEM(.rs256), algorithms: [.rs256], kid: "r")
    let verifier = try TokenVerifier(
      keys: keys, published: Issuer([TestKeys.jwk(.edDSA, kid: "e")]).keys(clock),
      policy: TokenPolicy(algorithms: [.hs256, .rs256, .edDSA]), clock: clock)
    for (algorithm, kid) in [(SignatureAlgorithm.hs256, nil), (.rs256, "r"), (.edDSA, "e")] {
      let token = try await TestKeys.signer(algorithm, kid: kid).sign(Self.draft, at: clock.now)
      #expect(try await verifier.verify(token).id == "ada")
    }
  }
}
