// SPDX-License-Identifier: Apache-2.0
import FoundationEssentials
import Lint
import Workspace

/// One look at one target: what is wrong, under the names that the user gave.
struct LintRun {
  let target: LintTarget
  /// Under shown names.
  private(set) var findings: [Diagnostic] = []
  /// By shown name.
  private(set) var sources: [String: SourceText] = [:]
  /// Path on the disk, by shown name.
  private(set) var places: [String: String] = [:]

  init(_ target: LintTarget, environment: [String: String]) async throws {
    self.target = target
    guard let root = target.root else {
      try await lintLooseFiles()
      return
    }
    let yaml = "\(root)/perigee.yaml"
    let (settings, problems) = LintSettings.read(yaml, environment: environment)
    let report = await WorkspaceLinter(directory: root, settings: settings).lint()
    if let text = FileManager.default.contents(atPath: yaml) { add("perigee.yaml", Array(text)) }
    for (path, bytes) in report.sources { add(path, bytes) }
    findings = (problems + report.findings).compactMap { finding in
      target.shown(finding.file).map { finding.renamed($0) }
    }
  }

  private mutating func add(_ path: String, _ bytes: [UInt8]) {
    guard let shown = target.shown(path) else { return }
    sources[shown] = SourceText(name: shown, bytes: bytes)
    places[shown] = target.root.map { "\($0)/\(path)" } ?? path
  }

  /// Files of no workspace: each by itself.
  private mutating func lintLooseFiles() async throws {
    var workspace = LintWorkspace(api: .perigee)
    for (path, shown) in target.selected {
      for file in Self.scripts(path) {
        let name = file == path ? shown : "\(shown)\(file.dropFirst(path.count))"
        guard let data = FileManager.default.contents(atPath: file) else {
          throw CommandError(message: "\(name) cannot be read", hint: "check that it is yours")
        }
        sources[name] = SourceText(name: name, bytes: Array(data))
        places[name] = file
      }
    }
    await workspace.update(sources.mapValues(\.bytes), as: .other)
    findings = workspace.findings()
  }

  private static func scripts(_ path: String) -> [String] {
    guard let names = try? FileManager.default.contentsOfDirectory(atPath: path) else { return [path] }
    return names.sorted().filter { !$0.hasPrefix(".") }.flatMap { name -> [String] in
      let file = "\(path)/\(name)"
      var isDirectory = false
      _ = FileManager.default.fileExists(atPath: file, isDirectory: &isDirectory)
      return isDirectory ? scripts(file) : name.hasSuffix(".lua") ? [file] : []
    }
  }

  // MARK: Mending

  /// Writes what can be mended without a doubt, each file at once.
  ///
  /// - Returns: The findings that are mended; look again for the rest.
  func fix() throws -> [Diagnostic] {
    var mended: [Diagnostic] = []
    for (file, list) in Dictionary(grouping: findings, by: \.file).sorted(by: { $0.key < $1.key }) {
      guard let source = sources[file], let place = places[file] else { continue }
      let (bytes, done) = Fix.apply(list, to: source.bytes)
      guard !done.isEmpty else { continue }
      let mode = try? FileManager.default.attributesOfItem(atPath: place)[.posixPermissions]
      do {
        // Through links, so that the file itself is replaced.
        try Data(bytes).write(to: URL(filePath: place).resolvingSymlinksInPath(), options: .atomic)
      } catch {
        throw CommandError(message: "\(file) cannot be written", hint: "check that it is yours", status: .bad)
      }
      if let mode { try? FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: place) }
      mended += done
    }
    return mended
  }
}
