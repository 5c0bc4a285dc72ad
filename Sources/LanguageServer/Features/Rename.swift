// SPDX-License-Identifier: Apache-2.0
import Core
import Lint

/// Gives a tool or a local another name, everywhere or not at all.
struct Rename {
  struct Edit: Sendable, Hashable {
    /// nil = the file that was asked about.
    let file: String?
    let range: Range<Int>
    let text: String
  }

  private let symbol: Symbol
  private let file: LintedFile
  private let project: Project?
  /// Bytes of the name at the place that was asked about, quotes left out.
  let range: Range<Int>
  let name: String

  /// - Throws: ``ResponseError`` for what cannot be renamed, with why.
  init(at offset: Int, in file: LintedFile, of project: Project?) throws(ResponseError) {
    guard let (symbol, range) = Symbol.at(offset, in: file) else {
      throw ResponseError(
        .requestFailed, "there is no name here that can be changed: tools and locals have one")
    }
    self.symbol = symbol
    self.file = file
    self.project = project
    switch symbol {
    case .tool(let name): self.name = name
    case .local(let index):
      guard file.model.variables[index].kind != .implicit else {
        throw ResponseError(.requestFailed, "'self' is what ':' declares, and has no other name")
      }
      name = file.model.variables[index].name.text
    case .agent(let name):
      let path = project?.agents[name] ?? "agents/\(name.replacing(".", with: "/")).lua"
      throw ResponseError(
        .requestFailed, "an agent's name is its file's: rename \(path), and what names it is shown as wrong")
    case .module(let name):
      throw ResponseError(
        .requestFailed, "a module's name is its file's: rename \(Project.path(ofModule: name))")
    case .host(let path): throw ResponseError(.requestFailed, "'\(path)' is the host's own name")
    case .field(let field, _):
      throw ResponseError(.requestFailed, "'\(field.name)' is a name of the contract")
    }
    self.range = Self.inner(range, of: file.source.bytes)
  }

  /// - Throws: ``ResponseError`` for a name that cannot be taken, with why.
  func edits(to new: String) throws(ResponseError) -> [Edit] {
    if new == name { return [] }
    switch symbol {
    case .local(let index): return try local(index, new)
    default: return try tool(new)
    }
  }

  // MARK: Tools

  private func tool(_ new: String) throws(ResponseError) -> [Edit] {
    guard let project else { return [] }
    guard ToolDefinition.isName(new), new != ToolDefinition.schemaKey else {
      throw ResponseError(
        .invalidParams,
        new == ToolDefinition.schemaKey
          ? "'schema' is what a tools file calls its SQL"
          : "'\(new)' is not a tool's name: 1 to 64 characters of a-z A-Z 0-9 _ -")
    }
    if let other = project.tools.first(where: { $0.name == new }) {
      throw ResponseError(.invalidParams, "there is a tool '\(new)' already, in \(other.file)")
    }
    if let agent = project.agents.first(where: { Agent.toolName(of: $0.key) == new }) {
      throw ResponseError(.invalidParams, "'\(new)' is the tool name of the agent '\(agent.key)'")
    }
    let definitions = project.tools.filter { $0.name == name }
    guard definitions.count == 1, let definition = definitions.first else {
      throw ResponseError(
        .requestFailed,
        definitions.isEmpty
          ? "there is no tool '\(name)'"
          : "the tool '\(name)' is in \(definitions.map(\.file).joined(separator: " and in ")): rename one of them by hand"
      )
    }
    try checkReadable(project)
    var edits = [try key(definition, new, project)]
    for (file, reference) in project.references(to: .tool, name) {
      guard let literal = reference.literal else {
        let start = reference.range.start
        throw ResponseError(
          .requestFailed,
          "\(file.path):\(start.line):\(start.column) puts the name together of several strings: write it as one"
        )
      }
      let range = Self.inner(literal, of: file.parsed.source.bytes)
      let edit = Edit(file: file.path, range: range, text: new)
      // A list that two agents share is one.
      if !edits.contains(edit) { edits.append(edit) }
    }
    return edits
  }

  /// In a file that does not parse, names may be overlooked.
  private func checkReadable(_ project: Project) throws(ResponseError) {
    let needle = Array(name.utf8)
    for file in project.workspace.sortedFiles() where file.linted == nil {
      guard file.parsed.source.bytes.firstRange(of: needle) != nil, let error = file.parsed.diagnostics.first
      else {
        continue
      }
      throw ResponseError(
        .requestFailed,
        "\(file.path):\(error.line):\(error.column) has a syntax error, and may name the tool: mend it first")
    }
  }

  private func key(
    _ tool: Project.Tool, _ new: String, _ project: Project
  ) throws(ResponseError) -> Edit {
    let bytes = project.workspace.files[tool.file]?.parsed.source.bytes ?? []
    let range = tool.range.start.offset..<tool.range.end.offset
    let inner = Self.inner(tool.range, of: bytes)
    if inner != range || Self.isName(new) { return Edit(file: tool.file, range: inner, text: new) }
    // Only a key in a table can be written in brackets.
    let before = bytes[..<range.lowerBound].last {
      !$0.isSpace && $0 != UInt8(ascii: "\n") && $0 != UInt8(ascii: "\r")
    }
    guard before != UInt8(ascii: "."), before != UInt8(ascii: ":") else {
      throw ResponseError(
        .invalidParams,
        "the tool is put into its table under a name, and '\(new)' is none: only letters, digits and _")
    }
    return Edit(file: tool.file, range: range, text: "[\"\(new)\"]")
  }

  // MARK: Locals

  private func local(_ index: Int, _ new: String) throws(ResponseError) -> [Edit] {
    guard Self.isName(new) else {
      throw ResponseError(
        .invalidParams, "'\(new)' is no name: letters, digits and _, and no word of the language")
    }
    guard name != "_ENV", new != "_ENV" else {
      throw ResponseError(.invalidParams, "'_ENV' is where Lua looks for globals: its name is what it does")
    }
    guard file.model.variables.count > index else { return [] }
    if let error = ParsedFile(parsing: file.source).diagnostics.first {
      throw ResponseError(
        .requestFailed,
        "\(error.line):\(error.column) is a syntax error, and names may be overlooked: mend it first")
    }
    let variable = file.model.variables[index]
    let ranges = ([variable.name.range] + variable.uses.map(\.range)).map { $0.start.offset..<$0.end.offset }
    var bytes = file.source.bytes
    for range in ranges.sorted(by: { $0.lowerBound > $1.lowerBound }) {
      bytes.replaceSubrange(range, with: new.utf8)
    }
    // Every name has to mean what it meant.
    let after = FileModel(ParsedFile(parsing: SourceText(name: file.path, bytes: bytes)))
    guard Self.meanings(after) == Self.meanings(file.model),
      after.globals.map(\.name) == file.model.globals.map(\.name)
    else {
      throw ResponseError(.invalidParams, "'\(new)' is taken: there it would mean something else than here")
    }
    return ranges.map { Edit(file: nil, range: $0, text: new) }
  }

  /// Variables that the names of a file mean, in the order of the file.
  private static func meanings(_ model: FileModel) -> [Int] {
    model.meanings.sorted { $0.key < $1.key }.map(\.value)
  }

  // MARK: Bytes

  /// Whether a text can be written as a name.
  private static func isName(_ text: String) -> Bool {
    guard let first = text.utf8.first, !first.isDigit, text.utf8.allSatisfy(\.isNamePart) else {
      return false
    }
    guard
      case .local(let locals, _)? = ParsedFile(
        parsing: SourceText(name: "", text: "local \(text)")
      ).cleanStatement
    else { return false }
    return locals.count == 1
  }

  /// Bytes of a string without its quotes; all of anything else.
  private static func inner(_ range: SourceRange, of bytes: [UInt8]) -> Range<Int> {
    let whole = range.start.offset..<min(range.end.offset, bytes.count)
    guard whole.count >= 2, let first = bytes[whole].first else { return whole }
    if first == UInt8(ascii: "\"") || first == UInt8(ascii: "'") {
      return whole.lowerBound + 1..<whole.upperBound - 1
    }
    guard first == UInt8(ascii: "[") else { return whole }
    let level = bytes[whole].dropFirst().prefix { $0 == UInt8(ascii: "=") }.count + 2
    return whole.count >= 2 * level ? whole.lowerBound + level..<whole.upperBound - level : whole
  }
}

extension ParsedFile {
  /// Its only statement, where nothing is wrong with it.
  fileprivate var cleanStatement: Statement.Kind? {
    diagnostics.isEmpty && chunk.block.statements.count == 1 ? chunk.block.statements[0].kind : nil
  }
}
