// SPDX-License-Identifier: Apache-2.0
public import Core
import Crypto
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
  /// Sources by path.
  public let sources: [String: [UInt8]]
  let programs: [String: Program]
  /// SQL by the tools file that states it.
  let schemas: [String: String]

  /// Loads a workspace folder, whole or not at all.
  ///
  /// - Throws: ``WorkspaceError`` with every problem of every file.
  public static func load(directory: String, defaults: RunLimits = RunLimits()) async throws(WorkspaceError)
    -> ScriptBundle
  {
    let problems = WorkspaceProblems()
    let files = WorkspaceFiles(directory: directory, problems: problems)
    var loader = ScriptBundleLoader(files: files, problems: problems, defaults: defaults)
    guard let bundle = await loader.load() else {
      throw WorkspaceError(diagnostics: problems.diagnostics, files: files)
    }
    return bundle
  }

  static func version(of sources: [String: [UInt8]]) -> String {
    var hash = SHA256()
    for (path, bytes) in sources.sorted(by: { $0.key < $1.key }) {
      // Lengths keep two different trees from having one text.
      hash.update(data: Array("\(path.utf8.count):\(path)\(bytes.count):".utf8))
      hash.update(data: bytes)
    }
    return "sha256:" + hash.finalize().map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
  }

  static func makeCell(
    programs: [String: Program], memoryBytesMax: Int, runsMax: Int
  ) throws(ScriptError) -> Cell<ScriptScope?> {
    let prelude = try Program.compile(name: Prelude.name, source: Array(Prelude.source.utf8))
    return try Cell(
      functions: HostModule.functions, preludes: [prelude], scripts: programs,
      limits: CellLimits(memoryBytesMax: memoryBytesMax, runsMax: runsMax))
  }
}

/// Why a workspace was refused: every problem, in the order of its files.
public struct WorkspaceError: Error, Sendable, CustomStringConvertible {
  public let diagnostics: [Diagnostic]
  private let sources: [String: [UInt8]]

  init(diagnostics: [Diagnostic], files: WorkspaceFiles) {
    self.diagnostics = diagnostics
    sources = files.sources
  }

  /// Each problem with its source line, a caret and the way to mend it.
  public var description: String {
    diagnostics.map { diagnostic in
      diagnostic.rendered(from: SourceText(name: diagnostic.file, bytes: sources[diagnostic.file] ?? []))
    }.joined(separator: "\n")
  }
}
