// SPDX-License-Identifier: Apache-2.0
import Core
import Crypto
import JSONCodec
import TestSupport
import Testing

@testable import Identity

@Suite("Tokens that were verified before")
struct RememberedTokenTests {
  @Test("one is remembered until its end, leeway included")
  func expiry() async throws {
    let clock = ManualTime()
    let verifier = try await secretVerifier(clock)
    let short = token(#"{"sub":"ada","exp":1800000060}"#)
    #expect(verifier.remembered(short) == nil)
    _ = try await verifier.verify(short)
    clock.advance(by: 89)
    #expect(verifier.remembered(short)?.id == "ada")
    clock.advance(by: 1)
    #expect(verifier.remembered(short) == nil)
    #expect(await verifier.refusal(short) == .expired)
  }

  @Test("a clock that was set back makes it too early again")
  func early() async throws {
    let clock = ManualTime()
    let verifier = try await secretVerifier(clock)
    let late = token(#"{"sub":"ada","nbf":1800000000,"exp":1800003600}"#)
    _ = try await verifier.verify(late)
    clock.advance(by: -31)
    #expect(verifier.remembered(late) == nil)
    #expect(await verifier.refusal(late) == .notYetValid)
  }

  @Test("a refused one is not remembered")
  func negative() async throws {
    let clock = ManualTime()
    let verifier = try await secretVerifier(clock)
    let soon = token(#"{"sub":"ada","nbf":1800000100,"exp":1800003600}"#)
    #expect(await verifier.refusal(soon) == .notYetValid)
    clock.advance(by: 70)
    #expect(await verifier.refusal(soon) == nil)
  }

  @Test("another spelling of a remembered one is another token")
  func spelling() async throws {
    let verifier = try await secretVerifier()
    let good = token(#"{"sub":"ada","exp":1800003600}"#)
    _ = try await verifier.verify(good)
    for other in [good + "=", good + " ", " " + good, good + ".", String(good.dropLast())] {
      #expect(verifier.remembered(other) == nil)
      #expect(await verifier.refusal(other) != nil)
    }
  }

  @Test("no more are remembered than is allowed, and the one in use stays")
  func bounded() async throws {
    let verifier = try await secretVerifier(remembersMax: 8)
    let hot = token(#"{"sub":"hot","exp":1800003600}"#)
    _ = try await verifier.verify(hot)
    var kept = 0
    for index in 0..<100 {
      let other = token(#"{"sub":"user-\#(index)","exp":1800003600}"#)
      _ = try await verifier.verify(other)
      #expect(verifier.remembered(hot)?.id == "hot")
    }
    for index in 0..<100
    where verifier.remembered(token(#"{"sub":"user-\#(index)","exp":1800003600}"#)) != nil {
      kept += 1
    }
    #expect(kept == 7)
  }

  @Test("one that was signed by a key that is gone is refused, the others stay")
  func keyRemoval() async throws {
    let clock = ManualTime()
    let keys = [P256.Signing.PrivateKey(), P256.Signing.PrivateKey()]
    let issuer = Issuer([TestKeys.jwk(keys[0], kid: "0"), TestKeys.jwk(keys[1], kid: "1")])
    let published = issuer.keys(clock)
    let verifier = try TokenVerifier(
      keys: try await .secret(TestKeys.secret), published: published,
      policy: TokenPolicy(algorithms: [.hs256, .es256]), clock: clock)
    var tokens = [token(#"{"sub":"secret","exp":1800003600}"#)]
    for (index, key) in keys.enumerated() {
      let signer = try await TokenSigner.privateKey(pem: key.pemRepresentation, kid: "\(index)")
      tokens.append(try signer.sign(TokenDraft(userID: "user-\(index)"), at: clock.now))
    }
    for token in tokens { _ = try await verifier.verify(token) }
    #expect(tokens.map { verifier.remembered($0)?.id } == ["secret", "user-0", "user-1"])

    issuer.publish([TestKeys.jwk(keys[1], kid: "1")])
    clock.advance(by: 481)
    // The look-up begins the fetch and still answers by the old keys.
    #expect(verifier.remembered(tokens[1])?.id == "user-0")
    await published.idle()
    #expect(tokens.map { verifier.remembered($0)?.id } == ["secret", nil, "user-1"])
    #expect(await verifier.refusal(tokens[1]) == .unknownKey)
    #expect(await verifier.refusal(tokens[2]) == nil)
  }

  @Test("a token that was checked by keys which are gone meanwhile is not remembered")
  func lateMemory() {
    var tokens = VerifiedTokens(countMax: 10)
    let key = Fingerprint(of: "key")
    tokens.adopt(generation: 2, keys: [])
    tokens.remember(Fingerprint(of: "t"), .local, TokenLifetime(), publishedKey: key, generation: 1)
    #expect(tokens.count == 0)
    tokens.remember(Fingerprint(of: "t"), .local, TokenLifetime(), publishedKey: key, generation: 2)
    tokens.remember(Fingerprint(of: "c"), .local, TokenLifetime(), publishedKey: nil, generation: 0)
    #expect(tokens.count == 2)
    #expect(tokens.principal(for: Fingerprint(of: "t"), at: 0, published: false) == nil)
    #expect(tokens.principal(for: Fingerprint(of: "c"), at: 0, published: false) != nil)
    tokens.adopt(generation: 1, keys: [])
    tokens.adopt(generation: 3, keys: [key])
    #expect(tokens.principal(for: Fingerprint(of: "t"), at: 0, published: true) != nil)
    tokens.adopt(generation: 4, keys: [])
    #expect(tokens.principal(for: Fingerprint(of: "t"), at: 0, published: true) == nil)
    #expect(tokens.count == 1)
  }

  @Test("the table behaves as a simpler one does")
  func model() {
    var random = SplitMix64(seed: 7)
    var cache = BoundedCache<Int, Int>(countMax: 16)
    var model: [Int: Int] = [:]
    for step in 0..<20_000 {
      let key = Int.random(in: 0..<40, using: &random)
      switch Int.random(in: 0..<10, using: &random) {
      case 0..<5:
        cache.insert(step, for: key)
        model[key] = step
      case 5..<8:
        // What is there is the last that was written; something may have been pushed out.
        if let value = cache.value(for: key) { #expect(value == model[key]) }
      case 8:
        cache.remove(key)
        model[key] = nil
        #expect(cache.value(for: key) == nil)
      default:
        cache.removeAll { $0 % 3 == 0 }
        model = model.filter { $0.value % 3 != 0 }
      }
      #expect(cache.count <= 16)
    }
    var none = BoundedCache<Int, Int>(countMax: 0)
    none.insert(1, for: 1)
    #expect(none.value(for: 1) == nil && none.count == 0)
  }
}
