// SPDX-License-Identifier: Apache-2.0
import Lint

/// A stretch of a file of the workspace, or of the file itself that was asked about.
struct Target: Sendable, Hashable {
  /// nil = the file that was asked about.
  let file: String?
  let range: SourceRange
}

/// Where things are, and where they are named.
struct Navigation {
  let file: LintedFile
  let project: Project?

  func definitions(of symbol: Symbol) -> [Target] {
    let start = SourceRange(.start, .start)
    switch symbol {
    case .tool(let name):
      return project?.tools.filter { $0.name == name }.map { Target(file: $0.file, range: $0.range) } ?? []
    case .agent(let name):
      guard let path = project?.agents[name] else { return [] }
      let returned = project?.workspace.files[path].flatMap { ReturnedTable($0.parsed.chunk) }
      return [Target(file: path, range: returned?.position(of: []).range.beginning ?? start)]
    case .module(let name):
      let path = Project.path(ofModule: name)
      return project?.workspace.files[path] == nil ? [] : [Target(file: path, range: start)]
    case .local(let index): return [Target(file: nil, range: file.model.variables[index].name.range)]
    case .host, .field: return []
    }
  }

  /// - Parameter includesDeclaration: Whether the definitions are among them.
  func references(to symbol: Symbol, includesDeclaration: Bool) -> [Target] {
    let named: [Target]
    switch symbol {
    case .tool(let name): named = references(.tool, name)
    case .agent(let name): named = references(.agent, name)
    case .module(let name): named = references(.module, name)
    case .local(let index):
      named = file.model.variables[index].uses.map { Target(file: nil, range: $0.range) }
    case .host, .field: return []
    }
    return (includesDeclaration ? definitions(of: symbol) : []) + named
  }

  private func references(_ kind: Reference.Kind, _ name: String) -> [Target] {
    project?.references(to: kind, name).map {
      Target(file: $0.file.path, range: $0.reference.literal ?? $0.reference.range)
    } ?? []
  }
}

extension SourceRange {
  /// The place where it begins.
  fileprivate var beginning: SourceRange { SourceRange(start, start) }
}
