// SPDX-License-Identifier: Apache-2.0
import Core
import JSONCodec
import TestSupport
import Testing

@testable import Identity

@Suite("Random damage")
struct FuzzTests {
  private static let seed: UInt64 = 0x0050_4552_4947_4545
  private static let pool = Array(
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_....==+/ \n\0\"{}[]:,\\\u{7F}".utf8)

  private static func damage(_ bytes: [UInt8], _ random: inout SplitMix64) -> [UInt8] {
    var bytes = bytes
    for _ in 0...Int.random(in: 0..<3, using: &random) {
      let at = bytes.isEmpty ? 0 : Int.random(in: 0..<bytes.count, using: &random)
      let byte = pool.randomElement(using: &random) ?? 0
      switch Int.random(in: 0..<8, using: &random) {
      case 0 where !bytes.isEmpty: bytes[at] = byte
      case 1: bytes.insert(byte, at: at)
      case 2 where !bytes.isEmpty: bytes.remove(at: at)
      case 3: bytes.removeSubrange(at..<min(bytes.count, at + Int.random(in: 0..<40, using: &random)))
      case 4: bytes.insert(contentsOf: bytes[at..<min(bytes.count, at + 20)], at: at)
      case 5 where !bytes.isEmpty: bytes.swapAt(at, Int.random(in: 0..<bytes.count, using: &random))
      case 6 where !bytes.isEmpty: bytes[at] = UInt8.random(in: 0...255, using: &random)
      default: bytes.append(byte)
      }
    }
    return bytes
  }

  @Test("20,000 mutations of good tokens are refused", arguments: ["HS256", "RS256", "ES256", "EdDSA"])
  func tokens(_ name: String) async throws {
    let algorithm = try #require(SignatureAlgorithm(rawValue: name))
    let clock = ManualTime()
    let all = SignatureAlgorithm.allCases
    let keys = try await VerificationKeys.jwks(
      jwks([TestKeys.jwk(algorithm, kid: "k")]), algorithms: all, secrets: true)
    let verifier = try TokenVerifier(keys: keys, policy: TokenPolicy(algorithms: all), clock: clock)
    let good = try await TestKeys.signer(algorithm, kid: "k").sign(TokenDraft(userID: "ada"), at: clock.now)
    _ = try await verifier.verify(good)
    var random = SplitMix64(seed: Self.seed)
    for index in 0..<5000 {
      let bad = String(decoding: Self.damage(Array(good.utf8), &random), as: UTF8.self)
      if bad == good { continue }
      let isRefused = await verifier.refusal(bad) != nil
      if !isRefused || verifier.remembered(bad) != nil {
        Issue.record("SEED=\(Self.seed) \(name) \(index): \(bad)")
      }
    }
  }

  @Test("20,000 damaged headers and claims under a good signature never crash")
  func signed() async throws {
    let verifier = try await secretVerifier()
    let header = Array(#"{"alg":"HS256","typ":"JWT","kid":"k"}"#.utf8)
    let claims = Array(
      #"{"sub":"ada","exp":1800003600,"nbf":1.5,"roles":["a","b"],"name":"A","x":{"y":[1e9]}}"#.utf8)
    var random = SplitMix64(seed: Self.seed)
    var accepted = 0
    for index in 0..<20_000 {
      let head = index % 2 == 0 ? header : Self.damage(header, &random)
      let body = index % 2 == 0 ? Self.damage(claims, &random) : claims
      let text = Base64URL.encode(head) + "." + Base64URL.encode(body)
      if await verifier.refusal(text + "." + Base64URL.encode(hmac(Array(text.utf8)))) == nil {
        accepted += 1
      }
    }
    // Most damage breaks the JSON; some only renames a claim.
    #expect(accepted < 10_000)
  }

  @Test("4,000 damaged JWKS documents never crash")
  func documents() async {
    let good = jwks([TestKeys.jwk(.rs256, kid: "r"), TestKeys.jwk(.es256, kid: "e"), TestKeys.jwk(.edDSA)])
    var random = SplitMix64(seed: Self.seed)
    for _ in 0..<4000 {
      _ = try? await VerificationKeys.jwks(
        Self.damage(good, &random), algorithms: SignatureAlgorithm.allCases)
    }
  }

  @Test("20,000 damaged API keys and PEM files are refused")
  func others() async throws {
    let key = APIKey.make().reveal()
    let pem = TestKeys.publicPEM(.es256)
    var random = SplitMix64(seed: Self.seed)
    for index in 0..<20_000 {
      let bad = String(decoding: Self.damage(Array(key.utf8), &random), as: UTF8.self)
      if bad != key, (try? APIKey(parsing: bad)) != nil { Issue.record("SEED=\(Self.seed) \(index): \(bad)") }
      if index % 20 == 0 {
        _ = try? await VerificationKeys.pem(
          String(decoding: Self.damage(Array(pem.utf8), &random), as: UTF8.self),
          algorithms: SignatureAlgorithm.allCases)
      }
    }
  }
}
