// SPDX-License-Identifier: Apache-2.0
import Core
import JSONCodec
import Testing

@testable import Identity

@Suite("What a token says")
struct ClaimTests {
  /// The refusal of a token with these claims at 1,800,000,000.
  private func refusal(_ claims: String, _ policy: TokenPolicy = TokenPolicy()) async throws -> TokenRefusal
    .Code?
  {
    await (try secretVerifier(policy: policy)).refusal(token(claims))
  }

  private func principal(_ claims: String, _ policy: TokenPolicy = TokenPolicy()) async throws -> Principal {
    try await secretVerifier(policy: policy).verify(token(claims))
  }

  @Test(
    "the end, with a leeway of 30 seconds",
    arguments: [
      ("1800000001", nil), ("1799999970.001", nil), ("1799999970", .expired), ("1799999969.9", .expired),
      ("0", .expired), ("-1", .expired), ("-1e300", .expired), ("1.8e9", nil), ("1e300", nil),
      ("99999999999999999999", nil), ("9223372036854775807", nil), ("-9223372036854775808", .expired),
      ("1e400", .malformed), ("-1e400", .malformed), ("NaN", .malformed), ("Infinity", .malformed),
      ("\"1800003600\"", .malformed), ("null", .malformed), ("true", .malformed),
      ("[1800003600]", .malformed),
      ("{}", .malformed), ("01800003600", .malformed), ("0x7fffffff", .malformed), ("1e-400", .expired),
    ] as [(String, TokenRefusal.Code?)])
  func expiry(_ exp: String, _ code: TokenRefusal.Code?) async throws {
    #expect(try await refusal(#"{"sub":"ada","exp":\#(exp)}"#) == code)
  }

  @Test(
    "the beginning, with the same leeway", arguments: ["nbf", "iat"],
    [
      ("1800000030", nil), ("1800000030.5", .notYetValid), ("1800000031", .notYetValid), ("0", nil),
      ("-5", nil),
      ("1e300", .notYetValid), ("99999999999999999999", .notYetValid), ("-1e300", nil), ("\"0\"", .malformed),
      ("null", .malformed), ("1e400", .malformed),
    ] as [(String, TokenRefusal.Code?)])
  func beginning(_ name: String, _ expected: (String, TokenRefusal.Code?)) async throws {
    #expect(
      try await refusal(#"{"sub":"ada","exp":1800003600,"\#(name)":\#(expected.0)}"#) == expected.1)
  }

  @Test("an end is required unless the policy says otherwise")
  func noExpiry() async throws {
    #expect(try await refusal(#"{"sub":"ada"}"#) == .malformed)
    let open = TokenPolicy(requiresExpiry: false)
    #expect(try await refusal(#"{"sub":"ada"}"#, open) == nil)
    #expect(try await refusal(#"{"sub":"ada","exp":1}"#, open) == .expired)
  }

  @Test("the issuer, byte for byte")
  func issuer() async throws {
    let policy = TokenPolicy(issuer: "https://issuer.example/K")
    func code(_ issuer: String) async throws -> TokenRefusal.Code? {
      try await refusal(#"{"sub":"ada","exp":1800003600,"iss":\#(issuer)}"#, policy)
    }
    #expect(try await code(#""https://issuer.example/K""#) == nil)
    // U+212A is the Kelvin sign, which Swift takes for K.
    for wrong in [
      #""https://issuer.example""#, #""https://issuer.example/k""#, #""https://issuer.example/\u212a""#,
      "null", "7",
      #"["https://issuer.example/K"]"#,
    ] {
      #expect(try await code(wrong) == .issuer)
    }
    #expect(try await refusal(#"{"sub":"ada","exp":1800003600}"#, policy) == .issuer)
  }

  @Test("the audience, text or a list")
  func audience() async throws {
    let policy = TokenPolicy(audiences: ["perigee", "perigee-test"])
    func code(_ audience: String) async throws -> TokenRefusal.Code? {
      try await refusal(#"{"sub":"ada","exp":1800003600,"aud":\#(audience)}"#, policy)
    }
    for right in [#""perigee""#, #"["other","perigee-test"]"#, #"["perigee"]"#] {
      #expect(try await code(right) == nil)
    }
    for wrong in [
      #""peri""#, #""perigee ""#, #""Perigee""#, "[]", "[7]", #"["perigee",7]"#, "null", "{}", #"["other"]"#,
    ] {
      #expect(try await code(wrong) == .audience)
    }
    #expect(try await refusal(#"{"sub":"ada","exp":1800003600}"#, policy) == .audience)
  }

  @Test(
    "users that are none",
    arguments: [
      #""""#, #"" ada""#, #""ada ""#, #""a\u0000b""#, #""a\nb""#, #""a\u202eb""#, #""a\u200bb""#,
      #""a\u00a0b""#,
      #""a\ue000b""#, #""a\u2028b""#, #""perigee:cron""#, #""Perigee:cron""#, #""perigee:\u0301""#,
      #""perigee:""#,
      "null", "true", "[]", "{}", "1.5", "99999999999999999999",
      "\"" + String(repeating: "e", count: 257) + "\"", #""é""#, #""\u212aen""#,
    ])
  func badUser(_ id: String) async throws {
    #expect(try await refusal(#"{"sub":\#(id),"exp":1800003600}"#) == .subject)
  }

  @Test(
    "users of many shapes",
    arguments: [
      ("\"ada\"", "ada"), ("\"auth0|5f7c\"", "auth0|5f7c"), ("\"ada@example.com\"", "ada@example.com"),
      ("\"Ada Lovelace\"", "Ada Lovelace"), ("42", "42"),
      ("-7", "-7"), ("\"perigee\"", "perigee"), ("\"x:perigee:\"", "x:perigee:"),
    ])
  func user(_ claim: String, _ id: String) async throws {
    #expect(try await principal(#"{"sub":\#(claim),"exp":1800003600}"#).id == id)
  }

  @Test("a user needs 1 to 256 bytes")
  func userLength() async throws {
    let id = String(repeating: "e", count: 256)
    #expect(try await principal(#"{"sub":"\#(id)","exp":1800003600}"#).id == id)
    #expect(try await refusal(#"{"exp":1800003600}"#) == .subject)
  }

  @Test("a user under another claim, with dots as a path or as a name")
  func userClaim() async throws {
    let path = TokenPolicy(userClaim: "user.profile.id")
    #expect(
      try await principal(#"{"sub":"no","exp":1800003600,"user":{"profile":{"id":"ada"}}}"#, path).id == "ada"
    )
    #expect(try await refusal(#"{"sub":"no","exp":1800003600,"user":{"profile":"ada"}}"#, path) == .subject)
    let name = TokenPolicy(userClaim: "https://issuer.example/id")
    #expect(try await principal(#"{"exp":1800003600,"https://issuer.example/id":"ada"}"#, name).id == "ada")
  }

  @Test("a tenant stands before its user's id, and every token has one, where there are tenants")
  func tenant() async throws {
    let policy = TokenPolicy(tenantClaim: "org.name")
    func claims(_ tenant: String, sub: String = "ada") -> String {
      #"{"sub":"\#(sub)","exp":1800003600,"org":{"name":\#(tenant)}}"#
    }
    let ada = try await principal(claims(#""acme""#), policy)
    #expect(ada.id == "acme/ada" && ada.tenant?.name == "acme" && ada.name == "ada")
    #expect(try await principal(claims(#""acme""#, sub: "globex/ada"), policy).id == "acme/globex/ada")
    for tenant in [
      "null", "7", "true", #""""#, #""a/b""#, #""local""#, #"["acme"]"#, #"{"acme":1}"#, #""acme\u0000""#,
    ] {
      #expect(try await refusal(claims(tenant), policy) == .tenant, "\(tenant)")
    }
    #expect(try await refusal(#"{"sub":"ada","exp":1800003600}"#, policy) == .tenant)
    #expect(try await refusal(#"{"sub":"ada","exp":1800003600,"org":"acme"}"#, policy) == .tenant)
    let long = String(repeating: "x", count: UserID.bytesMax - 5)
    #expect(try await principal(claims(#""acme""#, sub: long), policy).id == "acme/" + long)
    #expect(try await refusal(claims(#""acme""#, sub: long + "x"), policy) == .subject)
    for sub in ["", "local", "local/ada", "perigee:cron", "whatsapp:+905550000001", "Telegram:7"] {
      #expect(try await refusal(claims(#""acme""#, sub: sub), policy) == .subject, "\(sub)")
    }
    // Without the setting it is a claim like others.
    let plain = try await principal(claims(#""acme""#))
    #expect(plain.id == "ada" && plain.tenant == nil && plain.claims["org"] == ["name": "acme"])
    #expect(try await refusal(#"{"sub":"local/ada","exp":1800003600}"#) == .subject)
  }

  @Test(
    "roles of many shapes",
    arguments: [
      (#"["user","admin"]"#, ["user", "admin"]), (#""user admin""#, ["user", "admin"]), ("[]", []),
      (#""""#, []),
      (#""user  user admin""#, ["user", "admin"]), (#"["a","a",""]"#, ["a"]),
    ])
  func roles(_ claim: String, _ roles: [String]) async throws {
    #expect(try await principal(#"{"sub":"ada","exp":1800003600,"roles":\#(claim)}"#).roles == roles)
    let keycloak = TokenPolicy(rolesClaim: "realm_access.roles")
    let nested = #"{"sub":"ada","exp":1800003600,"realm_access":{"roles":\#(claim)}}"#
    #expect(try await principal(nested, keycloak).roles == roles)
  }

  @Test("without the claim, the roles are the policy's")
  func noRoles() async throws {
    let claims = #"{"sub":"ada","exp":1800003600}"#
    #expect(try await principal(claims).roles == ["user"])
    #expect(try await principal(claims, TokenPolicy(rolesDefault: [])).roles == [])
  }

  @Test(
    "roles that are none are refused, not guessed", arguments: ["null", "7", "true", "{}", #"["user",7]"#])
  func badRoles(_ claim: String) async throws {
    #expect(try await refusal(#"{"sub":"ada","exp":1800003600,"roles":\#(claim)}"#) == .malformed)
  }

  @Test("a name that cannot be shown is the id")
  func name() async throws {
    func name(_ claim: String) async throws -> String {
      try await principal(#"{"sub":"ada","exp":1800003600,"name":\#(claim)}"#).name
    }
    #expect(try await name(#""Ada Lovelace""#) == "Ada Lovelace")
    for claim in [#""""#, #""a\nb""#, "7", "null", "\"" + String(repeating: "x", count: 257) + "\""] {
      #expect(try await name(claim) == "ada")
    }
  }

  @Test("the principal keeps the claims that describe the user, not the token")
  func claims() async throws {
    let claims = #"{"sub":"ada","exp":1800003600,"nbf":1,"iat":1,"jti":"j","email":"a@b.c","org":{"id":7}}"#
    #expect(try await principal(claims).claims.keys == ["sub", "email", "org"])
  }
}
