// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import Identity

@Suite("What a request shows")
struct CredentialsTests {
  private static let key = APIKey.make()

  private func code(_ authorization: [String], _ apiKey: [String] = []) -> TokenRefusal.Code? {
    do {
      _ = try Credentials.parse(authorization: authorization, apiKey: apiKey)
      return nil
    } catch {
      return error.code
    }
  }

  @Test("nothing is nothing")
  func nothing() throws {
    let credentials = try Credentials.parse(authorization: [], apiKey: [])
    if credentials != nil { Issue.record("a credential") }
  }

  @Test(
    "a token after Bearer in any case",
    arguments: ["Bearer a.b-c_d.e", "bearer a.b-c_d.e", "BEARER   a.b-c_d.e"])
  func token(_ value: String) throws {
    guard case .token("a.b-c_d.e")? = try Credentials.parse(authorization: [value], apiKey: []) else {
      Issue.record("no token")
      return
    }
  }

  @Test("a key after Bearer, or in its own header")
  func key() throws {
    let text = Self.key.reveal()
    for (authorization, apiKey) in [(["Bearer " + text], []), ([], [text])] {
      guard case .apiKey(let key)? = try Credentials.parse(authorization: authorization, apiKey: apiKey)
      else {
        Issue.record("no key")
        return
      }
      #expect(key.id == Self.key.id)
    }
  }

  @Test(
    "what is no credential",
    arguments: [
      "", " ", "Bearer", "Bearer ", "Bearer\ta", "Bearera", " Bearer a", "Basic YTpi", "Token a",
      "Bearer a b",
      "Bearer a,b", "Bearer a, Bearer b", "Bearer \"a\"", "Bearer a\r\nX: y", "Bearer é", "Bearer a\0",
      "Bearer a ",
      "Be\u{0}rer a", "\u{0}earer a",
    ])
  func wrong(_ value: String) {
    #expect(code([value]) == .request)
  }

  @Test("two credentials are refused, even equal ones")
  func two() {
    let text = Self.key.reveal()
    #expect(code(["Bearer a", "Bearer a"]) == .request)
    #expect(code([], [text, text]) == .request)
    #expect(code(["Bearer " + text], [text]) == .request)
    #expect(code(["Bearer a"], [text]) == .request)
    #expect(code(["Bearer a"], [""]) == .request)
  }

  @Test("a key with a typo is told so, and a token is no key")
  func typo() {
    let text = Self.key.reveal()
    #expect(code(["Bearer " + text.dropLast()]) == .malformed)
    #expect(code([], [String(text.dropLast())]) == .malformed)
    #expect(code([], ["a.b.c"]) == .malformed)
    #expect(code([], [""]) == .malformed)
    #expect(code([], ["Bearer " + text]) == .malformed)
  }

  @Test("what is too long is refused")
  func long() {
    #expect(code(["Bearer " + String(repeating: "a", count: 16_384)]) == nil)
    #expect(code(["Bearer " + String(repeating: "a", count: 16_385)]) == .malformed)
    #expect(code([String(repeating: "a", count: 1 << 20)]) == .request)
  }
}
