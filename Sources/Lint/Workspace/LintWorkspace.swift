// SPDX-License-Identifier: Apache-2.0

/// The scripts of a workspace, each read once, and what is wrong with them.
///
/// A value: whoever keeps one between changes (an editor, a watch) updates the files that changed and asks again.
public struct LintWorkspace: Sendable {
  public let api: HostAPI
  public let settings: LintSettings
  public private(set) var files: [String: FileSummary] = [:]

  public init(api: HostAPI, settings: LintSettings = LintSettings()) {
    self.api = api
    self.settings = settings
  }

  /// Reads one file.
  ///
  /// - Parameter kind: What it is, where its path does not say it.
  public func summary(path: String, bytes: [UInt8], as kind: ScriptKind? = nil) -> FileSummary {
    FileSummary(path: path, kind: kind ?? ScriptKind(path: path), bytes: bytes, api: api, settings: settings)
  }

  public mutating func update(_ summary: FileSummary) { files[summary.path] = summary }

  public mutating func update(path: String, bytes: [UInt8]) { update(summary(path: path, bytes: bytes)) }

  public mutating func remove(path: String) { files[path] = nil }

  /// Reads many files beside each other.
  public mutating func update(_ sources: [String: [UInt8]], as kind: ScriptKind? = nil) async {
    let list = sources.sorted { $0.key < $1.key }
    // Few pieces of work, none so long that the others wait for it.
    let size = max(1, min(32, list.count / 8))
    let summaries = await withTaskGroup(of: [FileSummary].self) { [self] group in
      for start in stride(from: 0, to: list.count, by: size) {
        let part = list[start..<min(start + size, list.count)]
        group.addTask { part.map { summary(path: $0.key, bytes: $0.value, as: kind) } }
      }
      return await group.reduce(into: []) { $0 += $1 }
    }
    for summary in summaries { update(summary) }
  }

  /// Makes these the files of the workspace; those that are what they were are not read again.
  public mutating func follow(_ sources: [String: [UInt8]]) async {
    for path in files.keys where sources[path] == nil { remove(path: path) }
    await update(sources.filter { files[$0.key]?.parsed.source.bytes != $0.value })
  }

  /// Everything that is wrong, by file and place; what comments excuse is left out.
  public func findings() -> [Diagnostic] {
    var all: [Diagnostic] = []
    for rule in RuleBook.workspace { rule.check(self, &all) }
    let across = Dictionary(grouping: all, by: \.file)
    return files.values.flatMap { file in
      IgnoreRule.apply(file.ignores, to: file.findings + (across[file.path] ?? []), of: file.parsed)
    }.sorted()
  }

  // MARK: What the rules across files ask

  package var agentNames: [String] {
    files.values.compactMap { if case .agent(let name) = $0.kind { name } else { nil } }.sorted()
  }

  /// Tools by name, in the order of their files.
  package var tools: [(name: String, file: String, range: SourceRange)] {
    files.values.sorted { $0.path < $1.path }.flatMap { file in
      file.tools.map { (name: $0.name, file: file.path, range: $0.range) }
    }
  }

  /// Whether every tool of the workspace is known by its name.
  var knowsAllTools: Bool { !files.values.contains { $0.kind == .tools && $0.isOpen } }

  package func sortedFiles() -> [FileSummary] { files.values.sorted { $0.path < $1.path } }
}

extension Sequence<Diagnostic> {
  /// By file and place.
  public func sorted() -> [Diagnostic] {
    sorted {
      ($0.file, $0.line, $0.column, $0.code.rawValue, $0.message)
        < ($1.file, $1.line, $1.column, $1.code.rawValue, $1.message)
    }
  }
}
