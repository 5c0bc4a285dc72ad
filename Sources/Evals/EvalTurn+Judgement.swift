// SPDX-License-Identifier: Apache-2.0
public import Core

/// What an expectation needs beside the answer: the Lua of its eval, and a model.
public protocol Examiner: Sendable {
  /// Whether a Lua pattern fits somewhere in a text.
  ///
  /// - Throws: ``Failure`` for a pattern that is none, or that takes too long; `CancellationError`.
  func matches(_ text: String, _ pattern: String) async throws -> Bool

  /// Calls the function at a path of the eval file.
  ///
  /// - Returns: `nil` when it is content, else what it says.
  /// - Throws: ``Failure`` with what it raised, or a limit; `CancellationError`.
  func complaint(of check: [String], about outcome: TurnOutcome) async throws -> String?

  /// Asks a model about an answer.
  ///
  /// - Returns: `nil` when there is no model to ask.
  /// - Throws: ``ModelError``, ``Failure``, `CancellationError`.
  func opinion(on question: String, about outcome: TurnOutcome, to message: String) async throws
    -> Judge.Opinion?
}

/// One expectation and what it has come to.
public struct Judgement: Sendable {
  /// `nil` = that the turn has an answer at all.
  public var expectation: Expectation?
  public var verdict: Verdict

  public init(expectation: Expectation? = nil, verdict: Verdict) {
    self.expectation = expectation
    self.verdict = verdict
  }
}

extension EvalTurn {
  /// Holds every expectation against what came of the turn.
  ///
  /// - Returns: Also what judges took.
  /// - Throws: `CancellationError`.
  public func judge(
    _ outcome: TurnOutcome, by examiner: any Examiner
  ) async throws -> (judgements: [Judgement], usage: Usage) {
    var usage = Usage()
    let expectsFailure = expectations.contains { if case .error = $0 { true } else { false } }
    if let failure = outcome.failure, !expectsFailure {
      let lines = failure.diagnostic?.split(separator: "\n").map(String.init) ?? []
      return (
        [
          Judgement(
            expectation: nil,
            verdict: .failed(
              Mismatch(expected: "an answer", got: "\(failure.message) [\(failure.code)]", differences: lines)
            ))
        ], usage
      )
    }
    var judgements: [Judgement] = []
    for expectation in expectations {
      let verdict: Verdict
      if let own = expectation.verdict(on: outcome) {
        verdict = own
      } else {
        verdict = try await examine(expectation, outcome, examiner, &usage)
      }
      judgements.append(Judgement(expectation: expectation, verdict: verdict))
    }
    return (judgements, usage)
  }

  private func examine(
    _ expectation: Expectation, _ outcome: TurnOutcome, _ examiner: any Examiner, _ usage: inout Usage
  ) async throws -> Verdict {
    do {
      switch expectation {
      case .matches(let pattern):
        let fits = try await examiner.matches(outcome.text, pattern)
        return fits ? .met : .failed(Mismatch(expected: "the pattern \(pattern)", got: outcome.text))
      case .check(let path):
        guard let complaint = try await examiner.complaint(of: path, about: outcome) else { return .met }
        return .failed(Mismatch(expected: "a check that is content", got: complaint))
      case .judge(let question):
        let opinion = try await examiner.opinion(on: question, about: outcome, to: message)
        guard let opinion else {
          return .skipped(
            "no model was asked '\(question)': record the case with --record, or ask with --live")
        }
        usage += opinion.usage
        return opinion.isMet
          ? .met : .failed(Mismatch(expected: "yes to '\(question)'", got: "no: \(opinion.reason)"))
      case .contains, .equals, .data, .toolCalled, .notCalled, .costMax, .error: return .met
      }
    } catch {
      try Task.checkCancellation()
      if error is CancellationError { throw error }
      let failure =
        (error as? ModelError).map { Failure(.upstream, $0.message, diagnostic: $0.diagnostic) }
        ?? Failure(error)
      return .failed(
        Mismatch(
          expected: expectation.aim, got: "\(failure.message) [\(failure.code)]",
          differences: failure.diagnostic?.split(separator: "\n").map(String.init) ?? []))
    }
  }
}

extension Expectation {
  /// What was wanted when asking for it has failed.
  fileprivate var aim: String {
    switch self {
    case .matches(let pattern): "the pattern \(pattern)"
    case .judge(let question): "yes to '\(question)'"
    default: "a check that is content"
    }
  }
}
