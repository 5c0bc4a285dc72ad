// SPDX-License-Identifier: Apache-2.0
import Core
import Crypto
import JSONCodec
import Synchronization
import Testing

@testable import Identity

@Suite("Keys that an issuer publishes")
struct PublishedKeysTests {
  private let clock = ManualTime()
  private let old = P256.Signing.PrivateKey()
  private let new = P256.Signing.PrivateKey()

  private func token(_ key: P256.Signing.PrivateKey, kid: String?, user: String = "ada") async throws
    -> String
  {
    let signer = try await TokenSigner.privateKey(pem: key.pemRepresentation, kid: kid)
    return try signer.sign(TokenDraft(userID: user, lifetime: .seconds(30 * 86_400)), at: clock.now)
  }

  private func verifier(_ published: PublishedKeys) throws -> TokenVerifier {
    try TokenVerifier(published: published, policy: TokenPolicy(algorithms: [.es256, .hs256]), clock: clock)
  }

  @Test("a new key is found with the first token that it signed")
  func rotation() async throws {
    let issuer = Issuer([TestKeys.jwk(old, kid: "old")])
    let verifier = try verifier(issuer.keys(clock))
    #expect(await verifier.refusal(try await token(old, kid: "old")) == nil)
    issuer.publish([TestKeys.jwk(old, kid: "old"), TestKeys.jwk(new, kid: "new")])
    clock.advance(by: 31)
    #expect(await verifier.refusal(try await token(new, kid: "new")) == nil)
    #expect(await verifier.refusal(try await token(old, kid: "old", user: "bob")) == nil)
    #expect(issuer.loads == 2)
  }

  @Test("a new key of an issuer that names none is found too")
  func namelessRotation() async throws {
    func nameless(_ key: P256.Signing.PrivateKey) -> JSON {
      .object(
        JSONObject(
          (TestKeys.jwk(key, kid: "").object?.members ?? []).filter { $0.key != "kid" }.map {
            ($0.key, $0.value)
          }))
    }
    let issuer = Issuer([nameless(old)])
    let verifier = try verifier(issuer.keys(clock))
    #expect(await verifier.refusal(try await token(old, kid: nil)) == nil)
    issuer.publish([nameless(new)])
    #expect(await verifier.refusal(try await token(new, kid: nil)) == .signature)
    clock.advance(by: 31)
    #expect(await verifier.refusal(try await token(new, kid: nil)) == nil)
    #expect(await verifier.refusal(try await token(old, kid: nil, user: "bob")) == .signature)
  }

  @Test("a storm of unknown keys causes one fetch each 30 seconds")
  func storm() async throws {
    let issuer = Issuer([TestKeys.jwk(old, kid: "old")])
    let verifier = try verifier(issuer.keys(clock))
    #expect(await verifier.refusal(try await token(old, kid: "old")) == nil)
    clock.advance(by: 31)
    for round in 1...3 {
      var tokens: [String] = []
      for index in 0..<40 { tokens.append(try await token(new, kid: "unknown-\(round)-\(index)")) }
      await withTaskGroup(of: TokenRefusal.Code?.self) { group in
        for token in tokens { group.addTask { await verifier.refusal(token) } }
        for await code in group { #expect(code == .unknownKey) }
      }
      #expect(issuer.loads == 1 + round)
      clock.advance(by: 29)
      #expect(await verifier.refusal(tokens[0]) == .unknownKey)
      #expect(issuer.loads == 1 + round)
      clock.advance(by: 1)
    }
  }

  @Test("a wrong signature under a known name, and a secret's algorithm, cause no fetch")
  func noFetch() async throws {
    let issuer = Issuer([TestKeys.jwk(old, kid: "old")])
    let verifier = try verifier(issuer.keys(clock))
    #expect(await verifier.refusal(try await token(old, kid: "old")) == nil)
    clock.advance(by: 31)
    #expect(await verifier.refusal(try await token(new, kid: "old")) == .signature)
    let secret = forge(header: #"{"alg":"HS256","kid":"new"}"#, payload: "{}") { hmac($0) }
    #expect(await verifier.refusal(secret) == .unknownKey)
    #expect(issuer.loads == 1)
  }

  @Test("many who come before the first fetch has ended share it")
  func shared() async throws {
    let issuer = Issuer([TestKeys.jwk(old, kid: "old")])
    issuer.hold()
    let published = issuer.keys(clock)
    let verifier = try verifier(published)
    var tokens: [String] = []
    for index in 0..<20 { tokens.append(try await token(old, kid: "old", user: "user-\(index)")) }
    await withTaskGroup(of: TokenRefusal.Code?.self) { group in
      for token in tokens { group.addTask { await verifier.refusal(token) } }
      while issuer.loads == 0 { await Task.yield() }
      #expect(verifier.remembered(tokens[0]) == nil)
      issuer.release()
      for await code in group { #expect(code == nil) }
    }
    #expect(issuer.loads == 1)
  }

  @Test("the old keys serve while new ones are on their way")
  func stale() async throws {
    let issuer = Issuer([TestKeys.jwk(old, kid: "old")], maxAge: .seconds(100))
    let published = issuer.keys(clock)
    let verifier = try verifier(published)
    let first = try await token(old, kid: "old")
    #expect(await verifier.refusal(first) == nil)
    issuer.hold()
    clock.advance(by: 79)
    #expect(verifier.remembered(first) != nil)
    #expect(issuer.loads == 1)
    clock.advance(by: 1)
    #expect(verifier.remembered(first) != nil)
    #expect(await verifier.refusal(try await token(old, kid: "old", user: "bob")) == nil)
    while issuer.loads == 1 { await Task.yield() }
    issuer.publish([TestKeys.jwk(new, kid: "new")])
    issuer.release()
    await published.idle()
    #expect(issuer.loads == 2)
    #expect(verifier.remembered(first) == nil)
  }

  @Test("whoever comes after a long silence waits for a fetch")
  func silence() async throws {
    let issuer = Issuer([TestKeys.jwk(old, kid: "old")])
    let verifier = try verifier(issuer.keys(clock))
    let first = try await token(old, kid: "old")
    #expect(await verifier.refusal(first) == nil)
    issuer.publish([TestKeys.jwk(new, kid: "new")])
    clock.advance(by: 1200)
    #expect(verifier.remembered(first) == nil)
    #expect(await verifier.refusal(first) == .unknownKey)
    #expect(issuer.loads == 2)
  }

  @Test("failing fetches keep the last good keys, for a day and no longer")
  func failing() async throws {
    let issuer = Issuer([TestKeys.jwk(old, kid: "old")])
    let published = issuer.keys(clock)
    let verifier = try verifier(published)
    let first = try await token(old, kid: "old")
    #expect(await verifier.refusal(first) == nil)
    issuer.fail()
    for _ in 0..<140 {
      clock.advance(by: 600)
      #expect(await verifier.refusal(first) == nil)
      await published.idle()
    }
    let reports = issuer.reports.withLock { $0 }
    #expect(reports.first?.failure == nil && reports.first?.keyCount == 1)
    #expect(reports.dropFirst().allSatisfy { $0.failure == "Down()" && $0.keyCount == 1 })
    #expect(issuer.loads == 141)
    clock.advance(by: 2400)
    #expect(verifier.remembered(first) == nil)
    #expect(await verifier.refusal(first) == .unavailable)
    // Once there is an answer again, all is well.
    issuer.publish([TestKeys.jwk(old, kid: "old")])
    clock.advance(by: 5)
    #expect(await verifier.refusal(first) == nil)
  }

  @Test("an answer that has no key for us is a failed fetch", arguments: ["<html>", "{}", #"{"keys":[]}"#])
  func badAnswer(_ text: String) async throws {
    let issuer = Issuer([TestKeys.jwk(old, kid: "old")])
    let published = issuer.keys(clock)
    let verifier = try verifier(published)
    let first = try await token(old, kid: "old")
    #expect(await verifier.refusal(first) == nil)
    // Its keys are there a moment before it has ended, and there is one fetch at a time.
    await published.idle()
    issuer.publish(text: text)
    clock.advance(by: 600)
    #expect(await verifier.refusal(first) == nil)
    await published.idle()
    #expect(issuer.loads == 2)
    #expect(verifier.remembered(first) != nil)
    #expect(issuer.reports.withLock { $0.last?.failure } != nil)
  }

  @Test("an issuer that is down from the start makes tokens unavailable, and is asked each 5 seconds")
  func down() async throws {
    let issuer = Issuer([])
    issuer.fail()
    let published = issuer.keys(clock)
    let verifier = try verifier(published)
    #expect(await published.warmUp() == 0)
    let first = try await token(old, kid: "old")
    for _ in 0..<3 { #expect(await verifier.refusal(first) == .unavailable) }
    #expect(issuer.loads == 1)
    issuer.publish([TestKeys.jwk(old, kid: "old")])
    clock.advance(by: 4.9)
    #expect(await verifier.refusal(first) == .unavailable)
    clock.advance(by: 0.1)
    #expect(await verifier.refusal(first) == nil)
    #expect(issuer.loads == 2)
  }

  @Test("a configured key serves while the issuer is down")
  func mixed() async throws {
    let issuer = Issuer([])
    issuer.fail()
    let verifier = try TokenVerifier(
      keys: try await .secret(TestKeys.secret) + .pem(old.publicKey.pemRepresentation, algorithms: [.es256]),
      published: issuer.keys(clock), policy: TokenPolicy(algorithms: [.es256, .hs256]), clock: clock)
    #expect(await verifier.refusal(try await token(old, kid: "any")) == nil)
    #expect(await verifier.refusal(try await token(new, kid: "any")) == .unavailable)
    let secret = try await TokenSigner.secret(TestKeys.secret).sign(TokenDraft(userID: "ada"), at: clock.now)
    #expect(await verifier.refusal(secret) == nil)
    let wrong = forge(header: #"{"alg":"HS256"}"#, payload: "{}") { hmac($0, key: [1]) }
    #expect(await verifier.refusal(wrong) == .signature)
  }

  @Test("what a configured secret signed does not wait for the issuer")
  func secretsGoOn() async throws {
    let issuer = Issuer([TestKeys.jwk(old, kid: "old")])
    issuer.hold()
    let published = issuer.keys(clock)
    let verifier = try TokenVerifier(
      keys: try await .secret(TestKeys.secret), published: published,
      policy: TokenPolicy(algorithms: [.es256, .hs256]), clock: clock)
    let secret = try await TokenSigner.secret(TestKeys.secret).sign(TokenDraft(userID: "ada"), at: clock.now)
    #expect(try await verifier.verify(secret).id == "ada")
    #expect(verifier.remembered(secret)?.id == "ada")
    issuer.release()
    await published.idle()
    #expect(verifier.remembered(secret)?.id == "ada")
  }

  @Test("nobody is let in wrongly while keys come and go")
  func stress() async throws {
    let issuer = Issuer([TestKeys.jwk(old, kid: "old")])
    let published = issuer.keys(clock)
    let verifier = try verifier(published)
    let good = try await token(old, kid: "old")
    let forged = try await token(new, kid: "old")
    await withTaskGroup(of: Void.self) { group in
      for _ in 0..<4 {
        group.addTask {
          for _ in 0..<200 {
            let code = await verifier.refusal(good)
            #expect(code == nil || code == .unknownKey)
            #expect(await verifier.refusal(forged) != nil)
          }
        }
      }
      for round in 0..<50 {
        issuer.publish([TestKeys.jwk(round % 2 == 0 ? new : old, kid: round % 2 == 0 ? "new" : "old")])
        clock.advance(by: 500)
        await Task.yield()
      }
    }
    issuer.publish([TestKeys.jwk(new, kid: "new")])
    clock.advance(by: 1200)
    #expect(await verifier.refusal(good) == .unknownKey)
    #expect(verifier.remembered(good) == nil)
  }

  @Test("a published secret is never used")
  func publishedSecret() async throws {
    let issuer = Issuer([TestKeys.jwk(.hs256, kid: "s"), TestKeys.jwk(old, kid: "old")])
    let published = issuer.keys(clock)
    let verifier = try verifier(published)
    #expect(await published.warmUp() == 1)
    let forged = forge(header: #"{"alg":"HS256","kid":"s"}"#, payload: #"{"sub":"a","exp":1800003600}"#) {
      hmac($0)
    }
    #expect(await verifier.refusal(forged) == .unknownKey)
    #expect(issuer.reports.withLock { $0.first?.skipped.count } == 1)
  }
}
