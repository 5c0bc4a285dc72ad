// SPDX-License-Identifier: Apache-2.0
import Core
import TestSupport
import Testing

@testable import Models

@Suite(.timeLimit(.minutes(5))) struct AzureTests {
  let fixture: Fixture

  init() throws { fixture = try Fixture() }

  func configuration(_ path: String, version: String?) -> ProviderConfiguration {
    ProviderConfiguration(
      name: "corp", dialect: .azure, baseURL: "https://corp.example" + path, apiKey: "azure-key",
      apiVersion: version)
  }

  @Test(
    "dated versions name the deployment in the path, the newer surface does not",
    arguments: [
      ("/openai", "2024-10-21", "/openai/deployments/gpt%204o/chat/completions?api-version=2024-10-21"),
      ("", "2024-10-21", "/openai/deployments/gpt%204o/chat/completions?api-version=2024-10-21"),
      ("/", "2024-10-21", "/openai/deployments/gpt%204o/chat/completions?api-version=2024-10-21"),
      (
        "/openai/deployments/own", "2024-10-21",
        "/openai/deployments/own/chat/completions?api-version=2024-10-21"
      ),
      ("/openai/v1", nil, "/openai/v1/chat/completions"),
      ("/openai/v1", "preview", "/openai/v1/chat/completions?api-version=preview"),
      ("/openai", "preview", "/openai/v1/chat/completions?api-version=preview"),
      ("", "latest", "/openai/v1/chat/completions?api-version=latest"),
    ] as [(String, String?, String)])
  func urls(path: String, version: String?, expected: String) {
    let dialect = AzureDialect(configuration(path, version: version))
    #expect(dialect.url(for: "gpt 4o") == "https://corp.example" + expected)
  }

  @Test("the key has a header of its own, and stays at home when a token goes along")
  func key() {
    var configuration = configuration("/openai", version: "2024-10-21")
    #expect(AzureDialect(configuration).headers.map(\.name) == ["api-key"])
    configuration.headers = [("Authorization", "Bearer token")]
    #expect(AzureDialect(configuration).headers.isEmpty)
  }

  @Test("an answer comes through the deployment's path, filter results and all", arguments: [false, true])
  func answer(isStreamed: Bool) async throws {
    let filtered = #"{"choices":[],"prompt_filter_results":[{"prompt_index":0}]}"#
    let server = try ScriptedProvider(
      isStreamed
        ? .events(([filtered] + ScriptedProvider.Reply.streamedCompletion(["hi"])).map { (nil, $0) })
        : .completion("hi"))
    let models = fixture.models(server) {
      $0.dialect = .azure
      $0.baseURL = server.origin + "/openai"
      $0.apiVersion = "2024-10-21"
    }
    let reply = try await models.respond(
      to: .hello, within: .seconds(60), onText: Heard().listener(if: isStreamed))
    #expect(reply.text == "hi")
    let request = try #require(server.requests.first)
    #expect(request.path == "/openai/deployments/gpt-4o-mini/chat/completions?api-version=2024-10-21")
    #expect(request.header("api-key") == "sk-secret-key")
    #expect(request.header("authorization") == nil)
  }
}
