// SPDX-License-Identifier: Apache-2.0
import JSONCodec
import Testing

@testable import Identity

@Suite("The spelling of a token")
struct CompactTokenTests {
  private static let claims = #"{"sub":"ada","exp":1800003600}"#

  @Test("it has exactly three parts")
  func parts() async throws {
    let verifier = try await secretVerifier()
    let good = token(Self.claims)
    #expect(await verifier.refusal(good) == nil)
    for bad in [
      "", ".", "..", "...", "a.b.c", good + ".", "." + good, good + "." + good, good.replacing(".", with: ""),
    ] {
      #expect(await verifier.refusal(bad) == .malformed)
    }
  }

  @Test(
    "it has no padding, no white space and no other alphabet",
    arguments: ["=", "==", " ", "\n", "\t", "\0", "é", "+"])
  func alphabet(_ stray: String) async throws {
    let verifier = try await secretVerifier()
    let parts = token(Self.claims).split(separator: ".").map(String.init)
    for index in parts.indices {
      for place in ["end", "start"] {
        var spelled = parts
        spelled[index] = place == "end" ? spelled[index] + stray : stray + spelled[index]
        let refusal = await verifier.refusal(spelled.joined(separator: "."))
        // What was changed in the signed text is a wrong signature before it is wrong base64.
        #expect(index == 1 ? refusal == .signature : refusal == .malformed)
      }
    }
    // Even where the signature covers the strange spelling.
    let text = parts[0] + "." + parts[1] + stray
    let signed = text + "." + Base64URL.encode(hmac(Array(text.utf8)))
    #expect(await verifier.refusal(signed) == .malformed)
  }

  @Test("a signature has one spelling")
  func canonical() async throws {
    let verifier = try await secretVerifier()
    let good = token(Self.claims)
    let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")
    let last = try #require(good.last.flatMap { alphabet.firstIndex(of: $0) })
    // 32 bytes leave two bits of the last character unused.
    #expect(last % 4 == 0)
    for bits in 1...3 {
      #expect(await verifier.refusal(String(good.dropLast()) + String(alphabet[last + bits])) == .malformed)
    }
  }

  @Test(
    "base64url is read as it is written",
    arguments: [[], [0], [0xFB], [0xFF, 0xFE], [1, 2, 3], [0xFB, 0xEF, 0xBE, 0xFF]] as [[UInt8]])
  func base64(_ bytes: [UInt8]) {
    #expect(Base64URL.decode(Base64URL.encode(bytes).utf8) == bytes)
  }

  @Test(
    "base64url of the standard",
    arguments: [("", ""), ("f", "Zg"), ("fo", "Zm8"), ("foo", "Zm9v"), ("foob", "Zm9vYg")])
  func vectors(_ text: String, _ encoded: String) {
    #expect(Base64URL.encode(Array(text.utf8)) == encoded)
    #expect(Base64URL.decode(encoded.utf8) == Array(text.utf8))
  }

  @Test(
    "base64url that is none",
    arguments: ["A", "AAAAA", "AB", "AAB", "A=", "AA==", "A A", "AA\n", "+/", "Zh", "Zm9"])
  func notBase64(_ text: String) {
    #expect(Base64URL.decode(text.utf8) == nil)
  }

  @Test("it has at most 16 KB, and what is longer costs nothing")
  func size() async throws {
    let verifier = try await secretVerifier()
    func sized(_ count: Int) -> String {
      let rest = #"{"sub":"ada","exp":1800003600,"x":""}"#
      var filling = count * 3 / 4 - rest.utf8.count
      while true {
        let made = token(#"{"sub":"ada","exp":1800003600,"x":"\#(String(repeating: "x", count: filling))"}"#)
        if made.utf8.count <= count { return made }
        filling -= 1
      }
    }
    #expect(await verifier.refusal(sized(CompactToken.bytesMax)) == nil)
    #expect(await verifier.refusal(sized(CompactToken.bytesMax + 4)) == .malformed)
    #expect(await verifier.refusal(String(repeating: "a", count: 10 << 20)) == .malformed)
    #expect(verifier.remembered(String(repeating: "a", count: 10 << 20)) == nil)
  }

  @Test(
    "its header is one JSON object",
    arguments: [
      "", "null", "[]", "\"HS256\"", "{", #"{"alg":"HS256"}{}"#, #"{"alg":"HS256","alg":"HS256"}"#,
      #"{"alg":"HS256","x":{"a":1,"a":2}}"#, #"{"alg":"HS256","\u0061lg":"none"}"#, "{'alg':'HS256'}",
    ])
  func header(_ header: String) async throws {
    let forged = forge(header: header, payload: Self.claims) { hmac($0) }
    #expect(await (try secretVerifier()).refusal(forged) == .malformed)
  }

  @Test(
    "its claims are one JSON object with distinct keys",
    arguments: [
      "", "null", "[]", "7", #"{"sub":"ada","exp":1800003600,"sub":"bob"}"#,
      #"{"sub":"ada","exp":1800003600,"exp":1900000000}"#,
      #"{"sub":"ada","exp":1800003600,"\u0073ub":"bob"}"#,
      #"{"sub":"ada","exp":1800003600,"x":[{"a":1,"a":1}]}"#, #"{"sub":"ada","exp":1800003600,}"#,
      #"{"sub":"ada","exp":1800003600} {}"#, #"{"sub":"ada\ud800","exp":1800003600}"#,
    ])
  func claims(_ claims: String) async throws {
    #expect(await (try secretVerifier()).refusal(token(claims)) == .malformed)
  }

  @Test("what is nested too deep is refused, in header and claims")
  func deep() async throws {
    let verifier = try await secretVerifier()
    let tower = String(repeating: "[", count: 5000) + String(repeating: "]", count: 5000)
    #expect(await verifier.refusal(token(#"{"sub":"ada","exp":1800003600,"x":\#(tower)}"#)) == .malformed)
    let forged = forge(header: #"{"alg":"HS256","x":\#(tower)}"#, payload: Self.claims) { hmac($0) }
    #expect(await verifier.refusal(forged) == .malformed)
  }

  @Test("bytes that are no UTF-8 are refused")
  func utf8() async throws {
    let bytes = Array(#"{"sub":""#.utf8) + [0xFF, 0xFE] + Array(#"","exp":1800003600}"#.utf8)
    let text = Base64URL.encode(Array(#"{"alg":"HS256"}"#.utf8)) + "." + Base64URL.encode(bytes)
    let forged = text + "." + Base64URL.encode(hmac(Array(text.utf8)))
    #expect(await (try secretVerifier()).refusal(forged) == .malformed)
  }
}
