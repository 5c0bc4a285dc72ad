// SPDX-License-Identifier: Apache-2.0
import Core
public import Evals
import HostModules
import Lint
import LuaHost

/// The eval files of a workspace: checked cases, and the code of their checks.
///
/// They are no part of a version of the scripts: the same cases may be run on another one.
public struct EvalSuite: Sendable {
  /// By file, then in the order in which they are written.
  public let cases: [EvalCase]
  /// Paths in the workspace.
  public let files: [String]
  let programs: [String: Program]

  /// Loads the eval files of a workspace folder, whole or not at all.
  ///
  /// - Parameters:
  ///   - bundle: Whose agents and tools the cases speak of, and whose `lib/` they may require.
  ///   - isWanted: Picks files by their path in the workspace, `evals/todo.lua`.
  /// - Throws: ``WorkspaceError`` with every problem of every file.
  public static func load(
    directory: String, bundle: ScriptBundle, where isWanted: (String) -> Bool = { _ in true }
  ) async throws(WorkspaceError) -> EvalSuite {
    let problems = WorkspaceProblems()
    let evals = await WorkspaceFiles.read(directory: directory, kinds: [.evals], problems: problems)
      .filter(isWanted)
    let lib = WorkspaceFiles(sources: bundle.sources).filter { $0.hasPrefix("lib/") }
    let files = evals.merging(lib)
    var loader = ScriptBundleLoader(
      files: files, problems: problems, defaults: RunLimits(), linted: nil)
    await loader.lint()
    loader.compile()
    let cases = await describe(evals.paths(.evals), loader, bundle)
    guard !problems.hasErrors else { throw WorkspaceError(diagnostics: problems.diagnostics, files: files) }
    return EvalSuite(cases: cases, files: evals.paths(.evals), programs: loader.programs)
  }

  private static func describe(
    _ paths: [String], _ loader: ScriptBundleLoader, _ bundle: ScriptBundle
  ) async -> [EvalCase] {
    let cell: Cell<ScriptScope?>
    do {
      cell = try ScriptBundle.makeCell(programs: loader.programs, memoryBytesMax: 256 << 20, runsMax: 1)
    } catch {
      loader.report(error, file: Prelude.name)
      return []
    }
    let names = EvalDefinition.Names(agents: Array(bundle.agents.keys), tools: Array(bundle.tools.keys))
    var cases: [EvalCase] = []
    for path in paths {
      guard loader.programs[path] != nil, let (value, _) = await loader.describe(path, in: cell) else {
        continue
      }
      cases += EvalDefinition(file: path, problems: loader.list(path), names: names).decode(value)
    }
    return cases
  }
}
