// SPDX-License-Identifier: Apache-2.0
public import Lint

/// The folder of a workspace, as the server reads it.
public protocol WorkspaceFolder: Sendable {
  func read() async -> FolderContents

  /// What its configuration says, and what is wrong with that.
  ///
  /// - Parameter text: What an editor has in place of the file; nil for the file itself.
  func settings(_ text: String?) async -> (settings: LintSettings, problems: [Diagnostic])

  /// Tells when something in it changed, until it is not listened to any more.
  func changes() -> AsyncStream<Void>
}

/// What is in the folder of a workspace.
public struct FolderContents: Sendable {
  /// Scripts by path in the workspace.
  public var sources: [String: [UInt8]]
  /// Text of perigee.yaml; nil where it is not there, or cannot be read.
  public var configuration: [UInt8]?
  /// What is wrong with files that cannot be read.
  public var problems: [Diagnostic]

  public init(sources: [String: [UInt8]], configuration: [UInt8]?, problems: [Diagnostic]) {
    self.sources = sources
    self.configuration = configuration
    self.problems = problems
  }
}

/// Where workspaces are.
public protocol WorkspaceFolders: Sendable {
  /// The only workspace there is, where one was named; else each file has the one it stands in.
  var only: String? { get }

  /// The workspace that a file belongs to, and the file's path in it; nil for a file of none.
  func locate(_ path: String) -> (root: String, path: String)?

  /// Whether a folder is a workspace.
  func isWorkspace(_ folder: String) -> Bool

  /// Whether a file of that path in a workspace is one of its scripts.
  func isScript(_ path: String) -> Bool

  func open(_ root: String) -> any WorkspaceFolder
}

/// Where a client is.
public protocol MessageStream: Sendable {
  /// What came in since; empty at the end.
  func read() async -> [UInt8]
  func write(_ bytes: [UInt8]) async
}
