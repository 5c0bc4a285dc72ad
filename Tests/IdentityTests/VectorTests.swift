// SPDX-License-Identifier: Apache-2.0
import Core
import JSONCodec
import Testing

@testable import Identity

/// Source: RFC 7515, A.1 to A.3; RFC 8037, A.4.
@Suite("The examples of the standards")
struct VectorTests {
  private static let claims =
    "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"

  private func check(_ token: String, _ key: JSON, secrets: Bool = false) async throws {
    let policy = TokenPolicy(algorithms: [.hs256, .rs256, .es256], issuer: "joe", userClaim: "iss")
    let keys = try await VerificationKeys.jwks(jwks([key]), algorithms: policy.algorithms, secrets: secrets)
    let clock = ManualTime(seconds: 1_300_819_379)
    let verifier = try TokenVerifier(keys: keys, policy: policy, clock: clock)
    let principal = try await verifier.verify(token)
    #expect(principal.id == "joe")
    #expect(principal.claims["http://example.com/is_root"] == true)
    clock.advance(by: 31)
    #expect(await verifier.refusal(token) == .expired)
  }

  @Test("RFC 7515 A.1, HS256")
  func hs256() async throws {
    try await check(
      "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.\(Self.claims).dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk",
      [
        "kty": "oct",
        "k": "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow",
      ], secrets: true)
  }

  @Test("RFC 7515 A.2, RS256")
  func rs256() async throws {
    let signature =
      "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdb"
      + "F9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383"
      + "LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWy"
      + "wlVmtVrBp0igcN_IoypGlUPQGe77Rw"
    let modulus =
      "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SF"
      + "d2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo"
      + "7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkM"
      + "Ls91kzk2PAcDTW9gb54h4FRWyuXpoQ"
    try await check(
      "eyJhbGciOiJSUzI1NiJ9.\(Self.claims).\(signature)",
      ["kty": "RSA", "n": .string(modulus), "e": "AQAB", "alg": "RS256"])
  }

  @Test("RFC 7515 A.3, ES256")
  func es256() async throws {
    try await check(
      "eyJhbGciOiJFUzI1NiJ9.\(Self.claims)."
        + "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q",
      [
        "kty": "EC", "crv": "P-256", "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
        "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
      ])
  }

  @Test("RFC 8037 A.4, Ed25519: its signature holds, and its payload is no token's")
  func ed25519() async throws {
    let token =
      "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc."
      + "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg"
    let key: JSON = ["kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"]
    let keys = try await VerificationKeys.jwks(jwks([key]), algorithms: [.edDSA])
    let parsed = try CompactToken(parsing: token)
    #expect(keys.keys[0].signed(parsed.signedText, signature: parsed.signature))
    let verifier = try TokenVerifier(
      keys: keys, policy: TokenPolicy(algorithms: [.edDSA]), clock: ManualTime())
    #expect(await verifier.refusal(token) == .malformed)
  }
}
