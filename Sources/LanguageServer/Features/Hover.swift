// SPDX-License-Identifier: Apache-2.0
import Lint

/// What is said of what stands at a place.
struct Hover {
  /// Markdown.
  let text: String
  let range: SourceRange

  /// - Parameters:
  ///   - findings: Of the file; what they mean is told where they are.
  init?(at offset: Int, in file: LintedFile, of project: Project?, findings: [Diagnostic]) {
    let found = findings.filter {
      $0.range.start.offset <= offset && offset <= $0.range.end.offset && $0.range.end.offset > 0
    }
    let notes = found.compactMap { Explanation.find($0.code.rawValue)?.note }
    let symbol = Symbol.at(offset, in: file)
    let page = symbol.flatMap { Self.page($0.symbol, file, project) }
    let parts = [page].compactMap { $0 } + notes
    guard !parts.isEmpty, let range = (page == nil ? nil : symbol?.range) ?? found.first?.range else {
      return nil
    }
    text = parts.joined(separator: "\n\n---\n\n")
    self.range = range
  }

  private static func page(_ symbol: Symbol, _ file: LintedFile, _ project: Project?) -> String? {
    switch symbol {
    case .tool(let name):
      guard let project, let tool = project.tools.first(where: { $0.name == name }) else { return nil }
      let page = ToolPage(tool, in: project)
      return "\(lua("(tool) " + page.signature))\n\n\(page.markdown)"
    case .agent(let name):
      guard let project, let path = project.agents[name] else { return nil }
      return [lua("(agent) \(name)"), project.description(ofAgent: path), "`\(path)`"].compactMap { $0 }
        .joined(separator: "\n\n")
    case .module(let name):
      let path = Project.path(ofModule: name)
      return project?.workspace.files[path] == nil ? nil : "\(lua("(module) \(name)"))\n\n`\(path)`"
    case .local(let index):
      let variable = file.model.variables[index]
      let type = index < file.typing.variables.count ? file.typing.variables[index] : nil
      if let declared = variable.declared {
        let body = file.model.functions[declared].body
        let parameters = body.parameters.map(\.text) + (body.isVararg ? ["..."] : [])
        return lua("local function \(variable.name.text)(\(parameters.joined(separator: ", ")))")
      }
      let noun = variable.kind == .parameter ? "(parameter) " : "local "
      return lua(noun + variable.name.text + (type.map { ": \($0.text)" } ?? ""))
    case .host(let path): return host(path, file.api)
    case .field(let field, let owner):
      let head = lua("(field) " + field.signature)
      let of = owner.text == "args" ? "" : " of `\(owner.present.text)`"
      return field.summary.isEmpty
        ? head : "\(head)\n\n\(field.summary.sentence)\(of.isEmpty ? "" : "\n\nA field\(of).")"
    }
  }

  private static func host(_ path: String, _ api: HostAPI) -> String? {
    if let function = api.functions[path] {
      return [lua(function.signature), function.markdown].compactMap { $0 }.joined(separator: "\n\n")
    }
    let parts = path.split(separator: ".").map(String.init)
    if parts.count == 2, let type = api.modules[parts[0]]?[parts[1]] {
      return [lua("\(path): \(type.text)"), api.summaries[path]].compactMap { $0 }.joined(separator: "\n\n")
    }
    guard let module = api.modules[path] else { return nil }
    let names = module.keys.sorted().map { "`\($0)`" }.joined(separator: ", ")
    return [lua("(module) \(path)"), api.summaries[path], names].compactMap { $0 }.joined(separator: "\n\n")
  }

  private static func lua(_ text: String) -> String { "```lua\n\(text)\n```" }
}

extension String {
  /// As a sentence of its own.
  fileprivate var sentence: String {
    prefix(1).uppercased() + dropFirst() + (hasSuffix(".") || hasSuffix("`") ? "" : ".")
  }
}
