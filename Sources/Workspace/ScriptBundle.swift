// SPDX-License-Identifier: Apache-2.0
public import Core
import HostModules
import JSONCodec
public import Lint
import LuaHost

/// One version of a workspace's scripts: compiled, described, checked, and never changed again.
public struct ScriptBundle: Sendable {
  /// `sha256:` and the digest of all files by path.
  public let version: String
  public let agents: [String: Agent]
  public let tools: [String: Tool]
  let files: WorkspaceFiles
  /// What `files.read` reads, by path under `files/`.
  let texts: [String: [UInt8]]
  let programs: [String: Program]
  /// SQL by the tools file that states it.
  let schemas: [String: String]
  /// What is better mended, and keeps nothing from running.
  public let warnings: [Diagnostic]

  /// Name and version of the interpreter, `Lua 5.4.6`.
  public static var luaVersion: String { LuaRelease.name }

  /// Sources by path.
  public var sources: [String: [UInt8]] { files.sources }

  /// Loads a workspace folder, whole or not at all.
  ///
  /// - Parameter lint: With what the scripts are linted, so that one with an error is refused; nil = only what cannot be
  ///   loaded is.
  /// - Throws: ``WorkspaceError`` with every problem of every file.
  public static func load(
    directory: String, defaults: RunLimits = RunLimits(), lint: LintSettings? = nil
  ) async throws(WorkspaceError) -> ScriptBundle {
    let problems = WorkspaceProblems()
    let files = await WorkspaceFiles.read(directory: directory, problems: problems)
    return try await load(files, problems, defaults: defaults, lint: lint)
  }

  /// Loads scripts that were kept, by path.
  ///
  /// - Throws: As ``load(directory:defaults:lint:)``.
  public static func load(sources: [String: [UInt8]], defaults: RunLimits = RunLimits())
    async throws(WorkspaceError) -> ScriptBundle
  {
    try await load(WorkspaceFiles(sources: sources), WorkspaceProblems(), defaults: defaults, lint: nil)
  }

  private static func load(
    _ files: WorkspaceFiles, _ problems: WorkspaceProblems, defaults: RunLimits, lint: LintSettings?
  ) async throws(WorkspaceError) -> ScriptBundle {
    var loader = ScriptBundleLoader(
      files: files, problems: problems, defaults: defaults,
      linted: lint.map { LintWorkspace(api: .perigee, settings: $0) })
    return try await loader.load()
  }

  /// The version that a workspace folder is now; nothing is compiled.
  public static func version(ofDirectory directory: String) async -> String {
    await WorkspaceFiles.read(directory: directory, problems: WorkspaceProblems()).version
  }

  /// The scripts of a workspace folder as they are now, whether they load or not.
  public static func sources(
    ofDirectory directory: String
  ) async -> (version: String, sources: [String: [UInt8]]) {
    let files = await WorkspaceFiles.read(directory: directory, problems: WorkspaceProblems())
    return (files.version, files.sources)
  }

  static func makeCell(
    programs: [String: Program], memoryBytesMax: Int, runsMax: Int
  ) throws(ScriptError) -> Cell<ScriptScope?> {
    try Cell(
      functions: HostModule.functions, preludes: [prelude.get()], scripts: programs,
      limits: CellLimits(memoryBytesMax: memoryBytesMax, runsMax: runsMax), branching: .journal)
  }

  private static let prelude = Result { () throws(ScriptError) in
    try Program.compile(name: Prelude.name, source: Array(Prelude.source.utf8))
  }
}

/// Why a workspace was refused: every problem, in the order of its files.
public struct WorkspaceError: Error, Sendable, CustomStringConvertible {
  public let diagnostics: [Diagnostic]
  private let files: WorkspaceFiles

  init(diagnostics: [Diagnostic], files: WorkspaceFiles) {
    self.diagnostics = diagnostics
    self.files = files
  }

  /// Each problem with its source line, a caret and the way to mend it.
  public var description: String { problems.map(\.text).joined(separator: "\n") }

  /// The same for those who know nothing of Lua.
  public var problems: [ScriptProblem] {
    diagnostics.map { diagnostic in
      let source = SourceText(name: diagnostic.file, bytes: files.files[diagnostic.file]?.bytes ?? [])
      return ScriptProblem(
        file: diagnostic.file, line: diagnostic.line, column: diagnostic.column,
        severity: diagnostic.severity.rawValue, code: diagnostic.code.rawValue, message: diagnostic.message,
        hint: diagnostic.hint, text: diagnostic.rendered(from: source))
    }
  }
}
