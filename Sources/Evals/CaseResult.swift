// SPDX-License-Identifier: Apache-2.0
public import Core

/// What came of one case.
public struct CaseResult: Sendable {
  public enum Status: String, Sendable, CaseIterable {
    case ok, failed
    /// Nothing in it could be asked about.
    case skipped
    /// It was not run to its end.
    case interrupted
  }

  /// Who answers in place of the agent's model, or as it.
  public enum Source: String, Sendable {
    case stub, recording, model
  }

  public let evalCase: EvalCase
  public let source: Source
  /// As far as they were run.
  public var turns: [TurnResult]
  /// Why the case could not be run at all.
  public var fault: Mismatch?
  public var isInterrupted: Bool
  public var duration: Duration

  public init(
    _ evalCase: EvalCase, source: Source, turns: [TurnResult] = [], fault: Mismatch? = nil,
    isInterrupted: Bool = false, duration: Duration = .zero
  ) {
    self.evalCase = evalCase
    self.source = source
    self.turns = turns
    self.fault = fault
    self.isInterrupted = isInterrupted
    self.duration = duration
  }

  public var status: Status {
    let verdicts = turns.flatMap(\.judgements).map(\.verdict)
    if fault != nil || verdicts.contains(where: \.isFailed) { return .failed }
    if isInterrupted { return .interrupted }
    return !verdicts.isEmpty && verdicts.allSatisfy(\.isSkipped) ? .skipped : .ok
  }

  /// Who answered; `nil` = the agent's own code, without a model or a stub.
  public var answerer: Source? {
    source == .stub && !turns.contains { $0.outcome.usingStub } ? nil : source
  }

  /// What agents and judges took.
  public var usage: Usage { turns.reduce(into: Usage()) { $0 += $1.usage } }
}

/// What came of one turn of a case.
public struct TurnResult: Sendable {
  public let turn: EvalTurn
  public let outcome: TurnOutcome
  public let judgements: [Judgement]
  private let judgesUsage: Usage

  public init(_ turn: EvalTurn, _ outcome: TurnOutcome, _ judgements: [Judgement], judgesUsage: Usage) {
    self.turn = turn
    self.outcome = outcome
    self.judgements = judgements
    self.judgesUsage = judgesUsage
  }

  public var usage: Usage {
    var usage = outcome.usage
    usage += judgesUsage
    return usage
  }

  /// Whether the turn ended in a failure that nothing had asked for: what follows would make no sense.
  public var hasBrokenOff: Bool {
    judgements.contains { $0.expectation == nil && $0.verdict.isFailed }
  }
}

extension Verdict {
  var isFailed: Bool { if case .failed = self { true } else { false } }
  var isSkipped: Bool { if case .skipped = self { true } else { false } }
}

/// What came of all cases, in their order.
public struct EvalReport: Sendable {
  /// Of the scripts that were run.
  public let version: String
  public let results: [CaseResult]
  public let duration: Duration

  public init(version: String, results: [CaseResult], duration: Duration) {
    self.version = version
    self.results = results
    self.duration = duration
  }

  public func count(_ status: CaseResult.Status) -> Int { results.count { $0.status == status } }

  public var usage: Usage { results.reduce(into: Usage()) { $0 += $1.usage } }
}
