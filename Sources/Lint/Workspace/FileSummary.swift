// SPDX-License-Identifier: Apache-2.0
import JSONCodec

/// A name that leads to another file.
public struct Reference: Sendable, Hashable {
  public enum Kind: Sendable, Hashable {
    case tool, agent, module
  }

  public enum Place: Sendable, Hashable {
    /// In an agent's `tools` or `agents`.
    case list
    /// In a list that a function returns: it may be made of more than its text tells.
    case computed
    /// An argument of a host call.
    case call
    /// In a workflow or an eval.
    case definition
  }

  public let kind: Kind
  public let name: String
  public let place: Place
  public let range: SourceRange
  /// The string that says the name; nil where it is put together of several.
  public let literal: SourceRange?
}

/// Everything that one file's text says: what it has to be read for again when it changes, and only then.
///
/// A reference: a workspace hands a thousand of them from rule to rule.
public final class FileSummary: Sendable {
  public let path: String
  public let kind: ScriptKind
  public let parsed: ParsedFile
  /// nil for a file with syntax errors: nothing else is said of it.
  package let linted: LintedFile?
  /// Of this file alone, comments that excuse them not yet applied.
  public let findings: [Diagnostic]
  let ignores: [Ignore]
  public let references: [Reference]
  /// Tools that a tools file makes, with their places.
  public let tools: [(name: String, range: SourceRange)]
  /// Whether other names than these may be made or used, as far as the text tells.
  public let isOpen: Bool

  /// Parses and checks a file; never runs it.
  ///
  /// - Parameter path: In the workspace, `agents/market/title.lua`; also its name in findings.
  public init(path: String, kind: ScriptKind, bytes: [UInt8], api: HostAPI, settings: LintSettings) {
    self.path = path
    self.kind = kind
    parsed = ParsedFile(parsing: SourceText(name: path, bytes: bytes))
    ignores = Ignore.all(in: parsed)
    guard parsed.diagnostics.isEmpty else {
      (linted, findings, references, tools, isOpen) = (nil, parsed.diagnostics, [], [], true)
      return
    }
    let file = LintedFile(path: path, kind: kind, api: api, settings: settings, parsed: parsed)
    var findings = Findings(file: path)
    for rule in RuleBook.file { rule.check(file, &findings) }
    linted = file
    self.findings = findings.list
    references = References.all(in: file)
    (tools, isOpen) = Self.tools(file)
  }

  /// What the text says, also where it does not parse: after its first syntax error that is a guess.
  package func reading(api: HostAPI, settings: LintSettings) -> LintedFile {
    linted ?? LintedFile(path: path, kind: kind, api: api, settings: settings, parsed: parsed)
  }

  /// Tools that a file makes, and whether it may make more.
  package static func tools(_ file: LintedFile) -> ([(name: String, range: SourceRange)], Bool) {
    switch file.kind {
    case .tools:
      guard let object = file.value?.object, let table = file.returned,
        !object.isEmpty || file.value?.isUnknown == false
      else { return ([], file.value?.isUnknown ?? true) }
      if file.value?.isUnknown == true { return ([], true) }
      let names = object.keys.filter { $0 != ToolDefinition.schemaKey && $0 != StaticValue.openKey }
      return (names.map { ($0, table.position(of: [$0]).range) }, object[StaticValue.openKey] != nil)
    case .agent:
      guard let object = file.value?.object, object[StaticValue.openKey] == nil else { return ([], true) }
      return ([], object["tools"].map { $0.hasUnknown || $0.isFunctionMark } ?? false)
    case .module, .evals, .other: return ([], false)
    }
  }
}
