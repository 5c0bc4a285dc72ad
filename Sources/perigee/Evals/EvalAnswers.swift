// SPDX-License-Identifier: Apache-2.0
import Core
import Evals
import FoundationEssentials
import Models

/// Who answers in place of the agents' models, or as them.
struct EvalAnswers: Sendable {
  enum Mode: Sendable {
    /// From recordings; where there is none, the agents' stubs.
    case offline
    /// The provider.
    case live
    /// The provider, and what it says is kept.
    case record
  }

  let mode: Mode
  let client: ModelClient
  let normalization: RequestNormalization
  let workspace: String

  /// What one case asks.
  struct Answerer: Sendable {
    let model: any Model
    let source: CaseResult.Source
    /// Where the recording is made, and where it belongs.
    let recording: (made: String, kept: String)?
  }

  /// - Parameter directory: Of the case, where what is recorded stands until the case is over.
  /// - Throws: ``CassetteError`` when a recording is damaged, or cannot be made.
  func answerer(for evalCase: EvalCase, in directory: String) throws(CassetteError) -> Answerer {
    let path = workspace + "/" + evalCase.cassettePath
    switch mode {
    case .live: return Answerer(model: client, source: .model, recording: nil)
    case .record:
      let made = directory + "/recording.jsonl"
      let model = try RecordingModel(client, to: made, normalization: normalization)
      return Answerer(model: model, source: .model, recording: (made, path))
    case .offline:
      guard FileManager.default.fileExists(atPath: path) else {
        return Answerer(model: NobodyAnswers(client: client), source: .stub, recording: nil)
      }
      let model = PlaybackModel(try Cassette.load(path), of: client, normalization: normalization)
      return Answerer(model: model, source: .recording, recording: nil)
    }
  }
}

extension EvalAnswers.Answerer {
  /// Keeps what was recorded in place of what was there before; a case that asked no model has no recording.
  ///
  /// - Throws: ``CommandError`` when it cannot be written.
  func keepRecording() throws {
    guard let recording else { return }
    do {
      let bytes = try Data(contentsOf: URL(filePath: recording.made))
      if bytes.isEmpty {
        if FileManager.default.fileExists(atPath: recording.kept) {
          try FileManager.default.removeItem(atPath: recording.kept)
        }
        return
      }
      let file = URL(filePath: recording.kept)
      try FileManager.default.createDirectory(
        at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
      try bytes.write(to: file, options: .atomic)
    } catch {
      throw CommandError(
        message: "the recording \(recording.kept) cannot be written", hint: "check that the folder is yours")
    }
  }
}

/// Nothing is recorded, and no provider is asked: stubs answer.
private struct NobodyAnswers: Model {
  /// Asked for its prices, and for nothing else.
  let client: ModelClient

  func isConfigured(for models: [String]) -> Bool { false }
  func price(of models: [String]) -> TokenPrice? { client.price(of: models) }

  private var refusal: ModelError {
    ModelError(
      .cassette, "nothing is recorded for this case, and no model is asked offline; record it with --record")
  }

  func respond(
    to request: ModelRequest, within deadline: Duration, onText: TextListener?
  ) async throws -> ModelReply { throw refusal }

  func embed(_ request: EmbeddingRequest, within deadline: Duration) async throws -> EmbeddingReply {
    throw refusal
  }
}
