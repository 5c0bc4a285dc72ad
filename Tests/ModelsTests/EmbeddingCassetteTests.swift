// SPDX-License-Identifier: Apache-2.0
import Core
import Testing

@testable import Models

@Suite("Cassettes of embeddings")
struct EmbeddingCassetteTests {
  private let folder: TapeFolder
  private var path: String { folder.path + "/tape.jsonl" }
  private let normalization = RequestNormalization(defaultModel: "base")

  init() throws { folder = try TapeFolder() }

  private static let reply = EmbeddingReply(
    model: "embed-1", vectors: [[0.1, -2.5e-8], [.pi, 0]],
    usage: Usage(inputTokens: 3, costUSD: 0.5, isEstimated: true))

  private func record(
    _ requests: EmbeddingRequest..., vectors: @escaping @Sendable (EmbeddingRequest) throws -> EmbeddingReply
  ) async throws {
    let model = try RecordingModel(StubModel(vectors: vectors), to: path, normalization: normalization)
    for request in requests { _ = try? await model.embed(request, within: .seconds(1)) }
  }

  private func play(_ request: EmbeddingRequest) async throws -> EmbeddingReply {
    try await PlaybackModel(try Cassette.load(path), of: StubModel(), normalization: normalization)
      .embed(request, within: .seconds(1))
  }

  private static func request(_ inputs: String..., model: String = "embed-1", dimensions: Int? = nil)
    -> EmbeddingRequest
  {
    EmbeddingRequest(model: model, inputs: inputs, dimensions: dimensions)
  }

  @Test("vectors play back to the bit, and so do errors with what they cost")
  func playsBack() async throws {
    let usage = Usage(inputTokens: 7, costUSD: nil, isEstimated: true)
    try await record(Self.request("a", "b"), Self.request("fail")) { request in
      if request.inputs.count == 2 { return Self.reply }
      throw ModelError(.server, "down", status: 500, usage: usage)
    }
    let played = try await play(Self.request("a", "b"))
    #expect(played.vectors == Self.reply.vectors)
    #expect(played.model == "embed-1" && played.usage == Self.reply.usage)
    let error = await failure { try await play(Self.request("fail")) }
    #expect(error?.kind == .server && error?.usage == usage)
  }

  @Test("what is new in every run, or personal, does not count; the order of equal requests does")
  func normalized() async throws {
    try await record(
      Self.request("run \(TestNames.first) of ada@example.com"),
      Self.request("run \(TestNames.second) of ada@example.com")
    ) { EmbeddingReply(model: "m", vectors: [[$0.inputs[0].contains(TestNames.first) ? 1 : 2]]) }
    let model = PlaybackModel(try Cassette.load(path), of: StubModel(), normalization: normalization)
    for expected: Float in [1, 2, 2] {
      let reply = try await model.embed(
        Self.request("run \(TestNames.second) of ada@example.com"), within: .seconds(1))
      #expect(reply.vectors == [[expected]])
    }
  }

  @Test(
    "what was not recorded fails with what differs from the nearest",
    arguments: [
      (Self.request("a", "c"), "input 2"), (Self.request("a", "b", model: "embed-2"), "models"),
      (Self.request("a", "b", dimensions: 2), "dimensions"), (Self.request("a"), "input 2"),
    ])
  func misses(request: EmbeddingRequest, place: String) async throws {
    try await record(Self.request("a", "b"), Self.request("x", "y", "z")) { _ in Self.reply }
    let error = try #require(await failure { try await play(request) })
    #expect(error.kind == .cassette)
    #expect(error.message.contains("the nearest, line 1, differs in \(place);"), "\(error.message)")
  }

  @Test("an answer is no vector, and a vector no answer")
  func kinds() async throws {
    let model = try RecordingModel(
      StubModel { _ in .saying("hi") }, to: path, normalization: normalization)
    _ = try await model.respond(to: .hello, within: .seconds(1), onText: nil)
    let error = try #require(await failure { try await play(Self.request("hello")) })
    #expect(error.kind == .cassette && error.message == "nothing like it is recorded in tape.jsonl")
  }
}
