// SPDX-License-Identifier: Apache-2.0
import LanguageServer
import Lint
import Workspace

/// The workspaces that an editor has files of.
struct EditorFolders: WorkspaceFolders {
  /// As an absolute path.
  let only: String?
  let environment: [String: String]

  func locate(_ path: String) -> (root: String, path: String)? {
    guard let root = only ?? LintTarget.root(of: path) else { return nil }
    // An editor may have come to the folder by a link.
    for path in [path, LintTarget.absolute(path)] where path.hasPrefix(root + "/") {
      return (root, String(path.dropFirst(root.count + 1)))
    }
    return nil
  }

  func isWorkspace(_ folder: String) -> Bool {
    (only == nil || only == folder) && LintTarget.isWorkspace(folder)
  }

  func isScript(_ path: String) -> Bool { ScriptFolder.isScript(path) }

  func open(_ root: String) -> any WorkspaceFolder { EditorFolder(root, environment) }
}

/// One of them.
private struct EditorFolder: WorkspaceFolder {
  private let root: String
  private let environment: [String: String]
  private let scripts: ScriptFolder

  private var configuration: String { "\(root)/\(FolderWatch.Scope.configurationFile)" }

  init(_ root: String, _ environment: [String: String]) {
    self.root = root
    self.environment = environment
    scripts = ScriptFolder(root)
  }

  func read() async -> FolderContents {
    let contents = await scripts.read()
    return FolderContents(
      sources: contents.sources,
      configuration: await scripts.contents(of: FolderWatch.Scope.configurationFile),
      problems: contents.problems)
  }

  func settings(_ text: String?) async -> (settings: LintSettings, problems: [Diagnostic]) {
    let (settings, problems) = LintSettings.read(configuration, text: text, environment: environment)
    return (settings, problems)
  }

  func changes() -> AsyncStream<Void> {
    AsyncStream(bufferingPolicy: .bufferingNewest(1)) { continuation in
      let watch = FolderWatch(root, scope: .workspace)
      let task = Task {
        do {
          for try await _ in watch { continuation.yield() }
        } catch {
          Console.note("\(root) cannot be watched (\(error)): it is read again when a file of it is saved")
        }
        continuation.finish()
      }
      continuation.onTermination = { _ in task.cancel() }
    }
  }
}
