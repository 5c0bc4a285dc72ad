// SPDX-License-Identifier: Apache-2.0
import FoundationEssentials

/// A workspace to lint, and what of it is asked about.
struct LintTarget {
  /// Folder of the workspace; nil for files that belong to none.
  let root: String?
  /// Paths below the root, each with the name that the user gave it; empty = all of it.
  var selected: [(path: String, shown: String)] = []

  /// Groups the paths of a command line by the workspace that they stand in.
  ///
  /// - Parameter workspace: As given by `--workspace`; else each path's own is looked for above it.
  /// - Throws: ``CommandError`` for a path that is not there.
  static func targets(_ paths: [String], workspace: String?) throws -> [LintTarget] {
    guard !paths.isEmpty else {
      try check(workspace ?? ".", "folder")
      return [LintTarget(root: workspace ?? ".")]
    }
    var targets: [LintTarget] = []
    for path in paths {
      try check(path, "file or folder")
      let absolute = absolute(path)
      let root = workspace.map(Self.absolute) ?? Self.root(of: absolute)
      let isInside = root.map { absolute == $0 || absolute.hasPrefix($0 + "/") } ?? false
      let known = isInside ? root : nil
      let inner = known.map { absolute == $0 ? "" : String(absolute.dropFirst($0.count + 1)) } ?? absolute
      if let index = targets.firstIndex(where: { $0.root == known }) {
        targets[index].selected.append((inner, path))
      } else {
        targets.append(LintTarget(root: known, selected: [(inner, path)]))
      }
    }
    return targets
  }

  /// Name under which a file is shown; nil when nobody asked about it.
  func shown(_ file: String) -> String? {
    if selected.isEmpty { return file }
    for (path, shown) in selected {
      if path == file { return shown }
      let folder = path.isEmpty ? "" : path + "/"
      guard file.hasPrefix(folder) else { continue }
      let rest = file.dropFirst(folder.count)
      return shown == "." ? String(rest) : shown.hasSuffix("/") ? shown + rest : "\(shown)/\(rest)"
    }
    return nil
  }

  private static func check(_ path: String, _ noun: String) throws {
    guard FileManager.default.fileExists(atPath: path) else {
      throw CommandError(message: "there is no \(noun) '\(path)'", hint: "name one that is there")
    }
  }

  static func absolute(_ path: String) -> String {
    URL(filePath: path).resolvingSymlinksInPath().path.withoutSlash
  }

  /// The nearest folder above a path that looks like a workspace.
  static func root(of path: String) -> String? {
    var folder = path
    while !folder.isEmpty {
      if isWorkspace(folder) { return folder }
      folder = folder.lastIndex(of: "/").map { String(folder[..<$0]) } ?? ""
    }
    return nil
  }
}

extension LintTarget {
  static func isWorkspace(_ folder: String) -> Bool {
    ["perigee.yaml", "agents", "tools"].contains {
      FileManager.default.fileExists(atPath: "\(folder)/\($0)")
    }
  }
}

extension String {
  fileprivate var withoutSlash: String { count > 1 && hasSuffix("/") ? String(dropLast()) : self }
}
