// SPDX-License-Identifier: Apache-2.0
import Core
import Evals
import FoundationEssentials
import HostModules
import Logging
import Models
import Settings
import Storage
import Threads
import Transport
import Workspace

/// Runs cases, each in databases of its own that are gone afterwards.
struct EvalRunner: Sendable {
  /// The scripts that are tried.
  let bundle: ScriptBundle
  let suite: EvalSuite
  let answers: EvalAnswers
  let configuration: Configuration
  let environment: [String: String]
  let client: HTTPClient
  let logger: Logger
  /// A folder for this runner alone.
  let directory: String

  /// Runs cases beside each other, and tells of each as soon as all before it are told of.
  ///
  /// When the task is cancelled, what is under way is cut short and the rest is not begun; all is in the result.
  func run(_ cases: [EvalCase], jobs: Int, onResult: (CaseResult) -> Void) async throws -> EvalReport {
    let start = SystemTime().elapsed
    var results = [CaseResult?](repeating: nil, count: cases.count)
    try await withThrowingTaskGroup(of: (Int, CaseResult).self) { group in
      var next = 0
      func begin() {
        guard next < cases.count else { return }
        let index = next
        next += 1
        group.addTask { (index, try await run(cases[index], number: index)) }
      }
      for _ in 0..<max(1, jobs) { begin() }
      var told = 0
      while let (index, result) = try await group.next() {
        results[index] = result
        begin()
        while told < results.count, let ready = results[told] {
          onResult(ready)
          told += 1
        }
      }
    }
    return EvalReport(
      version: bundle.version, results: results.compactMap { $0 }, duration: SystemTime().elapsed - start)
  }

  /// - Throws: ``CassetteError`` or ``CommandError`` for recordings; ``Failure`` when a database fails.
  private func run(_ evalCase: EvalCase, number: Int) async throws -> CaseResult {
    let start = SystemTime().elapsed
    let folder = "\(directory)/\(number)"
    try FileManager.default.createDirectory(
      atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let answerer = try answers.answerer(for: evalCase, in: folder)
    var result = CaseResult(evalCase, source: answerer.source)
    if Task.isCancelled {
      result.isInterrupted = true
    } else if let fault = fault(of: evalCase, answerer) {
      result.fault = fault
    } else {
      do {
        try await play(evalCase, answerer, in: folder, &result)
      } catch {
        guard Task.isCancelled else { throw error }
        result.isInterrupted = true
      }
    }
    // A recording of a conversation that broke off would take the place of a good one.
    if !result.isInterrupted, result.fault == nil, !result.turns.contains(where: \.hasBrokenOff) {
      try answerer.keepRecording()
    }
    result.duration = SystemTime().elapsed - start
    return result
  }

  /// An agent that only a model can drive has nothing to say here.
  private func fault(of evalCase: EvalCase, _ answerer: EvalAnswers.Answerer) -> Mismatch? {
    guard answerer.source == .stub, let agent = bundle.agents[evalCase.agent], case .prompt = agent.body,
      !agent.hooks.contains(.stub)
    else { return nil }
    return Mismatch(
      expected: "a recording, \(evalCase.cassettePath), or a stub of the agent",
      got: "neither: record the case with perigee eval --record --filter '\(evalCase.name)'")
  }

  private func play(
    _ evalCase: EvalCase, _ answerer: EvalAnswers.Answerer, in folder: String, _ result: inout CaseResult
  ) async throws {
    let stage = try await EvalStage(evalCase, self, answerer, in: folder)
    do {
      try await play(evalCase, on: stage, &result)
    } catch {
      try await stage.close()
      throw error
    }
    try await stage.close()
  }

  private func play(_ evalCase: EvalCase, on stage: EvalStage, _ result: inout CaseResult) async throws {
    for turn in evalCase.turns {
      let outcome = try await stage.answer(turn)
      let judged = try await turn.judge(outcome, by: stage)
      var judgements = judged.judgements
      if result.source == .model, outcome.usingStub {
        // The provider failed: the stub's answer says nothing about the model's.
        judgements.append(
          Judgement(
            verdict: .failed(
              Mismatch(
                expected: "the model's answer",
                got: "the stub's: the model failed, or none is configured for it"))))
      }
      let played = TurnResult(turn, outcome, judgements, judgesUsage: judged.usage)
      result.turns.append(played)
      if played.hasBrokenOff { return }
    }
  }
}
