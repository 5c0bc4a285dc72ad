// SPDX-License-Identifier: Apache-2.0
import Core
import JSONCodec
import TestSupport
import Testing

@testable import Models

@Suite(.timeLimit(.minutes(5))) struct EmbeddingTests {
  typealias Reply = ScriptedProvider.Reply
  let fixture: Fixture

  init() throws { fixture = try Fixture() }

  func embed(
    _ inputs: [String], from server: ScriptedProvider, model: String = "embed-1", dimensions: Int? = nil,
    change: (inout ProviderConfiguration) -> Void = { _ in }
  ) async throws -> EmbeddingReply {
    try await fixture.models(server, change: change).embed(
      EmbeddingRequest(model: model, inputs: inputs, dimensions: dimensions), within: .seconds(300))
  }

  static func reply(_ data: [JSON], tokens: Int64? = 8) -> Reply {
    .json([
      "object": "list", "data": .array(data),
      "usage": tokens.map { ["prompt_tokens": .integer($0), "total_tokens": .integer($0)] } ?? .null,
    ])
  }

  /// One vector for each input, whose first number is the length of the input.
  static func lengths(_ request: ScriptedProvider.Request) -> Reply {
    let inputs = request.json["input"]?.array ?? []
    return reply(
      inputs.enumerated().map { index, input in
        [
          "index": .integer(Int64(index)),
          "embedding": [.integer(Int64(input.string?.utf8.count ?? 0)), 0.5],
        ]
      }.reversed())
  }

  @Test("texts become vectors in their order, whatever the order of the answer")
  func order() async throws {
    let server = try ScriptedProvider(
      Self.reply([
        // 1, -2.5 and 3, 0.25 as little-endian floats.
        ["index": 1, "embedding": "AABAQAAAgD4="], ["index": 0, "embedding": "AACAPwAAIMA="],
      ]))
    let reply = try await embed(["a", "b"], from: server, dimensions: 2)
    #expect(reply.vectors == [[1, -2.5], [3, 0.25]])
    #expect(reply.model == "embed-1")
    #expect(reply.usage == Usage(inputTokens: 8, costUSD: nil))
    let request = try #require(server.requests.first)
    #expect(request.path == "/v1/embeddings")
    #expect(
      request.json == [
        "model": "embed-1", "input": ["a", "b"], "encoding_format": "base64", "dimensions": 2,
      ])
  }

  @Test("no request has more than 2,048 texts, and all vectors come back in order")
  func batches() async throws {
    let server = try ScriptedProvider { Self.lengths($0) }
    let inputs = (0..<5000).map { String(repeating: "x", count: $0 % 97 + 1) }
    let reply = try await embed(inputs, from: server)
    #expect(server.requests.map { $0.json["input"]?.array?.count } == [2048, 2048, 904])
    #expect(reply.vectors.map { Int($0[0]) } == inputs.map(\.utf8.count))
    #expect(reply.usage.inputTokens == 24)
  }

  @Test("long texts are divided by their size; one that is too long goes alone")
  func sizes() {
    let inputs = [6, 4, 1, 30, 2, 2].map { String(repeating: "x", count: $0) }
    let batches = EmbeddingsRequest.batches(of: inputs, bytesMax: 10)
    #expect(batches.map { $0.map(\.count) } == [[6, 4], [1], [30], [2, 2]])
    #expect(EmbeddingsRequest.batches(of: []).isEmpty)
  }

  @Test("nothing to embed is nothing to ask")
  func empty() async throws {
    let server = try ScriptedProvider(.failure(500))
    #expect(try await embed([], from: server).vectors.isEmpty)
    #expect(server.requests.isEmpty)
  }

  @Test(
    "what is not one vector for each text is a bad reply",
    arguments: [
      reply([]), reply([["index": 0, "embedding": [1]]]),
      reply([["index": 0, "embedding": [1]], ["index": 0, "embedding": [1]]]),
      reply([["index": 0, "embedding": [1]], ["index": 2, "embedding": [1]]]),
      reply([["index": 0, "embedding": [1]], ["index": 1, "embedding": []]]),
      reply([["index": 0, "embedding": [1]], ["index": 1, "embedding": ["x"]]]),
      reply([["index": 0, "embedding": [1]], ["index": 1, "embedding": "AACA"]]),
      reply([["index": 0, "embedding": [1]], ["index": 1, "embedding": "????"]]), .json([:]),
      .status(200, body: "no"),
    ])
  func badReply(reply: Reply) async throws {
    let server = try ScriptedProvider(reply)
    #expect(await failure { try await embed(["a", "b"], from: server) }?.kind == .badReply)
  }

  @Test("a busy provider is asked again, and a batch that fails fails all")
  func retried() async throws {
    let server = try ScriptedProvider(.failure(503), Self.reply([["embedding": [1]]]))
    #expect(try await embed(["a"], from: server).vectors == [[1]])
    let refusing = try ScriptedProvider(.failure(400))
    #expect(await failure { try await embed(["a"], from: refusing) }?.kind == .badRequest)
  }

  @Test("tokens that are not counted are estimated")
  func estimated() async throws {
    let server = try ScriptedProvider(Self.reply([["embedding": [1]]], tokens: nil))
    let usage = try await embed(["a"], from: server).usage
    #expect(usage.isEstimated && usage.inputTokens > 0)
  }

  @Test("on Azure the deployment stands in the path; Anthropic makes none")
  func dialects() async throws {
    let server = try ScriptedProvider(Self.reply([["embedding": [1]]]))
    _ = try await embed(["a"], from: server) {
      $0.dialect = .azure
      $0.baseURL = server.origin + "/openai"
      $0.apiVersion = "2024-10-21"
    }
    #expect(
      server.requests.first?.path == "/openai/deployments/embed-1/embeddings?api-version=2024-10-21")
    let refused = await failure { try await embed(["a"], from: server) { $0.dialect = .anthropic } }
    #expect(refused?.kind == .badRequest)
    #expect(server.requests.count == 1)
  }

  @Test("base64 is read with padding and without")
  func base64() {
    #expect(Base64.decode("") == [])
    #expect(Base64.decode("TQ==") == Array("M".utf8) && Base64.decode("TWE=") == Array("Ma".utf8))
    #expect(Base64.decode("TWFu") == Array("Man".utf8) && Base64.decode("TQ") == Array("M".utf8))
    #expect(Base64.decode("A") == nil && Base64.decode("AA*A") == nil && Base64.decode("====") == nil)
  }
}
