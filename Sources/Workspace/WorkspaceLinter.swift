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

  private let folder: ScriptFolder
  private var workspace: LintWorkspace
  /// Files read from the disk so far.
  public var reads: Int { get async { await folder.reads } }

  public init(directory: String, settings: LintSettings = LintSettings()) {
    folder = ScriptFolder(directory)
    workspace = LintWorkspace(api: .perigee, settings: settings)
  }

  /// Looks at every script and eval of the folder; runs none.
  public func lint() async -> Report {
    let contents = await folder.read()
    var next = workspace
    await next.follow(contents.sources)
    workspace = next
    return Report(findings: (contents.problems + workspace.findings()).sorted(), sources: contents.sources)
  }
}
