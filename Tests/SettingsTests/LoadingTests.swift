import Foundation
// SPDX-License-Identifier: Apache-2.0
import Settings
import Testing

@Suite struct LoadingTests {
  @Test("flags beat the environment, the environment beats the file")
  func order() throws {
    let text = "server: { port: 1, host: localhost, drain_seconds: 1 }"
    let environment = ["PERIGEE_SERVER_PORT": "2", "PERIGEE_SERVER_HOST": "127.0.0.2"]
    let configuration = try Configuration.load(
      file: "/w/perigee.yaml", text: text, environment: environment,
      flags: [("server.port", "3"), ("server.port", "4")])
    #expect(configuration.server.port == 4)
    #expect(configuration.server.host == "127.0.0.2")
    #expect(configuration.server.drain == .seconds(1))
    #expect(configuration.source(of: "server.port") == .flag("server.port"))
    #expect(configuration.source(of: "server.host") == .environment("PERIGEE_SERVER_HOST"))
    #expect(configuration.source(of: "server.drain_seconds") == .file("perigee.yaml", line: 1, column: 37))
    #expect(configuration.source(of: "log.level") == .default)
  }

  @Test("a file is read from disk")
  func disk() throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let file = folder.appendingPathComponent("perigee.yaml")
    try Data("log:\n  level: debug\n".utf8).write(to: file)
    let configuration = try Configuration.load(file: file.path)
    #expect(configuration.log.level == .debug)
    #expect(configuration.source(of: "log.level").description == "perigee.yaml:2")
    try Data([0x6C, 0xFF, 0xFE]).write(to: file)
    #expect(throws: ConfigurationError.self) { try Configuration.load(file: file.path) }
    #expect(throws: ConfigurationError.self) { try Configuration.load(file: folder.path) }
  }

  @Test("values have their types")
  func types() throws {
    let configuration = try Configuration.load(
      text: """
        server: { body_bytes_max: 1.5 MB, drain_seconds: 2m, trusted_proxies: [10.0.0.0/8, "::1"] }
        data: { store: "postgres://u:p@db/perigee", cache: "redis://cache:6379", synchronous: normal }
        scripts: { memory_max: 67108864, cpu_ms: 50, run_seconds: 0.5 }
        http: { body_bytes_max: 1GB, allow: [api.example.com, "*.example.org:8443"], private_addresses: true }
        channels: { whatsapp: { number: +14155238886 } }
        models: { temperature: 1, max_tokens: 0x100 }
        """)
    #expect(configuration.server.bodyBytesMax == 1_572_864)
    #expect(configuration.server.drain == .seconds(120))
    #expect(configuration.server.trustedProxies == ["10.0.0.0/8", "::1"])
    #expect(configuration.data.store?.rawValue == "postgres://u:p@db/perigee")
    #expect(configuration.data.synchronous == .normal)
    #expect(configuration.scripts.memoryBytesMax == 64 << 20)
    #expect(configuration.scripts.cpuTime == .milliseconds(50))
    #expect(configuration.scripts.runTime == .milliseconds(500))
    #expect(configuration.http.bodyBytesMax == 1 << 30)
    #expect(configuration.http.privateAddresses)
    #expect(configuration.channels.whatsapp.number == "+14155238886")
    #expect(configuration.models.temperature == 1)
    #expect(configuration.models.maxTokens == 256)
  }

  @Test("providers are added to the standing one; an address follows the dialect")
  func providers() throws {
    let configuration = try Configuration.load(
      text: """
        providers:
          openai: { retries: 5, hedge_seconds: 0.25 }
          local: { base_url: "http://127.0.0.1:8081/v1/" }
          claude: { dialect: anthropic, api_key_env: ANTHROPIC_API_KEY }
          corp: { dialect: azure, base_url: "https://corp.openai.azure.com/openai", api_version: 2024-10-21 }
          new: { dialect: responses, headers: { X-Org: blue, X-Number: 7 }, headers_env: { X-Key: KEY },
                 developer_role: true, max_completion_tokens: true, requests_per_minute: 9 }
        """,
      environment: ["PERIGEE_PROVIDERS_CORP_API_KEY_ENV": "CORP_KEY", "PERIGEE_PROVIDERS_EXTRA_RETRIES": "1"])
    #expect(configuration.providers.keys.sorted() == ["claude", "corp", "extra", "local", "new", "openai"])
    #expect(configuration.providers["openai"]?.retries == 5)
    #expect(configuration.providers["openai"]?.hedge == .milliseconds(250))
    #expect(configuration.providers["local"]?.hedge == .zero)
    #expect(configuration.providers["openai"]?.apiKeyEnv == "OPENAI_API_KEY")
    #expect(configuration.providers["local"]?.baseURL == "http://127.0.0.1:8081/v1")
    #expect(configuration.providers["claude"]?.baseURL == "https://api.anthropic.com/v1")
    #expect(configuration.providers["corp"]?.apiVersion == "2024-10-21")
    #expect(configuration.providers["corp"]?.apiKeyEnv == "CORP_KEY")
    let new = try #require(configuration.providers["new"])
    #expect(new.baseURL == "https://api.openai.com/v1")
    #expect(new.headers == ["X-Org": "blue", "X-Number": "7"])
    #expect(new.headersEnv == ["X-Key": "KEY"])
    #expect(new.developerRole && new.maxCompletionTokens && new.requestsPerMinute == 9)
    let shown = configuration.describe(environment: ["KEY": "sk-1"])
    #expect(shown.first { $0.path == "providers.new.headers_env" }?.value == "{ X-Key: KEY }")
  }

  @Test("the usual variables are read, under those that begin with PERIGEE_")
  func usualVariables() throws {
    let usual = [
      "OPENAI_BASE_URL": "http://localhost:1/v1", "AGENT_MODEL_NAME": "gpt-4o", "AGENT_TEMPERATURE": "0.3",
      "AGENT_MAX_TOKENS": "900", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4318",
    ]
    let configuration = try Configuration.load(text: "models: { default: other }", environment: usual)
    #expect(configuration.providers["openai"]?.baseURL == "http://localhost:1/v1")
    #expect(configuration.models.default == "gpt-4o")
    #expect(configuration.models.temperature == 0.3)
    #expect(configuration.models.maxTokens == 900)
    #expect(configuration.telemetry.otlpEndpoint == "http://collector:4318")
    let both = try Configuration.load(environment: usual.merging(["PERIGEE_MODELS_DEFAULT": "mine"]) { $1 })
    #expect(both.models.default == "mine")
    #expect(try Configuration.load(environment: ["AGENT_MODEL_NAME": ""]).models.default == "gpt-4o-mini")
  }

  @Test("variables hold lists between commas, and whole maps as YAML")
  func composites() throws {
    let configuration = try Configuration.load(environment: [
      "PERIGEE_SCRIPTS_ENV": "REGION, STAGE", "PERIGEE_HTTP_ALLOW": "",
      "PERIGEE_ROUTES": "[{ path: '/api/{user_id}/chat', agent: todo, shape: todo }]",
      "PERIGEE_GUARDRAILS": "{ input_validation: { max_input_size: 10MB, wait: 5m } }",
      "PERIGEE_MODELS_PRICES_GPT_4O_MINI_INPUT_PER_MILLION": "0.2", "PERIGEE_SERVER_PUBLIC_URL": "",
    ])
    #expect(configuration.scripts.env == ["REGION", "STAGE"])
    #expect(configuration.routes.map(\.path) == ["/api/{user_id}/chat"])
    #expect(configuration.guardrails["input_validation"]?["max_input_size"]?.byteCount == 10 << 20)
    #expect(configuration.guardrails["input_validation"]?["wait"]?.duration == .seconds(300))
    #expect(configuration.models.prices["gpt-4o-mini"]?.inputPerMillion == 0.2)
    #expect(configuration.server.publicURL == nil)
  }

  @Test("variables that a key names, or Kubernetes makes, are not taken for keys")
  func foreignVariables() throws {
    let environment = [
      "PERIGEE_JWT_SECRET": "s", "PERIGEE_STRIPE": "s", "PERIGEE_REGION": "eu",
      "PERIGEE_PORT": "tcp://10.0.0.1:80",
      "PERIGEE_SERVICE_HOST": "10.0.0.1", "PERIGEE_PORT_80_TCP_ADDR": "10.0.0.1",
    ]
    let text =
      "scripts: { env: [PERIGEE_REGION], secrets: { stripe: { env: PERIGEE_STRIPE, hosts: [api.stripe.com] } } }"
    #expect(try Configuration.load(text: text, environment: environment).scripts.env == ["PERIGEE_REGION"])
    #expect(throws: ConfigurationError.self) { try Configuration.load(environment: environment) }
  }
}
