// SPDX-License-Identifier: Apache-2.0
import Settings
import Testing

@Suite struct DefaultsTests {
  @Test("no file, no variables and no flags is a configuration that runs")
  func nothing() throws {
    #expect(try Configuration.load() == Configuration())
    #expect(try Configuration.load(file: "/nonexistent/perigee.yaml") == Configuration())
    #expect(try Configuration.load(text: "") == Configuration())
    #expect(try Configuration.load(text: "# nothing\nserver:\nlimits: {}\n") == Configuration())
  }

  @Test("the documented file states the defaults")
  func documented() throws {
    let loaded = try Configuration.load(text: Self.documentedFile)
    var expected = Configuration()
    expected.scripts.secrets["stripe"] = .init(env: "STRIPE_KEY", hosts: ["api.stripe.com"])
    #expect(
      loaded.describe(environment: [:]).map(\.value) == expected.describe(environment: [:]).map(\.value))
    #expect(loaded.server == expected.server)
    #expect(loaded.auth == expected.auth)
    #expect(loaded.providers == expected.providers)
    #expect(loaded.scripts == expected.scripts)
  }

  @Test("every key of the documented file is in the reference, and the other way round")
  func reference() {
    let paths = Set(Configuration.reference.map(\.path))
    #expect(paths.count == Configuration.reference.count)
    for path in [
      "server.tls.key_file", "providers.<name>.retries", "models.prices.<model>.input_per_million",
    ] {
      #expect(paths.contains(path))
    }
    #expect(Configuration.reference.allSatisfy { $0.description.hasSuffix(".") && !$0.type.isEmpty })
    #expect(
      Configuration.referenceMarkdown.contains("| `server.port` | a whole number from 0 to 65535 | `8080` |"))
    #expect(Configuration.referenceMarkdown.contains("| `OPENAI_BASE_URL` | `providers.openai.base_url` |"))
  }

  @Test("every default of the reference is accepted from a variable")
  func defaultsAreAccepted() throws {
    for row in Configuration.reference {
      guard let variable = row.variable, let value = row.default, !variable.contains("<") else { continue }
      let list = value.hasPrefix("[") ? String(value.dropFirst().dropLast()) : value
      let loaded = try Configuration.load(environment: [variable: list])
      #expect(
        loaded.describe(environment: [:]).map(\.value)
          == Configuration().describe(environment: [:]).map(\.value))
      #expect(loaded.source(of: row.path) == .environment(variable))
    }
  }

  private static let documentedFile = """
    server:
      host: 127.0.0.1
      port: 8080
      public_url: null
      trusted_proxies: []
      body_bytes_max: 1MB
      cors: { origins: [] }
      tls: { certificate_file: null, key_file: null }
      drain_seconds: 30
    data:
      directory: .perigee
      store: null
      cache: null
      synchronous: full
    auth:
      mode: none
      jwt: { algorithms: [HS256], secret_env: PERIGEE_JWT_SECRET, public_key_file: null, jwks_url: null,
             issuer: null, audience: null, leeway_seconds: 30, user_claim: sub, roles_claim: roles,
             tenant_claim: null }
    limits:
      requests_per_minute: 60
      requests_per_hour: 1000
      runs_concurrent: 16
      runs_total: 20000
      message_chars_max: 10000
      tokens_per_day: 0
      cost_usd_per_day: 0
    providers:
      openai: { dialect: openai, base_url: https://api.openai.com/v1, api_key_env: OPENAI_API_KEY,
                timeout_seconds: 60, retries: 2, requests_per_minute: 0, tokens_per_minute: 0 }
    models:
      default: gpt-4o-mini
      prices: { gpt-4o-mini: { input_per_million: 0.15, output_per_million: 0.60 } }
    scripts:
      memory_max: 32MB
      run_seconds: 300
      cpu_ms: 2000
      runs_per_cell: 32
      env: []
      secrets: { stripe: { env: STRIPE_KEY, hosts: [api.stripe.com] } }
    http: { allow: [], private_addresses: false, timeout_seconds: 30, body_bytes_max: 10MB }
    guardrails: {}
    routes: []
    channels:
      whatsapp: { auth_token_env: TWILIO_AUTH_TOKEN, account_sid_env: TWILIO_ACCOUNT_SID, number: null,
                  late_answer_seconds: 10 }
    reload: { watch: false, canary_percent: 0 }
    log: { level: info, format: auto, content: false }
    telemetry: { otlp_endpoint: null, content: false }
    retention: { days: 90 }
    """
}
