// SPDX-License-Identifier: Apache-2.0
import JSONCodec
import Lint

extension LanguageServer {
  typealias Feature = @Sendable (isolated LanguageServer, JSON) async throws -> JSON

  /// What can be asked, by method.
  static let features: [String: Feature] = [
    "textDocument/completion": { try await $0.completion($1) },
    "textDocument/hover": { try await $0.hover($1) },
    "textDocument/definition": { try await $0.definition($1) },
    "textDocument/references": { try await $0.references($1) },
    "textDocument/prepareRename": { try await $0.prepareRename($1) },
    "textDocument/rename": { try await $0.rename($1) },
    "textDocument/documentSymbol": { try await $0.documentSymbols($1) },
    "textDocument/codeAction": { try await $0.codeActions($1) },
  ]

  /// A document that is asked about, and a byte in it.
  private struct Question {
    let document: Document
    let offset: Int
    let project: Project?
    let file: LintedFile
  }

  /// - Returns: nil for what is no script.
  private func question(_ parameters: JSON) async throws -> Question? {
    guard let uri = parameters["textDocument"]?["uri"]?.string else {
      throw ResponseError(.invalidParams, "the request names no document")
    }
    guard let document = documents[uri] else {
      throw ResponseError(.invalidParams, "'\(uri)' is not open")
    }
    guard document.isLua else { return nil }
    var project: Project?
    if let root = document.root { project = await refreshed(root) }
    let offset = document.text.offset(of: TextPosition(parameters["position"]), in: client.encoding)
    let file = project?.reading(document.path) ?? read(document, document.text.bytes, in: project)
    return Question(document: document, offset: offset, project: project, file: file)
  }

  /// Reads a text as if it were a document's.
  private func read(
    _ document: Document, _ bytes: [UInt8], in project: Project?, namesAt place: Int? = nil
  ) -> LintedFile {
    let kind = project?.workspace.files[document.path]?.kind ?? .other
    return LintedFile(
      path: document.path, kind: kind, api: api, settings: project?.workspace.settings ?? LintSettings(),
      parsed: ParsedFile(parsing: SourceText(name: document.path, bytes: bytes)), namesAt: place)
  }

  // MARK: Completion and hover

  private func completion(_ parameters: JSON) async throws -> JSON {
    guard let question = try await question(parameters) else { return ["isIncomplete": false, "items": []] }
    let document = question.document
    let script = CursorScript(document.text, at: question.offset) {
      read(document, $0, in: question.project, namesAt: $1)
    }
    guard let script else { return ["isIncomplete": false, "items": []] }
    let range = json(script.replaced, document.text)
    let items = Completion(script, in: question.project).items.map { item -> JSON in
      var object = JSONObject([
        ("label", .string(item.label)), ("kind", .integer(item.kind.rawValue)),
        ("sortText", .string("\(item.group) \(item.label)")), ("filterText", .string(item.label)),
        ("textEdit", ["range": range, "newText": .string(item.text ?? item.label)]),
      ])
      if let detail = item.detail { object.append("detail", .string(detail)) }
      if let text = item.documentation {
        object.append("documentation", ["kind": "markdown", "value": .string(text)])
      }
      return .object(object)
    }
    return ["isIncomplete": false, "items": .array(items)]
  }

  private func hover(_ parameters: JSON) async throws -> JSON {
    guard let question = try await question(parameters) else { return .null }
    let findings = findings(question)
    guard let hover = Hover(at: question.offset, in: question.file, of: question.project, findings: findings)
    else { return .null }
    return [
      "contents": ["kind": "markdown", "value": .string(hover.text)],
      "range": json(hover.range.bytes, question.document.text),
    ]
  }

  private func findings(_ question: Question) -> [Diagnostic] {
    guard let project = question.project else { return looseFindings(question.document) }
    return findings(of: project.root)[question.document.path] ?? []
  }

  // MARK: Places

  private func definition(_ parameters: JSON) async throws -> JSON {
    guard let question = try await question(parameters) else { return .null }
    guard let (symbol, _) = Symbol.at(question.offset, in: question.file) else { return .null }
    let navigation = Navigation(file: question.file, project: question.project)
    return .array(navigation.definitions(of: symbol).map { location($0, question) })
  }

  private func references(_ parameters: JSON) async throws -> JSON {
    guard let question = try await question(parameters) else { return .null }
    guard let (symbol, _) = Symbol.at(question.offset, in: question.file) else { return .null }
    let navigation = Navigation(file: question.file, project: question.project)
    let isDeclared = parameters["context"]?["includeDeclaration"]?.bool ?? true
    return .array(
      navigation.references(to: symbol, includesDeclaration: isDeclared).map { location($0, question) })
  }

  private func location(_ target: Target, _ question: Question) -> JSON {
    let (uri, text) = place(target.file, question)
    return ["uri": .string(uri), "range": json(target.range.bytes, text)]
  }

  private func place(_ file: String?, _ question: Question) -> (uri: String, text: DocumentText) {
    guard let file, let project = question.project else {
      return (question.document.uri, question.document.text)
    }
    return document(file, in: project)
  }

  private func documentSymbols(_ parameters: JSON) async throws -> JSON {
    guard let question = try await question(parameters) else { return [] }
    let text = question.document.text
    func nested(_ entry: Outline.Entry) -> JSON {
      [
        "name": .string(entry.name), "kind": .integer(entry.kind.rawValue),
        "range": json(entry.range.bytes, text),
        "selectionRange": json(entry.nameRange.bytes, text), "children": .array(entry.children.map(nested)),
      ]
    }
    func flat(_ entry: Outline.Entry, in container: String?) -> [JSON] {
      var object = JSONObject([
        ("name", .string(entry.name)), ("kind", .integer(entry.kind.rawValue)),
        ("location", ["uri": .string(question.document.uri), "range": json(entry.range.bytes, text)]),
      ])
      if let container { object.append("containerName", .string(container)) }
      return [.object(object)] + entry.children.flatMap { flat($0, in: entry.name) }
    }
    let entries = Outline(question.file).entries
    return .array(client.nestsSymbols ? entries.map(nested) : entries.flatMap { flat($0, in: nil) })
  }

  // MARK: Changes

  private func prepareRename(_ parameters: JSON) async throws -> JSON {
    guard let question = try await question(parameters) else { return .null }
    let rename = try Rename(at: question.offset, in: question.file, of: question.project)
    return ["range": json(rename.range, question.document.text), "placeholder": .string(rename.name)]
  }

  private func rename(_ parameters: JSON) async throws -> JSON {
    // What is not open is changed as it is on the disk now.
    if let root = documents[parameters["textDocument"]?["uri"]?.string ?? ""]?.root { await readAgain(root) }
    guard let question = try await question(parameters) else { return .null }
    guard let new = parameters["newName"]?.string else {
      throw ResponseError(.invalidParams, "the request names no new name")
    }
    let rename = try Rename(at: question.offset, in: question.file, of: question.project)
    var changes: [String: [JSON]] = [:]
    for edit in try rename.edits(to: new) {
      let (uri, text) = place(edit.file, question)
      changes[uri, default: []].append(["range": json(edit.range, text), "newText": .string(edit.text)])
    }
    return workspaceEdit(changes)
  }

  private func workspaceEdit(_ changes: [String: [JSON]]) -> JSON {
    let sorted = changes.sorted { $0.key < $1.key }
    guard client.takesDocumentChanges else {
      return ["changes": .object(JSONObject(sorted.map { ($0.key, .array($0.value)) }))]
    }
    let edits = sorted.map { uri, edits -> JSON in
      let version = documents[uri]?.version.map { JSON.integer($0) } ?? .null
      return ["textDocument": ["uri": .string(uri), "version": version], "edits": .array(edits)]
    }
    return ["documentChanges": .array(edits)]
  }

  private func codeActions(_ parameters: JSON) async throws -> JSON {
    guard let question = try await question(parameters) else { return [] }
    let only = parameters["context"]?["only"]?.array?.compactMap(\.string)
    guard only?.contains(where: { $0 == "" || "quickfix".hasPrefix($0) }) ?? true else { return [] }
    let text = question.document.text
    let start = text.offset(of: TextPosition(parameters["range"]?["start"]), in: client.encoding)
    let end = text.offset(of: TextPosition(parameters["range"]?["end"]), in: client.encoding)
    let fixes = findings(question).filter { finding in
      let bytes = bytes(of: finding, in: text)
      return bytes.lowerBound <= end && start <= bytes.upperBound
    }.flatMap { QuickFix.all(for: $0, in: text.bytes) }
    return .array(
      fixes.map { fix in
        let edits = fix.edits.map { edit -> JSON in
          ["range": json(edit.range, text), "newText": .string(edit.text)]
        }
        return [
          "title": .string(fix.title), "kind": "quickfix", "diagnostics": [json(fix.finding, text)],
          "isPreferred": .bool(fix.isSafe), "edit": workspaceEdit([question.document.uri: edits]),
        ]
      })
  }
}

extension SourceRange {
  var bytes: Range<Int> { start.offset..<max(start.offset, end.offset) }
}
