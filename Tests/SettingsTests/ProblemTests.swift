// SPDX-License-Identifier: Apache-2.0
import Settings
import Testing

@Suite struct ProblemTests {
  private func problems(
    _ text: String, environment: [String: String] = [:], flags: [(path: String, value: String)] = []
  ) -> [String] {
    do {
      _ = try Configuration.load(file: "/w/perigee.yaml", text: text, environment: environment, flags: flags)
      return []
    } catch {
      return error.problems.map { $0.description + ($0.hint.map { " (\($0))" } ?? "") }
    }
  }

  @Test("everything that is wrong is told at once, with its place")
  func all() {
    let text = """
      server:
        prot: 1
        port: 99999
        tls: 3
      databse: {}
      limits:
        requests_per_minute: yes
      scripts: { memory_max: lots }
      """
    #expect(
      problems(text, environment: ["PERIGEE_LOG_LEVEL": "inf"], flags: [("server.port", "x")]) == [
        "perigee.yaml:2:3: unknown key 'server.prot' (did you mean 'server.port'?)",
        "perigee.yaml:3:9: server.port must be a whole number from 0 to 65535, not 99999",
        "perigee.yaml:4:8: server.tls must be a map of keys, not 3",
        "perigee.yaml:5:1: unknown key 'databse' (did you mean 'data'?)",
        "perigee.yaml:7:24: limits.requests_per_minute must be a whole number from 0, not 'yes'",
        "perigee.yaml:8:24: scripts.memory_max must be a size such as 10MB, from 1MB to 16GB, not 'lots'",
        "PERIGEE_LOG_LEVEL: log.level must be trace, debug, info, notice, warning, error or critical, not 'inf'"
          + " (did you mean 'info'?)",
        "flag for server.port: server.port must be a whole number from 0 to 65535, not 'x'",
      ])
  }

  @Test(
    "an unknown key is answered with the nearest right one",
    arguments: [
      ("port: 1", "did you mean 'server.port'?"),
      ("server: { bodybytes_max: 1 }", "did you mean 'server.body_bytes_max'?"),
      ("jwt: {}", "did you mean 'auth.jwt'?"),
      ("server: { tls: { cert: x } }", "did you mean 'server.tls.certificate_file'?"),
      ("providers: { x: { api_key: k } }", "did you mean 'providers.x.api_key_env'?"),
      ("reload: { zzz: 1 }", "known here: watch, canary_percent"),
    ])
  func unknownKeys(text: String, hint: String) {
    #expect(problems(text).first?.contains("(\(hint))") == true)
  }

  @Test(
    "a wrong value names its type",
    arguments: [
      ("server: { port: 1.5 }", "server.port must be a whole number from 0 to 65535, not 1.5"),
      ("server: { port: }", "server.port must be a whole number from 0 to 65535, not nothing"),
      ("server: { port: '80' }", "server.port must be a whole number from 0 to 65535, not '80'"),
      ("log: { content: yes }", "log.content must be true or false, not 'yes' (write true)"),
      (
        "server: { trusted_proxies: [10.0.0.0/33] }",
        "server.trusted_proxies must hold only values that are each an IP address or a network such as 10.0.0.0/8, not '10.0.0.0/33'"
      ),
      (
        "scripts: { env: REGION }",
        "scripts.env must be a list, each the name of an environment variable (write [REGION])"
      ),
      (
        "http: { allow: ['https://x/'] }",
        "http.allow must hold only values that are each a host such as api.example.com or *.example.org:8443, not 'https://x/' (leave out the scheme and the path)"
      ),
      (
        "server: { public_url: example.com }",
        "server.public_url must be a URL that begins with https:// or http://, or null"
      ),
      ("models: { temperature: 3 }", "models.temperature must be a number from 0 to 2, or null, not 3"),
      ("guardrails: 1", "guardrails must be a map, not 1"),
      ("routes: {}", "routes must be a list of maps, not a map"),
      ("routes: [1]", "routes.1 must be a map, not 1"),
    ])
  func wrongValues(text: String, message: String) {
    #expect(problems(text).map { $0.drop { $0 != " " }.dropFirst() } == [message[...]])
  }

  @Test("what was written where a secret does not belong is not repeated")
  func secrets() {
    for text in [
      "providers: { openai: { api_key_env: sk-123 } }", "providers: { openai: { api_key: sk-123 } }",
      "data: { store: 'mysql://u:sk-123@db' }", "scripts: { secrets: { s: { env: sk-123, hosts: [a.b] } } }",
    ] {
      #expect(problems(text).count == 1)
      #expect(!problems(text).joined().contains("sk-123"))
    }
  }

  @Test(
    "what is not YAML is refused with its line",
    arguments: [
      ("a: [1", "perigee.yaml:2:1: not YAML: did not find expected ',' or ']'"),
      (
        "server:\n\tport: 1",
        "perigee.yaml:2:1: not YAML: found character that cannot start any token (indent with spaces, and put quotes around text with special characters)"
      ),
      (
        "server: 1\nlog: 2\nserver: 3",
        "perigee.yaml:1:1: 'server' is written more than once in the same map (keep one of them)"
      ),
      ("- 1", "perigee.yaml:1:1: the file must be a map of keys, not a list (begin with 'server:')"),
      ("? [a]\n: 1", "perigee.yaml:1:3: a key must be plain text"),
    ])
  func notYAML(text: String, problem: String) {
    #expect(problems(text) == [problem])
  }

  @Test(
    "rules across keys are kept",
    arguments: [
      (
        "server: { host: 0.0.0.0 }",
        "perigee.yaml:1:11: server.host is 0.0.0.0, but auth.mode none serves only this machine"
      ),
      (
        "server: { cors: { origins: [\"*\"] } }",
        "perigee.yaml:1:19: server.cors.origins is *, and auth.mode none would let every page act as this machine's user"
      ),
      (
        "server: { tls: { key_file: k } }",
        "perigee.yaml:1:18: server.tls.key_file is set, but server.tls.certificate_file is not"
      ),
      (
        "auth: { mode: jwt, jwt: { algorithms: [RS256] } }",
        "perigee.yaml:1:27: RS, ES and EdDSA algorithms need auth.jwt.public_key_file, auth.jwt.jwks_file or auth.jwt.jwks_url"
      ),
      (
        "auth: { mode: jwt, jwt: { algorithms: [RS256], issuer: \"http://issuer.example\" } }",
        "perigee.yaml:1:48: auth.jwt.issuer is http://issuer.example, which cannot be asked for its keys: it is no https:// address"
      ),
      (
        "auth: { mode: jwt, jwt: { secret_env: null } }",
        "perigee.yaml:1:9: HS algorithms need auth.jwt.secret_env or auth.jwt.secret_file"
      ),
      (
        "auth: { mode: any, jwt: { algorithms: [] } }",
        "perigee.yaml:1:27: auth.jwt.algorithms is empty: no token could be accepted"
      ),
      ("providers: { a: { dialect: azure } }", "perigee.yaml:1:14: providers.a has no base_url"),
      (
        "providers: { a: { dialect: azure, base_url: https://x.openai.azure.com/openai } }",
        "perigee.yaml:1:35: providers.a has no api_version"
      ),
      (
        "providers: { a: { headers: { Api-Key: k } } }",
        "perigee.yaml:1:19: providers.a.headers: Api-Key is a secret, which is never written in the file"
      ),
      (
        "providers: { a: { headers: { X-A: k }, headers_env: { x-a: K } } }",
        "perigee.yaml:1:19: providers.a: X-A stands in headers and in headers_env"
      ),
      (
        "providers: { a: { headers: { 'X A': k } } }",
        "perigee.yaml:1:30: providers.a.headers has a header 'X A', which is no name"
      ),
      (
        "providers: { a: { headers_env: { X-A: not a name } } }",
        "perigee.yaml:1:39: providers.a.headers_env must have the name of an environment variable for X-A"
      ), ("routes: [{ path: /a, agent: b }]", "perigee.yaml:1:10: routes.1.shape is missing"),
      ("scripts: { secrets: { s: { env: A } } }", "perigee.yaml:1:23: scripts.secrets.s.hosts is missing"),
    ])
  func rules(text: String, problem: String) {
    #expect(problems(text).map { $0.split(separator: " (").first } == [problem[...]])
  }

  @Test("a public address with authentication is accepted")
  func publicAddress() {
    #expect(problems("server: { host: 0.0.0.0 }\nauth: { mode: api_key }") == [])
  }

  @Test(
    "an unknown variable or flag is refused with the nearest right one",
    arguments: [
      ("PERIGEE_SERVR_PORT", "did you mean PERIGEE_SERVER_PORT?"),
      ("PERIGEE_PROVIDERS_OPENAI_BASEURL", "did you mean PERIGEE_PROVIDERS_OPENAI_BASE_URL?"),
      ("PERIGEE_GUARDRAILS_INPUT_PII", "set PERIGEE_GUARDRAILS to YAML text"),
      ("PERIGEE_MODELS_PRICES_OTHER_INPUT_PER_MILLION", "set PERIGEE_MODELS_PRICES to YAML text"),
      ("PERIGEE_X", "a variable is PERIGEE_ and a key's path in capitals, such as PERIGEE_SERVER_PORT"),
    ])
  func unknownVariables(name: String, hint: String) {
    #expect(problems("", environment: [name: "1"]) == ["\(name): unknown variable (\(hint))"])
  }

  @Test("a service's address in the port's variable is explained")
  func serviceLink() {
    #expect(
      problems("", environment: ["PERIGEE_SERVER_PORT": "tcp://10.0.0.1:80"]).first?.contains(
        "enableServiceLinks") == true)
    #expect(
      problems("", flags: [("server.prot", "1")]).first?.hasSuffix("(did you mean 'server.port'?)") == true)
  }
}
