import Foundation
// SPDX-License-Identifier: Apache-2.0
import Settings
import Testing

@Suite struct SecretTests {
  @Test("a secret comes from its variable, else from its file, without the line break at its end")
  func resolution() throws {
    let file = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
    try Data("from file\n".utf8).write(to: file)
    defer { try? FileManager.default.removeItem(at: file) }
    let environment = ["KEY": "from variable\r\n", "EMPTY": ""]
    #expect(
      try Configuration.secret(env: "KEY", file: file.path, environment: environment)?.reveal()
        == "from variable")
    #expect(
      try Configuration.secret(env: "EMPTY", file: file.path, environment: environment)?.reveal()
        == "from file")
    #expect(try Configuration.secret(env: "NONE", environment: environment) == nil)
    #expect(throws: ConfigurationError.self) {
      try Configuration.secret(env: nil, file: file.path + ".absent", environment: environment)
    }
  }

  @Test("a secret does not print itself")
  func printing() {
    let secret = Secret("hunter2")
    var dumped = ""
    dump(secret, to: &dumped)
    #expect(!"\(secret) \(String(reflecting: secret)) \(dumped)".contains("hunter2"))
  }

  @Test("doctor's list tells whether a secret is set, and hides it")
  func describing() throws {
    let configuration = try Configuration.load(
      text: "data: { store: 'postgres://user:hunter2@db/x?password=hunter2' }\nlog: { level: debug }",
      environment: ["OPENAI_API_KEY": "hunter2"])
    let settings = configuration.describe(environment: ["OPENAI_API_KEY": "hunter2"])
    func value(_ path: String) -> String? { settings.first { $0.path == path }?.value }
    #expect(value("providers.openai.api_key_env") == "set (from OPENAI_API_KEY)")
    #expect(value("channels.whatsapp.auth_token_env") == "not set (TWILIO_AUTH_TOKEN)")
    #expect(value("auth.jwt.secret_file") == "not set")
    #expect(value("data.store") == "postgres://***@db/x?***")
    #expect(value("server.port") == "8080")
    #expect(settings.first { $0.path == "log.level" }?.source.description == "perigee.yaml:2")
    var dumped = ""
    dump(configuration, to: &dumped)
    #expect(!"\(settings) \(configuration) \(dumped)".contains("hunter2"))
  }
}
