// SPDX-License-Identifier: Apache-2.0
public import Lint

/// Lints a workspace folder, and again when it has changed: a file that is what it was is not read twice.
public actor WorkspaceLinter {
  /// What a look at the folder found.
  public struct Report: Sendable {
    /// By file and place.
    public let findings: [Diagnostic]
    /// By path in the workspace.
    public let sources: [String: [UInt8]]
  }

  private let directory: String
  private var files: WorkspaceFiles?
  private var workspace: LintWorkspace
  /// Files read from the disk so far.
  public private(set) var reads = 0

  public init(directory: String, settings: LintSettings = LintSettings()) {
    self.directory = directory
    workspace = LintWorkspace(api: .perigee, settings: settings)
  }

  /// Looks at every script and eval of the folder; runs none.
  public func lint() async -> Report {
    let problems = WorkspaceProblems()
    let files = await WorkspaceFiles.read(
      directory: directory, kinds: WorkspaceFiles.Kind.allCases, since: files, problems: problems)
    let known = self.files?.files ?? [:]
    self.files = files
    reads += files.reads
    for path in known.keys where files.files[path] == nil { workspace.remove(path: path) }
    var next = workspace
    await next.update(files.files.filter { known[$0.key]?.digest != $0.value.digest }.mapValues(\.bytes))
    workspace = next
    return Report(findings: (problems.diagnostics + workspace.findings()).sorted(), sources: files.sources)
  }
}
