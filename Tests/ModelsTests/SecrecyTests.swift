// SPDX-License-Identifier: Apache-2.0
import Core
import Models
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(5))) struct SecrecyTests {
  let fixture: Fixture

  init() throws { fixture = try Fixture() }

  @Test(
    "neither errors nor logs have keys, headers, prompts or the provider's address",
    arguments: [401, 429, 500])
  func failures(status: Int) async throws {
    let server = try ScriptedProvider(
      .failure(status, message: "Incorrect API key sk-secret-key, header hush-hush"))
    let models = fixture.models(server) { $0.headers = [("api-key", "hush-hush")] }
    let failure = try #require(
      await failure {
        try await models.respond(
          to: ModelRequest(models: [], messages: [.user("my secret prompt")]), within: .seconds(300),
          onText: nil)
      })
    let told = ["\(failure)", failure.message, String(reflecting: failure)] + fixture.logs.lines
    #expect(!fixture.logs.lines.isEmpty)
    for text in told {
      for secret in ["sk-secret-key", "hush-hush", "secret prompt", "127.0.0.1"] {
        #expect(!text.contains(secret))
      }
    }
    #expect(failure.diagnostic?.contains("Incorrect API key [redacted]") == true)
  }

  @Test("a provider's configuration prints without its key")
  func configuration() {
    let provider = ProviderConfiguration(apiKey: "sk-secret-key", headers: [("api-key", "hush-hush")])
    var dumped = ""
    dump(provider, to: &dumped)
    for text in ["\(provider)", String(reflecting: provider), dumped, "\([provider])"] {
      #expect(!text.contains("sk-secret") && !text.contains("hush"))
    }
  }

  @Test("the provider's own words are kept up to 2 KB")
  func diagnostic() async throws {
    let failure = await failure {
      try await fixture.ask(.status(400, body: String(repeating: "x", count: 100_000)))
    }
    #expect(failure?.diagnostic?.utf8.count == 2048)
  }
}
