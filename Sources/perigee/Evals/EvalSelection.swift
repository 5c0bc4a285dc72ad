// SPDX-License-Identifier: Apache-2.0
import Evals
import FoundationEssentials
import Workspace

/// Which eval files a command names: by their path, or by that of a folder they are in.
struct EvalSelection {
  private let workspace: String
  /// As they were written, and as paths in the workspace; empty = all.
  private let named: [(text: String, path: String)]

  /// - Parameter paths: From where the command is run, or else in the workspace.
  init(paths: [String], workspace: String) {
    let root = URL(filePath: workspace).resolvingSymlinksInPath().path
    self.workspace = workspace
    named = paths.map { text in
      let here = URL(filePath: text).resolvingSymlinksInPath().path
      let isHere = FileManager.default.fileExists(atPath: here) && here.hasPrefix(root + "/")
      let path = isHere ? String(here.dropFirst(root.count + 1)) : text
      return (text, path.hasSuffix("/") ? String(path.dropLast()) : path)
    }
  }

  func contains(_ file: String) -> Bool {
    named.isEmpty || named.contains { Self.covers($0.path, file) }
  }

  private static func covers(_ path: String, _ file: String) -> Bool {
    file == path || file.hasPrefix(path + "/")
  }

  /// The cases that are to be run.
  ///
  /// - Throws: ``CommandError`` when a path, or the filter, finds nothing.
  func cases(of suite: EvalSuite, filter: String?) throws -> [EvalCase] {
    if let missing = named.first(where: { name in !suite.files.contains { Self.covers(name.path, $0) } }) {
      throw CommandError(
        message: "there is no eval file '\(missing.text)' (\(workspace))",
        hint: "name a file of evals/, or a folder")
    }
    guard !suite.cases.isEmpty else {
      throw CommandError(
        message: "there are no eval cases (\(workspace)/evals)", hint: "begin with: perigee new eval NAME")
    }
    guard let filter else { return suite.cases }
    let cases = suite.cases.filter { $0.name.contains(filter) }
    if cases.isEmpty {
      throw CommandError(
        message: "no case has '\(filter)' in its name",
        hint: "the first of \(suite.cases.count) is '\(suite.cases[0].name)'")
    }
    return cases
  }
}
