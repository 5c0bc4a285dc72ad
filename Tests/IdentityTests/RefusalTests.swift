// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import Identity

@Suite("What a refused caller is told")
struct RefusalTests {
  @Test("a challenge is that of RFC 6750")
  func challenge() {
    #expect(
      TokenRefusal(.expired, "the token has expired").challenge
        == #"Bearer error="invalid_token", error_description="the token has expired""#)
    #expect(
      TokenRefusal(.request, "two").challenge == #"Bearer error="invalid_request", error_description="two""#)
    #expect(TokenRefusal(.unavailable, "later").challenge == nil)
  }

  @Test("a challenge cannot be broken out of")
  func injection() {
    let challenge = TokenRefusal(.subject, "a\"b\\c\r\nX: é").challenge
    #expect(challenge == #"Bearer error="invalid_token", error_description="a'b'c''X: ''""#)
  }

  @Test("no message repeats what the caller sent")
  func silence() async throws {
    let verifier = try await secretVerifier(policy: TokenPolicy(issuer: "i", audiences: ["a"]))
    let marker = "s3cr3t"
    let tokens = [
      marker, forge(header: "{\"alg\":\"\(marker)\"}", payload: "{}") { hmac($0) },
      forge(header: "{\"alg\":\"HS256\",\"kid\":\"\(marker)\"}", payload: "{}") { $0 },
      forge(header: "{\"alg\":\"HS256\",\"typ\":\"\(marker)\"}", payload: "{}") { hmac($0) },
      token("{\"exp\":\"\(marker)\"}"), token("{\"iss\":\"\(marker)\",\"exp\":1800003600}"),
      token("{\"iss\":\"i\",\"aud\":\"\(marker)\",\"exp\":1800003600}"),
      token("{\"iss\":\"i\",\"aud\":\"a\",\"exp\":1800003600,\"sub\":\"perigee:\(marker)\"}"),
    ]
    for token in tokens {
      let refusal = await #expect(throws: TokenRefusal.self) { try await verifier.verify(token) }
      #expect(refusal.map { "\($0) \($0.challenge ?? "")".contains(marker) } == false)
    }
  }
}
