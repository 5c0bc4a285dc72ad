// SPDX-License-Identifier: Apache-2.0
import Core
import FoundationEssentials

/// The scripts of a workspace folder, as bytes.
struct WorkspaceFiles: Sendable {
  enum Kind: String, CaseIterable {
    case agents, tools, lib
  }

  /// Bytes of one script.
  static let bytesMax = 1 << 20
  /// Scripts of a workspace.
  static let countMax = 10_000

  /// By path in the workspace, `agents/market/title.lua`.
  private(set) var sources: [String: [UInt8]] = [:]

  /// Reads every `.lua` file under `agents/`, `tools/` and `lib/` whose path has no part that starts with `_` or `.`.
  init(directory: String, problems: WorkspaceProblems) {
    let root = URL(filePath: directory).resolvingSymlinksInPath().path
    for kind in Kind.allCases { collect(kind.rawValue, root: root, problems: problems) }
  }

  init(sources: [String: [UInt8]]) { self.sources = sources }

  private mutating func collect(_ folder: String, root: String, problems: WorkspaceProblems) {
    guard let names = try? FileManager.default.contentsOfDirectory(atPath: "\(root)/\(folder)") else {
      return
    }
    for name in names.sorted() where !name.hasPrefix("_") && !name.hasPrefix(".") {
      let path = "\(folder)/\(name)"
      let file = "\(root)/\(path)"
      var isDirectory = false
      guard FileManager.default.fileExists(atPath: file, isDirectory: &isDirectory) else { continue }
      // A link may not lead out of the workspace.
      let real = URL(filePath: file).resolvingSymlinksInPath().path
      guard real.hasPrefix(root + "/") else {
        problems.add(file: path, .unreadable, "the link leads out of the workspace")
        continue
      }
      if isDirectory {
        // A folder that links to one above it would never end.
        if real == "\(root)/\(path)" { collect(path, root: root, problems: problems) }
      } else if name.hasSuffix(".lua") {
        read(path, file, problems)
      }
    }
  }

  private mutating func read(_ path: String, _ file: String, _ problems: WorkspaceProblems) {
    guard path.split(separator: "/").allSatisfy(WorkspaceFiles.isName) else {
      problems.add(
        file: path, .unreadable, "the name of a script is made of a-z, 0-9 and _, and starts with a letter",
        hint: "rename it, or start the name with _ if it should not be loaded")
      return
    }
    guard sources.count < WorkspaceFiles.countMax else {
      problems.add(file: path, .unreadable, "there are more than \(WorkspaceFiles.countMax) scripts")
      return
    }
    guard let data = FileManager.default.contents(atPath: file) else {
      problems.add(file: path, .unreadable, "the file cannot be read")
      return
    }
    guard data.count <= WorkspaceFiles.bytesMax else {
      problems.add(file: path, .unreadable, "the file is larger than \(WorkspaceFiles.bytesMax >> 20) MiB")
      return
    }
    guard String(validating: data, as: UTF8.self) != nil else {
      problems.add(file: path, .unreadable, "the file is not UTF-8")
      return
    }
    sources[path] = Array(data)
  }

  private static func isName(_ part: Substring) -> Bool {
    let stem = part.hasSuffix(".lua") ? part.dropLast(4) : part
    guard let first = stem.utf8.first, first >= UInt8(ascii: "a"), first <= UInt8(ascii: "z") else {
      return false
    }
    return stem.utf8.allSatisfy { byte in
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"):
        true
      default: false
      }
    }
  }

  func paths(_ kind: Kind) -> [String] { sources.keys.filter { $0.hasPrefix(kind.rawValue + "/") }.sorted() }

  /// `agents/market/title.lua` is the agent `market.title`.
  static func agentName(_ path: String) -> String {
    String(path.dropFirst("agents/".count).dropLast(".lua".count)).replacing("/", with: ".")
  }
}
