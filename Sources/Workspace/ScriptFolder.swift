// SPDX-License-Identifier: Apache-2.0
public import Lint

/// The scripts and evals of a workspace folder, read again when they have changed: a file that is what it was is
/// not read twice.
public actor ScriptFolder {
  public struct Contents: Sendable {
    /// By path in the workspace; what did not change shares the storage of the look before.
    public let sources: [String: [UInt8]]
    /// Of files that cannot be read.
    public let problems: [Diagnostic]
  }

  private let directory: String
  private var files: WorkspaceFiles?
  /// Files read from the disk so far.
  public private(set) var reads = 0

  public init(_ directory: String) { self.directory = directory }

  /// Looks at the folder.
  public func read() async -> Contents {
    let problems = WorkspaceProblems()
    let files = await WorkspaceFiles.read(
      directory: directory, kinds: WorkspaceFiles.Kind.lua, since: files, problems: problems)
    self.files = files
    reads += files.reads
    return Contents(sources: files.sources, problems: problems.diagnostics)
  }

  /// Bytes of another file of the folder; nil for what is not there, is no file, or is larger than a script may be.
  public func contents(of path: String) async -> [UInt8]? {
    await WorkspaceFiles.contents("\(directory)/\(path)")
  }

  /// Whether a file of that path, `agents/market/title.lua`, would be one of the scripts.
  public static func isScript(_ path: String) -> Bool {
    let parts = path.split(separator: "/", omittingEmptySubsequences: false)
    return parts.count > 1 && path.hasSuffix(".lua") && parts.allSatisfy(WorkspaceFiles.isName)
      && WorkspaceFiles.Kind.lua.contains { $0.rawValue == parts[0] }
  }
}
