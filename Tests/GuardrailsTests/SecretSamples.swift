// SPDX-License-Identifier: Apache-2.0

/// Joined from pieces at run time, so that no file holds what looks like a key.
enum SecretSamples {
  static func body(_ count: Int, _ alphabet: String = "a1B2c3D4e5F6g7H8") -> String {
    String(String(repeating: alphabet, count: count / alphabet.count + 1).prefix(count))
  }

  static let hexadecimal = "0a1b2c3d4e5f6789"
  static let capital = "A1B2C3D4E5F6G7H8"

  static var keys: [String] {
    let forms: [(String, String)] = [
      ("sk-", body(48)), ("sk-" + "proj-", body(40) + "_-" + body(20)), ("sk-" + "ant-", "api03-" + body(80)),
      ("gh" + "p_", body(36)),
      ("gh" + "o_", body(36)), ("gh" + "s_", body(36)), ("github" + "_pat_", body(22) + "_" + body(59)),
      ("AK" + "IA", capital),
      ("AS" + "IA", capital), ("AI" + "za", body(35)), ("xox" + "b-", "123456789012-" + body(24)),
      ("xox" + "p-", "1234-" + body(20)),
      ("sk_" + "live_", body(24)), ("rk_" + "live_", body(24)), ("S" + "K", body(32, hexadecimal)),
      ("SG" + ".", body(22) + "." + body(43)),
      ("glp" + "at-", body(20)), ("np" + "m_", body(36)), ("h" + "f_", body(34)),
      ("dop" + "_v1_", body(64, hexadecimal)), ("pg" + "k_", body(32)),
      ("sk-" + "ant-", body(600)),
    ]
    let frames: [(String, String)] = [("", ""), ("key ", "."), ("\"", "\","), ("KEY=", "\n"), ("(", ")")]
    return forms.enumerated().map { index, form in
      let (before, after) = frames[index % frames.count]
      return before + "⟨" + form.0 + form.1 + "⟩" + after
    }
  }

  static var noKeys: [String] {
    [
      "sk-", "sk-learn", "disk-" + body(30), "task-1-of-a-very-long-list-of-tasks",
      "sk-2024-annual-report-of-things", "gh" + "p_short1",
      "AK" + "IA" + "IOSFODNN", "AK" + "IA" + body(20, capital), "AI" + "za" + body(34), "xox" + "b-nothing",
      "S" + "K" + body(31, hexadecimal),
      "S" + "K" + body(33, hexadecimal), "npm_config_registry", "hf_transformers_version",
      "AC" + body(32, hexadecimal), "pgk_name", "pg" + "k_table_of_contents",
      "x" + "gh" + "p_" + body(36), "SG" + ".short.short", "sk_" + "test",
    ]
  }

  static func pem(_ label: String, lines: Int = 4, newline: String = "\n") -> String {
    let lines = (0..<lines).map { _ in body(64) }.joined(separator: newline)
    return "-----BEGIN " + label + " KEY-----" + newline + lines + "==" + newline + "-----END " + label
      + " KEY-----"
  }

  static var privateKeys: [String] {
    [
      "⟨" + pem("PRIVATE") + "⟩", "before\n⟨" + pem("RSA PRIVATE", lines: 30) + "⟩\nafter",
      "\"⟨" + pem("EC PRIVATE", newline: "\\n") + "⟩\\n\"",
      "⟨" + pem("OPENSSH PRIVATE") + "⟩", "⟨" + pem("ENCRYPTED PRIVATE", newline: "\r\n") + "⟩",
      "⟨" + pem("DSA PRIVATE") + "⟩ ⟨" + pem("PRIVATE") + "⟩",
      "⟨-----BEGIN " + "RSA PRIVATE KEY-----\n" + body(64) + "\n" + body(64) + "⟩",
      "⟨-----BEGIN " + "PGP PRIVATE KEY BLOCK-----\n\n" + body(64)
        + "\n-----END PGP PRIVATE KEY BLOCK-----⟩",
      "⟨-----BEGIN RSA " + "PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,0A1B\n\n"
        + body(64)
        + "\n-----END RSA PRIVATE KEY-----⟩",
    ]
  }

  static var noPrivateKeys: [String] {
    [
      pem("PUBLIC"), "-----BEGIN CERTIFICATE-----\n" + body(64) + "\n-----END CERTIFICATE-----",
      "-----BEGIN PRIVATE KEY-----",
      "a header such as `-----BEGIN PRIVATE KEY-----` is followed by base64", "-----BEGIN", "PRIVATE KEY",
      "-----", "------BEGIN PRIVATE KEY-----\n\n",
    ]
  }

  /// `{"alg":"HS256","typ":"JWT"}` and two more parts.
  static var webToken: String {
    ["ey" + "JhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9", "ey" + "JzdWIiOiIxMjM0NTY3ODkwIn0", body(43)].joined(
      separator: ".")
  }

  static var tokens: [String] {
    let token = webToken
    return [
      "⟨" + token + "⟩", "token=⟨" + token + "⟩&x=1", "Authorization: Bearer ⟨" + token + "⟩",
      "\"⟨" + token + "⟩\"", "(⟨" + token + "⟩).",
      "bearer ⟨" + body(40) + "⟩", "BEARER  ⟨" + body(24) + "==⟩", "Bearer ⟨" + body(600) + "⟩ end",
      "⟨" + token + body(5000) + "⟩ end", "Authorization: Basic ⟨" + body(40) + "=⟩",
      "basic  ⟨" + body(300) + "⟩ x",
    ]
  }

  static var noTokens: [String] {
    let parts = webToken.split(separator: ".").map(String.init)
    return [
      parts[0], parts[0] + "." + parts[1], "ey" + "J.eyJ.eyJ", "x" + webToken,
      parts[1] + "." + parts[1] + "." + parts[2], "the bearer of this letter",
      "bearer certificates are negotiable", "Bearer short1", "eyJ", "bearer", "forbearer " + body(40),
      "basic internationalization of names", "Basic short1", "basic", "Basic auth-service-v2 is what we use",
    ]
  }

  static let passwords = [
    "password=⟨hunter2⟩", "password: \"⟨hunter2⟩\"", "{\"password\": \"⟨correct horse 7⟩\"}",
    "{\"user\":\"x\",\"password\":\"⟨hunter⟩\"}", "PASSWORD='⟨s3cret!⟩'", "DB_PASSWORD=⟨hunter2⟩\n",
    "postgres://user:⟨password⟩@localhost/db", "mysql://root:⟨p%40ss⟩@10.0.0.1:3306/x",
    "redis://:⟨secret⟩@cache", "Server=x;Password=⟨Abc123⟩;Database=y", "--password=⟨hunter⟩ --user=x",
    "Passwort: ⟨geheim123⟩",
    "dbPassword := \"⟨hunter2⟩\"", ":password => '⟨hunter2⟩'", "passwd=⟨abcdef⟩&next=1",
    "\\\"password\\\":\\\"⟨hunter2⟩\\\"", "pwd=⟨hunter2⟩", "password = ⟨Tr0ub4dor&3⟩",
    "https://joe:⟨token123⟩@github.com/x.git",
  ]
  static let noPasswords = [
    "password: String", "password: must be at least 8 characters", "if password == \"hunter2\"",
    "password = hash(input1234)", "let password = getPassword()", "password=req.body.password",
    "\"password\": {\"type\": \"string\"}",
    "password=${PASSWORD}", "password: \"<password>\"", "password=$PASSWORD",
    "\"password\": \"Enter your password\"", "password=null", "password: str = None", "bypass=abcdef1",
    "compass: north1234", "password=********",
    "password=[password]", "password: [removed: password]", "http://localhost:8080/a@b",
    "postgres://user:[password]@host", "postgres://user@host", "Password:", "connect(password=password)",
    "connect(password=passwd, user=user)", "postgres://u:${PW}@host",
    "the password is required: true", "password", "a: b@c",
  ]
}
