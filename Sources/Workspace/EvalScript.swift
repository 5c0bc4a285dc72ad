// SPDX-License-Identifier: Apache-2.0
public import Core
public import Evals
public import HostModules
import JSONCodec
import LuaHost

/// The Lua of one case: its checks, in a cell of their own, with the limits of a run each.
public struct EvalScript: Sendable {
  private let evalCase: EvalCase
  private let cell: Cell<ScriptScope?>
  private let budget: RunBudget
  private let scope: ScriptScope

  /// - Parameter resources: Of the case: its checks may read what its agent wrote.
  /// - Throws: ``Failure`` when there is not enough memory.
  public init(
    _ evalCase: EvalCase, of suite: EvalSuite, resources: ScriptResources,
    settings: LuaScriptHost.Settings
  ) throws(Failure) {
    self.evalCase = evalCase
    do {
      cell = try ScriptBundle.makeCell(
        programs: suite.programs, memoryBytesMax: settings.memoryBytesMax, runsMax: 1)
    } catch {
      throw Failure(.internal, error.message, diagnostic: error.report)
    }
    budget = RunBudget(cpu: settings.cpu)
    let agent = Agent(name: evalCase.agent, file: evalCase.place.file, body: .run)
    scope = ScriptScope(
      checkOf: RunContext(
        runID: "eval", agent: agent, user: evalCase.user, sessionID: "eval", state: .emptyObject,
        input: .emptyObject, history: []), resources: resources)
  }

  /// Whether a Lua pattern fits somewhere in a text.
  ///
  /// - Throws: ``Failure``, or `CancellationError`.
  public func matches(_ text: String, _ pattern: String) async throws -> Bool {
    try await call(.matches, [.string(text), .string(pattern)]) == true
  }

  /// Calls the function at a path of the eval file.
  ///
  /// - Returns: `nil` when it is content.
  /// - Throws: ``Failure`` with what it raised, or the limit that it went over; `CancellationError`.
  public func complaint(of check: [String], about outcome: TurnOutcome) async throws -> String? {
    var writer = JSONWriter(reservingCapacity: outcome.text.utf8.count + 256)
    writer.object { outcome.write(to: &$0) }
    let verdict = try await call(
      .check,
      [.string(evalCase.place.file), .array(check.map { .string($0) }), .json(writer.raw)])
    if verdict["ok"] == true { return nil }
    return verdict["why"]?.string ?? "the check returned false"
  }

  /// Each call has an environment and a budget of its own: no check knows of another.
  private func call(_ entry: ScriptEntry, _ arguments: [LuaValue]) async throws -> JSON {
    let run: RunHandle
    do {
      run = try await cell.open(budget: budget)
    } catch {
      throw Failure(.limit, error.message)
    }
    let result: Result<RawJSON, any Error>
    do {
      result = .success(try await cell.json(run, entry, arguments, scope: scope))
    } catch {
      result = .failure(error)
    }
    await cell.close(run)
    do {
      return try result.get().value()
    } catch let error as ScriptError {
      throw Failure(error, in: evalCase)
    }
  }
}

extension Failure {
  /// What a check raised; where it did, and how it got there, is its author's to read.
  fileprivate init(_ error: ScriptError, in evalCase: EvalCase) {
    switch error.kind {
    // How long it took is another number each time.
    case .timeLimit: self.init(.limit, "the check used more than its processor time (scripts.cpu_ms)")
    case .memoryLimit: self.init(.limit, "the check used more than its memory (scripts.memory_max)")
    default:
      let place = error.script.map { "\($0):\(error.line.map(String.init) ?? "?"): " } ?? ""
      let code = error.hostError.map { Failure.Code(rawValue: $0.code) } ?? .internal
      self.init(code, place + (error.hostError?.message ?? error.message))
    }
  }
}
