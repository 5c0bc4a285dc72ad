// SPDX-License-Identifier: Apache-2.0
import Core
import JSONCodec
import Models
import TestSupport
import Testing

@Suite("What failed attempts cost", .timeLimit(.minutes(5)))
struct ChargeTests {
  typealias Reply = ScriptedProvider.Reply
  private let fixture: Fixture

  init() throws { fixture = try Fixture() }

  private func models(_ server: ScriptedProvider, retries: Int = 1) -> ModelClient {
    fixture.models(
      ModelClient.Configuration(
        providers: [
          ProviderConfiguration(baseURL: server.baseURL, apiKey: "sk-secret-key", retries: retries)
        ],
        prices: [
          "gpt-4o-mini": TokenPrice(inputPerMillion: 1, outputPerMillion: 1),
          "embed-1": TokenPrice(inputPerMillion: 1, outputPerMillion: 0),
        ]))
  }

  private func ask(
    _ server: ScriptedProvider, retries: Int = 1, isStreamed: Bool = false
  ) async throws -> ModelReply {
    try await models(server, retries: retries).respond(
      to: .hello, within: .seconds(300), onText: Heard().listener(if: isStreamed))
  }

  /// A stream that fails before its first text.
  private static let failing = Reply.events([
    (nil, #"{"choices":[{"delta":{"role":"assistant","content":""}}]}"#),
    (nil, #"{"error":{"message":"overloaded","type":"server_error","code":null}}"#),
  ])

  @Test("an attempt that failed in its stream is counted with the one that answered")
  func inStream() async throws {
    let server = try ScriptedProvider(
      Self.failing, .events(Reply.streamedCompletion(["ok"]).map { (nil, $0) }))
    let usage = try await ask(server, isStreamed: true).usage
    #expect(server.requests.count == 2)
    #expect(usage.inputTokens > 10 && usage.isEstimated)
    #expect(abs((usage.costUSD ?? 0) - Double(usage.tokens) / 1_000_000) < 1e-12)
  }

  @Test("a refusal costs nothing, whether or not another attempt answers")
  func refused() async throws {
    let usage = try await ask(ScriptedProvider(.failure(503), .completion("ok"))).usage
    #expect(usage == Usage(inputTokens: 10, outputTokens: 5, costUSD: 15e-6))
    let error = await failure { try await ask(ScriptedProvider(.failure(503)), isStreamed: true) }
    #expect(error?.kind == .server && error?.usage == nil)
  }

  @Test("a provider that was never reached costs nothing")
  func unreached() async throws {
    let server = try ScriptedProvider(.close)
    server.stop()
    let error = await failure { try await ask(server) }
    #expect(error?.kind == .connection && error?.usage == nil)
  }

  @Test("what was answered and of no use is counted, each attempt")
  func useless() async throws {
    let nameless =
      #"{"choices":[{"message":{"tool_calls":[{"id":"a","function":{"arguments":"{}"}}]}}],"#
      + #""usage":{"prompt_tokens":20,"completion_tokens":4}}"#
    let counted = await failure { try await ask(ScriptedProvider(.json(try JSON(parsing: nameless)))) }
    #expect(counted?.usage?.inputTokens == 20 && counted?.usage?.outputTokens == 4)
    let once = await failure { try await ask(ScriptedProvider(Self.failing), retries: 0, isStreamed: true) }
    let thrice = await failure { try await ask(ScriptedProvider(Self.failing), retries: 2, isStreamed: true) }
    let tokens = try #require(once?.usage?.inputTokens)
    #expect(tokens > 0 && thrice?.usage?.inputTokens == 3 * tokens)
    let unread = await failure { try await ask(ScriptedProvider(.status(200, body: "hm")), retries: 0) }
    #expect(unread?.kind == .badReply && unread?.usage?.isEstimated == true)
    let unanswered = await failure { try await ask(ScriptedProvider(.close), retries: 0) }
    #expect(unanswered?.kind == .connection && (unanswered?.usage?.inputTokens ?? 0) > 0)
  }

  @Test("vectors that came before a later request failed are counted")
  func embeddings() async throws {
    let inputs = [String](repeating: "x", count: 2049)
    let data = JSON.array([JSON](repeating: ["embedding": [1]], count: 2048))
    let server = try ScriptedProvider(.json(["data": data, "usage": ["prompt_tokens": 99]]), .failure(400))
    let error = await failure {
      try await models(server).embed(EmbeddingRequest(model: "embed-1", inputs: inputs), within: .seconds(60))
    }
    #expect(error?.kind == .badRequest)
    #expect(error?.usage == Usage(inputTokens: 99, costUSD: 99e-6))
  }
}
