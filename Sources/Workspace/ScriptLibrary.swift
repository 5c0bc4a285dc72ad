// SPDX-License-Identifier: Apache-2.0
import Core
import HostModules
import Lint
import LuaHost

/// Makes hosts of a folder's scripts and of versions that were kept; what has not changed is made once.
///
/// Used by one load at a time.
actor ScriptLibrary {
  /// A folder as it was read.
  struct Folder: Sendable {
    let files: WorkspaceFiles
    /// What could not be read.
    let problems: WorkspaceProblems
    var version: String { files.version }
  }

  private let directory: String
  private let resources: ScriptResources
  private let settings: LuaScriptHost.Settings
  private let defaults: RunLimits
  private let store: any VersionStore
  private var files: WorkspaceFiles?
  private var scripts: [String: LoadedScript] = [:]
  /// Of the folder; `nil` = it is not linted.
  private var linted: LintWorkspace?

  init(
    directory: String, resources: ScriptResources, settings: LuaScriptHost.Settings, defaults: RunLimits,
    lint: LintSettings?, store: any VersionStore
  ) {
    self.directory = directory
    self.resources = resources
    self.settings = settings
    self.defaults = defaults
    self.store = store
    linted = lint.map { LintWorkspace(api: .perigee, settings: $0) }
  }

  /// Reads the folder; compiles nothing.
  func readFolder() async -> Folder {
    let problems = WorkspaceProblems()
    let files = await WorkspaceFiles.read(directory: directory, since: files, problems: problems)
    self.files = files
    return Folder(files: files, problems: problems)
  }

  /// Looks at the readable files of a folder that has others, so that everything is told at once.
  ///
  /// - Throws: ``WorkspaceError``, always.
  func refuse(_ folder: Folder) async throws {
    _ = try await load(folder.files, folder.problems, isFolder: true)
  }

  /// Loads the folder and keeps it as a version.
  ///
  /// - Throws: ``WorkspaceError``, or ``Failure`` when a `schema` is refused or the version cannot be kept.
  func host(of folder: Folder) async throws -> LuaScriptHost {
    let host = try await load(folder.files, folder.problems, isFolder: true)
    try await store.keepVersion(
      host.version,
      files: folder.files.files.map {
        ScriptFile(path: $0.key, digest: $0.value.digest, bytes: $0.value.bytes)
      },
      at: resources.time.now)
    return host
  }

  /// Loads a version from the sources that are kept of it; it was linted when it was new.
  ///
  /// - Throws: As ``host(of:)``.
  ///
  /// - Parameter migrates: As in ``LuaScriptHost/init(_:resources:settings:migrates:)``.
  func host(ofVersion version: String, migrates: Bool = true) async throws -> LuaScriptHost {
    try await load(
      WorkspaceFiles(sources: try await store.sources(ofVersion: version)), WorkspaceProblems(),
      expecting: version, migrates: migrates)
  }

  private func load(
    _ files: WorkspaceFiles, _ problems: WorkspaceProblems, expecting version: String? = nil,
    isFolder: Bool = false, migrates: Bool = true
  ) async throws -> LuaScriptHost {
    if let version, files.version != version {
      throw Failure(.notFound, "the sources of version \(version) are not kept")
    }
    var loader = ScriptBundleLoader(
      files: files, problems: problems, defaults: defaults, earlier: scripts, linted: isFolder ? linted : nil)
    defer {
      scripts = loader.scripts
      if isFolder { linted = loader.linted }
    }
    let bundle = try await loader.load()
    return try await LuaScriptHost(
      bundle, resources: resources, settings: settings, migrates: migrates)
  }
}
