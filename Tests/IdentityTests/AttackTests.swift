// SPDX-License-Identifier: Apache-2.0
import Core
import Crypto
import CryptoExtras
import FoundationEssentials
import JSONCodec
import Testing

@testable import Identity

@Suite("Attacks")
struct AttackTests {
  private static let claims = #"{"sub":"mallory","exp":1800003600}"#

  /// Knows one key of each kind, under its algorithm's name, and permits every algorithm.
  private func verifier(_ clock: ManualTime = ManualTime()) async throws -> TokenVerifier {
    let document = jwks([
      TestKeys.jwk(.hs256, kid: "HS256"), TestKeys.jwk(.rs256, kid: "RS256"),
      TestKeys.jwk(.es256, kid: "ES256"),
      TestKeys.jwk(.edDSA, kid: "EdDSA"),
    ])
    let all = SignatureAlgorithm.allCases
    return try TokenVerifier(
      keys: try await .jwks(document, algorithms: all, secrets: true), policy: TokenPolicy(algorithms: all),
      clock: clock)
  }

  private func ecdsa(_ text: [UInt8]) throws -> Data {
    try TestKeys.p256.signature(for: text).rawRepresentation
  }

  @Test(
    "'none' in every spelling",
    arguments: ["none", "None", "NONE", "nOnE", "none ", " none", "no\\u006ee", "none\\u0000", "", "null"])
  func none(_ name: String) async throws {
    let verifier = try await verifier()
    for kid in ["", #","kid":"RS256""#, #","kid":"HS256""#] {
      let header = "{\"alg\":\"\(name)\"\(kid)}"
      let unsigned = forge(header: header, payload: Self.claims) { _ in [UInt8]() }
      #expect(await verifier.refusal(unsigned) == .algorithm)
      #expect(await verifier.refusal(forge(header: header, payload: Self.claims) { hmac($0) }) == .algorithm)
    }
    let parts = token(Self.claims).split(separator: ".")
    #expect(await verifier.refusal("\(parts[0]).\(parts[1]).") == .signature)
    #expect(await verifier.refusal("\(parts[0]).\(parts[1])") == .malformed)
  }

  @Test(
    "an algorithm that is no text, or another one",
    arguments: [
      #"{"alg":null}"#, #"{"alg":0}"#, #"{"alg":["HS256"]}"#, #"{"alg":{"a":"HS256"}}"#, #"{}"#,
      #"{"ALG":"HS256"}"#,
    ])
  func noAlgorithm(_ header: String) async throws {
    let forged = forge(header: header, payload: Self.claims) { hmac($0) }
    #expect(await (try verifier()).refusal(forged) == .malformed)
  }

  @Test(
    "a name that resembles an algorithm's",
    arguments: ["hs256", "HS256 ", "HS256\\n", "HS 256", "PS256", "ES256K"])
  func resembling(_ name: String) async throws {
    let forged = forge(header: "{\"alg\":\"\(name)\"}", payload: Self.claims) { hmac($0) }
    #expect(await (try verifier()).refusal(forged) == .algorithm)
  }

  @Test(
    "a public key's text as the secret of an HMAC", arguments: [SignatureAlgorithm.rs256, .es256, .edDSA])
  func confusion(_ algorithm: SignatureAlgorithm) async throws {
    let clock = ManualTime()
    let pem = TestKeys.publicPEM(algorithm)
    let der = pem.split(separator: "\n").dropFirst().dropLast().joined()
    let secrets = [Array(pem.utf8), Array((pem + "\n").utf8), [UInt8](Data(base64Encoded: der) ?? Data())]
    let everything = try await verifier(clock)
    // Even with every algorithm permitted, the key decides.
    let alone = try TokenVerifier(
      keys: try await .pem(pem, algorithms: SignatureAlgorithm.allCases),
      policy: TokenPolicy(algorithms: SignatureAlgorithm.allCases), clock: clock)
    for secret in secrets {
      for kid in ["", ",\"kid\":\"\(algorithm.rawValue)\""] {
        let forged = forge(header: "{\"alg\":\"HS256\"\(kid)}", payload: Self.claims) {
          hmac($0, key: secret)
        }
        #expect(await everything.refusal(forged) == (kid.isEmpty ? .signature : .algorithm))
        #expect(await alone.refusal(forged) == .unknownKey)
      }
    }
  }

  @Test("a key under the name of another algorithm")
  func crossed() async throws {
    let verifier = try await verifier()
    for (algorithm, kid) in [("ES256", "RS256"), ("RS256", "ES256"), ("EdDSA", "ES256"), ("HS256", "EdDSA")] {
      let forged = forge(header: "{\"alg\":\"\(algorithm)\",\"kid\":\"\(kid)\"}", payload: Self.claims) {
        hmac($0)
      }
      #expect(await verifier.refusal(forged) == .algorithm)
    }
    // Another digest of the same RSA key.
    let signer = try await TestKeys.signer(.rs512, kid: "RS256")
    let crossed = try signer.sign(TokenDraft(userID: "ada"), at: ManualTime().now)
    #expect(await verifier.refusal(crossed) == .algorithm)
  }

  @Test(
    "names of keys that are paths, queries or long",
    arguments: [
      "../../../../dev/null", "/etc/passwd", "' OR '1'='1", "x' UNION SELECT 'key",
      "http://evil.example/jwks",
      "hs256", "HS256\\u0000", " HS256", "\\u0001",
    ])
  func keyNames(_ kid: String) async throws {
    let verifier = try await verifier()
    let forged = forge(header: "{\"alg\":\"HS256\",\"kid\":\"\(kid)\"}", payload: Self.claims) {
      hmac($0, key: [])
    }
    #expect(await verifier.refusal(forged) == .unknownKey)
  }

  @Test(
    "a 'kid' that is no text of bounded length",
    arguments: ["7", "null", "{}", "[\"HS256\"]", "\"" + String(repeating: "k", count: 257) + "\""])
  func strangeKeyNames(_ kid: String) async throws {
    let forged = forge(header: "{\"alg\":\"HS256\",\"kid\":\(kid)}", payload: Self.claims) { hmac($0) }
    #expect(await (try verifier()).refusal(forged) == .malformed)
  }

  @Test("a key that the token brings along is not looked at")
  func embedded() async throws {
    let verifier = try await verifier()
    let mine = P256.Signing.PrivateKey()
    let jwk = RawJSON(TestKeys.jwk(mine, kid: "mine")).text
    for extra in [
      "\"jwk\":\(jwk)", #""jku":"https://evil.example/jwks""#, #""x5u":"https://evil.example/cert""#,
      #""x5c":["MIIB"]"#, "\"jwk\":\(jwk),\"jku\":\"file:///dev/null\"",
    ] {
      for kid in ["", #""kid":"mine","#, #""kid":"ES256","#] {
        let header = "{\"alg\":\"ES256\",\(kid)\(extra)}"
        let forged = try forge(header: header, payload: Self.claims) {
          try mine.signature(for: $0).rawRepresentation
        }
        #expect(await verifier.refusal(forged) == (kid.contains("mine") ? .unknownKey : .signature))
      }
      // The issuers that write them are believed by their key all the same.
      let honest = try forge(header: "{\"alg\":\"ES256\",\(extra)}", payload: Self.claims, sign: ecdsa)
      #expect(await verifier.refusal(honest) == nil)
    }
  }

  @Test(
    "an extension is refused, even with a good signature",
    arguments: [
      #""crit":["exp"],"exp":1"#, #""crit":[]"#, #""crit":null"#, #""b64":true"#,
      #""b64":false,"crit":["b64"]"#,
      #""typ":"dpop+jwt""#, #""typ":"logout+jwt""#, #""typ":"secevent+jwt""#, #""typ":7"#, #""typ":null"#,
      #""alg":"HS256""#, #""kid":"HS256","kid":"HS256""#,
    ])
  func extensions(_ extra: String) async throws {
    let forged = forge(header: "{\"alg\":\"HS256\",\(extra)}", payload: Self.claims) { hmac($0) }
    #expect(await (try verifier()).refusal(forged) == .malformed)
  }

  @Test("the types of an access token", arguments: ["JWT", "jwt", "at+jwt", "application/at+jwt", "AT+JWT"])
  func types(_ type: String) async throws {
    let good = forge(header: "{\"typ\":\"\(type)\",\"alg\":\"HS256\"}", payload: Self.claims) { hmac($0) }
    #expect(await (try verifier()).refusal(good) == nil)
  }

  @Test("signatures cut, grown, swapped or of another text", arguments: ["HS256", "RS256", "ES256", "EdDSA"])
  func signatures(_ name: String) async throws {
    let verifier = try await verifier()
    let clock = ManualTime()
    let algorithm = try #require(SignatureAlgorithm(rawValue: name))
    let signer = try await TestKeys.signer(algorithm, kid: name)
    let good = try signer.sign(TokenDraft(userID: "ada"), at: clock.now).split(separator: ".").map(
      String.init)
    let other = try signer.sign(TokenDraft(userID: "bob"), at: clock.now).split(separator: ".").map(
      String.init)
    let signature = try #require(Base64URL.decode(good[2].utf8))
    #expect(await verifier.refusal(good.joined(separator: ".")) == nil)
    let wrong: [[UInt8]] = [
      [], [0], Array(signature.dropLast()), Array(signature.dropFirst()), signature + [0], [0] + signature,
      signature + signature, signature.reversed(), [UInt8](repeating: 0, count: signature.count),
      [UInt8](repeating: 0xFF, count: signature.count), try #require(Base64URL.decode(other[2].utf8)),
    ]
    for bytes in wrong {
      #expect(await verifier.refusal("\(good[0]).\(good[1]).\(Base64URL.encode(bytes))") == .signature)
    }
    #expect(await verifier.refusal("\(good[0]).\(other[1]).\(good[2])") == .signature)
  }

  @Test("ES256: zeros for both numbers, the group's order, and DER in place of two numbers")
  func ecdsaShapes() async throws {
    let verifier = try await verifier()
    let order: [UInt8] = [
      0xFF, 0xFF, 0xFF, 0xFF, 0, 0, 0, 0, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF,
      0xBC, 0xE6, 0xFA, 0xAD, 0xA7, 0x17, 0x9E, 0x84, 0xF3, 0xB9, 0xCA, 0xC2, 0xFC, 0x63, 0x25, 0x51,
    ]
    let zero = [UInt8](repeating: 0, count: 32)
    let one = zero.dropLast() + [1]
    for signature in [zero + zero, order + order, one + zero, zero + one, one + order, order + one] {
      let forged = forge(header: #"{"alg":"ES256"}"#, payload: Self.claims) { _ in signature }
      #expect(await verifier.refusal(forged) == .signature)
    }
    let der = try forge(header: #"{"alg":"ES256"}"#, payload: Self.claims) {
      try TestKeys.p256.signature(for: $0).derRepresentation
    }
    #expect(await verifier.refusal(der) == .signature)
  }

  @Test("RSA: PSS in place of PKCS #1, and a signature of another digest")
  func rsaShapes() async throws {
    let verifier = try await verifier()
    let pss = try forge(header: #"{"alg":"RS256"}"#, payload: Self.claims) {
      try TestKeys.rsa.signature(for: SHA256.hash(data: $0), padding: .PSS).rawRepresentation
    }
    let digest = try forge(header: #"{"alg":"RS256"}"#, payload: Self.claims) {
      try TestKeys.rsa.signature(for: SHA512.hash(data: $0), padding: .insecurePKCS1v1_5).rawRepresentation
    }
    #expect(await verifier.refusal(pss) == .signature)
    #expect(await verifier.refusal(digest) == .signature)
  }

  @Test("Ed25519: a signature whose number was raised by the group's order")
  func malleableEd25519() async throws {
    let verifier = try await verifier()
    let order: [UInt8] = [
      0xED, 0xD3, 0xF5, 0x5C, 0x1A, 0x63, 0x12, 0x58, 0xD6, 0x9C, 0xF7, 0xA2, 0xDE, 0xF9, 0xDE, 0x14,
      0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
    ]
    let forged = try forge(header: #"{"alg":"EdDSA"}"#, payload: Self.claims) { text in
      var signature = [UInt8](try TestKeys.ed25519.signature(for: text))
      var carry = 0
      for index in 0..<32 {
        let sum = Int(signature[32 + index]) + Int(order[index]) + carry
        signature[32 + index] = UInt8(sum & 0xFF)
        carry = sum >> 8
      }
      return signature
    }
    #expect(await verifier.refusal(forged) == .signature)
  }
}
