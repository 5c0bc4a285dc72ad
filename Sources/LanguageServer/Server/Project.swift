// SPDX-License-Identifier: Apache-2.0
import Lint

/// A workspace: what is on the disk, and above it what is open in the editor.
struct Project: Sendable {
  static let configurationFile = "perigee.yaml"

  let root: String
  let folder: any WorkspaceFolder
  private(set) var workspace: LintWorkspace
  private let isScript: @Sendable (String) -> Bool
  private var onDisk = FolderContents(sources: [:], configuration: nil, problems: [])
  private var settingsProblems: [Diagnostic] = []
  /// Texts of the editor, by path.
  private var open: [String: [UInt8]] = [:]
  /// Open files whose text was not read yet.
  private var edited: Set<String> = []
  private var known: [String: [Diagnostic]]?
  /// Whether its folder was looked at.
  private(set) var isRead = false

  init(_ root: String, _ folders: any WorkspaceFolders, api: HostAPI) {
    self.root = root
    folder = folders.open(root)
    isScript = { folders.isScript($0) }
    workspace = LintWorkspace(api: api)
  }

  var api: HostAPI { workspace.api }

  /// Reads what changed on the disk, the configuration included.
  mutating func read() async {
    isRead = true
    known = nil
    onDisk = await folder.read()
    await readSettings()
    await follow()
  }

  /// Takes the text of an open file; nil when it is not open any more.
  mutating func edit(_ path: String, _ bytes: [UInt8]?) {
    open[path] = bytes
    known = nil
    edited.insert(path)
  }

  /// Reads the texts that were edited since; nothing else.
  mutating func refresh() async {
    guard !edited.isEmpty else { return }
    let paths = edited
    edited = []
    if paths.contains(Self.configurationFile), await readSettings() { return await follow() }
    for path in paths where isScript(path) {
      if let bytes = open[path] ?? onDisk.sources[path] {
        if workspace.files[path]?.parsed.source.bytes != bytes { workspace.update(path: path, bytes: bytes) }
      } else {
        workspace.remove(path: path)
      }
    }
  }

  private mutating func follow() async {
    edited = []
    await workspace.follow(onDisk.sources.merging(open.filter { isScript($0.key) }) { $1 })
  }

  /// - Returns: Whether they are others than before: then every file means something else.
  @discardableResult
  private mutating func readSettings() async -> Bool {
    let text = open[Self.configurationFile].map { String(decoding: $0, as: UTF8.self) }
    let settings: LintSettings
    (settings, settingsProblems) = await folder.settings(text)
    guard settings != workspace.settings else { return false }
    workspace = LintWorkspace(api: api, settings: settings)
    return true
  }

  /// Everything that is wrong, by file; what is wrong with a script on the disk is not what is open.
  mutating func findings() -> [String: [Diagnostic]] {
    if let known { return known }
    let problems = onDisk.problems.filter { open[$0.file] == nil || !isScript($0.file) } + settingsProblems
    let findings = Dictionary(grouping: problems + workspace.findings(), by: \.file)
    known = findings
    return findings
  }

  /// Text of a file of the workspace; empty for one that is not there.
  func bytes(of path: String) -> [UInt8] {
    if let open = open[path] { return open }
    if path == Self.configurationFile { return onDisk.configuration ?? [] }
    return workspace.files[path]?.parsed.source.bytes ?? []
  }

  /// A file that is read; nil for one that is none of the scripts.
  func reading(_ path: String) -> LintedFile? {
    workspace.files[path]?.reading(api: api, settings: workspace.settings)
  }

  // MARK: What scripts name

  struct Tool: Sendable {
    let name: String
    let file: String
    let range: SourceRange
  }

  /// Tools of all files, also of those that do not parse right now.
  var tools: [Tool] {
    workspace.sortedFiles().filter { $0.kind == .tools }.flatMap { file in
      let tools =
        file.linted == nil
        ? FileSummary.tools(file.reading(api: api, settings: workspace.settings)).0 : file.tools
      return tools.map { Tool(name: $0.name, file: file.path, range: $0.range) }
    }
  }

  /// Files of agents, by name.
  var agents: [String: String] {
    var agents: [String: String] = [:]
    for file in workspace.files.values {
      if case .agent(let name) = file.kind { agents[name] = file.path }
    }
    return agents
  }

  /// Names of the modules of lib/, as `require` takes them.
  var modules: [String] {
    workspace.files.values.filter { $0.kind == .module }.map {
      String($0.path.dropLast(".lua".count)).replacing("/", with: ".")
    }.sorted()
  }

  /// Path of a module's file, whether it is there or not.
  static func path(ofModule name: String) -> String { name.replacing(".", with: "/") + ".lua" }

  /// References of all files, those that do not parse included.
  func references(to kind: Reference.Kind, _ name: String) -> [(file: FileSummary, reference: Reference)] {
    workspace.sortedFiles().flatMap { file in
      let all =
        file.linted == nil
        ? References.all(in: file.reading(api: api, settings: workspace.settings)) : file.references
      return all.filter { $0.kind == kind && $0.name == name }.map { (file, $0) }
    }
  }
}
