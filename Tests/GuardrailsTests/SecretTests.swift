// SPDX-License-Identifier: Apache-2.0
import Guardrails
import Testing

@Suite("secrets")
struct SecretTests {
  @Test("a provider's key is found", arguments: SecretSamples.keys)
  func findsKey(source: String) { Marked(source).expect(.apiKey) }

  @Test("what is no key is left alone", arguments: SecretSamples.noKeys)
  func passesKey(source: String) { Marked(source).expect(.apiKey) }

  @Test("a private key is found whole", arguments: SecretSamples.privateKeys)
  func findsPrivateKey(source: String) { Marked(source).expect(.privateKey) }

  @Test("what is no private key is left alone", arguments: SecretSamples.noPrivateKeys)
  func passesPrivateKey(source: String) { Marked(source).expect(.privateKey) }

  @Test("a token is found", arguments: SecretSamples.tokens)
  func findsToken(source: String) { Marked(source).expect(.token) }

  @Test("what is no token is left alone", arguments: SecretSamples.noTokens)
  func passesToken(source: String) { Marked(source).expect(.token) }

  @Test("a password is found", arguments: SecretSamples.passwords)
  func findsPassword(source: String) { Marked(source).expect(.password) }

  @Test("what is no password is left alone", arguments: SecretSamples.noPasswords)
  func passesPassword(source: String) { Marked(source).expect(.password) }

  @Test("a key in a password's place is a key")
  func prefersKey() {
    let key = "gh" + "p_" + SecretSamples.body(36)
    let findings = Inspectors.all.findings(in: "password=\(key)\nAuthorization: Bearer \(key)")
    #expect(findings.map(\.detector) == [.apiKey, .apiKey])
  }

  @Test("a key without an end is found up to 16 KB")
  func boundsPrivateKey() {
    let text = "-----BEGIN RSA " + "PRIVATE KEY-----\n" + SecretSamples.body(100_000)
    #expect(Inspectors.one(.privateKey).findings(in: text).map(\.range) == [0..<(16 * 1024)])
  }
}

@Suite("Passwords by the names of their fields")
struct FieldNameTests {
  private let inspector = Inspector([.password])

  @Test(
    "a field that is named as a password has one",
    arguments: [
      "password", "dbPassword", "client_secret", "password_confirmation", "PASSWORD_CONFIRMATION",
      "password2",
      "smtp_pass", "DB_PASS", "user_pwd", "motdepasse",
    ])
  func named(_ field: String) {
    #expect(inspector.findings(in: "hunter22", of: field).map(\.range) == [0..<8])
  }

  @Test(
    "others have none, and not all values are one",
    arguments: [
      ("pass", "1200"), ("boarding_pass", "BA1234-12A"), ("hall pass", "granted"), ("PWD", "/srv/work"),
      ("compass", "north1"), ("password_reset_url", "https1"), ("password", "1200"),
      ("password", "must have at least 8 characters"), ("password", "null"), ("password", "x"),
    ])
  func others(_ field: String, _ value: String) {
    #expect(inspector.findings(in: value, of: field).isEmpty)
  }
}
