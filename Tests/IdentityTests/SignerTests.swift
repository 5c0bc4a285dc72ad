// SPDX-License-Identifier: Apache-2.0
import Core
import Crypto
import CryptoExtras
import JSONCodec
import Testing

@testable import Identity

@Suite("Tokens for development")
struct SignerTests {
  private let clock = ManualTime()

  private func parts(_ token: String) throws -> (header: JSON, claims: JSON) {
    let parts = try token.split(separator: ".").map { try #require(Base64URL.decode($0.utf8)) }
    return (try JSON(parsing: parts[0]), try JSON(parsing: parts[1]))
  }

  @Test("a token says what the draft says, and nothing twice")
  func content() async throws {
    let signer = try await TokenSigner.secret(TestKeys.secret, kid: "dev")
    let draft = TokenDraft(
      userID: "ada", name: "Ada", roles: ["admin"], claims: JSONObject([("org", ["id": 7])]),
      lifetime: .seconds(90), issuer: "perigee", audiences: ["a", "b"])
    let (header, claims) = try parts(try signer.sign(draft, at: clock.now))
    #expect(header == ["alg": "HS256", "typ": "JWT", "kid": "dev"])
    let expected: JSON = [
      "iss": "perigee", "aud": ["a", "b"], "iat": 1_800_000_000, "exp": 1_800_000_090, "name": "Ada",
      "org": ["id": 7], "sub": "ada", "roles": ["admin"],
    ]
    #expect(claims == expected)
  }

  @Test("user and roles stand where the policy looks for them")
  func places() async throws {
    let policy = TokenPolicy(
      issuer: "https://issuer.example", audiences: ["perigee", "other"], userClaim: "user.id",
      rolesClaim: "user.access.roles")
    let signer = try await TokenSigner.secret(TestKeys.secret)
    let draft = TokenDraft(userID: "ada", roles: ["operator"], claims: JSONObject([("user", ["org": 7])]))
    let token = try signer.sign(draft, for: policy, at: clock.now)
    #expect(try parts(token).claims["user"] == ["org": 7, "id": "ada", "access": ["roles": ["operator"]]])
    let principal = try await secretVerifier(clock, policy: policy).verify(token)
    #expect(principal.id == "ada" && principal.roles == ["operator"])
  }

  @Test("a tenant stands where the policy looks for it, and only where there are tenants")
  func tenant() async throws {
    let policy = TokenPolicy(tenantClaim: "org.name")
    let signer = try await TokenSigner.secret(TestKeys.secret)
    let draft = TokenDraft(userID: "ada", tenant: Tenant("acme"), claims: JSONObject([("org", ["id": 7])]))
    let token = try signer.sign(draft, for: policy, at: clock.now)
    #expect(try parts(token).claims["org"] == ["id": 7, "name": "acme"])
    #expect(try await secretVerifier(clock, policy: policy).verify(token).id == "acme/ada")
    #expect(throws: IdentityError.noTenants) { try signer.sign(draft, at: clock.now) }
    #expect(throws: IdentityError.self) {
      try signer.sign(TokenDraft(userID: "ada"), for: policy, at: clock.now)
    }
  }

  @Test("a claim that is a URL is not a path")
  func urlClaim() async throws {
    let policy = TokenPolicy(rolesClaim: "https://issuer.example/roles")
    let signer = try await TokenSigner.secret(TestKeys.secret)
    let token = try signer.sign(TokenDraft(userID: "ada", roles: ["admin"]), for: policy, at: clock.now)
    #expect(try await secretVerifier(clock, policy: policy).verify(token).roles == ["admin"])
  }

  @Test("a claim is not written twice", arguments: ["sub", "exp", "iat", "name", "roles"])
  func twice(_ claim: String) async throws {
    let signer = try await TokenSigner.secret(TestKeys.secret)
    let draft = TokenDraft(userID: "ada", name: "Ada", claims: JSONObject([(claim, "x")]))
    #expect(throws: IdentityError.self) { try signer.sign(draft, at: clock.now) }
  }

  @Test("a draft that no verifier would accept is not signed")
  func bounds() async throws {
    let signer = try await TokenSigner.secret(TestKeys.secret)
    var drafts = ["", "perigee:cron", "a\nb"].map { TokenDraft(userID: $0) }
    for milliseconds in [0, -1000, 500, 400 * 86_400_000] {
      drafts.append(TokenDraft(userID: "ada", lifetime: .milliseconds(milliseconds)))
    }
    drafts.append(
      TokenDraft(userID: "ada", claims: JSONObject([("x", .string(String(repeating: "x", count: 16_384)))])))
    for draft in drafts {
      #expect(throws: IdentityError.self) { try signer.sign(draft, at: clock.now) }
    }
  }

  @Test("private keys that cannot be used")
  func badKeys() async throws {
    let weak = try _RSA.Signing.PrivateKey(unsafeKeySize: .init(bitCount: 1024)).pemRepresentation
    for pem in ["", "no key", weak, TestKeys.publicPEM(.rs256), TestKeys.publicPEM(.es256)] {
      await #expect(throws: IdentityError.self) { try await TokenSigner.privateKey(pem: pem) }
    }
    await #expect(throws: IdentityError.self) {
      try await TokenSigner.privateKey(pem: TestKeys.privatePEM(.rs256), rsa: .es256)
    }
    let curve = try await TokenSigner.privateKey(pem: TestKeys.privatePEM(.es256), rsa: .rs512)
    #expect(curve.algorithm == .es256)
  }
}
