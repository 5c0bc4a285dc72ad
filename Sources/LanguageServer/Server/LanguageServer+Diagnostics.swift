// SPDX-License-Identifier: Apache-2.0
import JSONCodec
import Lint

/// What a client was told of a file.
struct Published: Sendable, Equatable {
  var version: Int64?
  var diagnostics: [JSON]
}

extension LanguageServer {
  /// Tells the findings a moment later, unless that is due already.
  func schedulePublication() {
    guard publishing == nil else { return }
    let inbox = inbox
    publishing = Task {
      guard (try? await Task.sleep(for: Self.publishDelay)) != nil else { return }
      await inbox.put(.publish)
    }
  }

  /// Tells what is wrong with each file, where it is not what was told before.
  func publish() async {
    var due: [String: Published] = [:]
    for root in projects.keys.sorted() {
      guard let project = await refreshed(root) else { continue }
      for (path, list) in findings(of: root) {
        let (uri, text) = document(path, in: project)
        due[uri] = Published(version: documents[uri]?.version, diagnostics: list.map { json($0, text) })
      }
    }
    for document in documents.values where due[document.uri] == nil {
      let list = document.root == nil ? looseFindings(document) : []
      due[document.uri] = Published(
        version: document.version, diagnostics: list.map { json($0, document.text) })
    }
    for uri in published.keys where due[uri] == nil { due[uri] = Published(diagnostics: []) }
    for (uri, told) in due.sorted(by: { $0.key < $1.key }) where published[uri] != told {
      var parameters: JSONObject = JSONObject([
        ("uri", .string(uri)), ("diagnostics", .array(told.diagnostics)),
      ])
      if let version = told.version { parameters.append("version", .integer(version)) }
      await notify("textDocument/publishDiagnostics", .object(parameters))
      published[uri] = told.diagnostics.isEmpty && documents[uri] == nil ? nil : told
    }
  }

  /// The workspace with every edit read.
  func refreshed(_ root: String) async -> Project? {
    guard var project = projects[root] else { return nil }
    await project.refresh()
    projects[root] = project
    return project
  }

  /// Everything that is wrong with a workspace, by file.
  func findings(of root: String) -> [String: [Diagnostic]] { projects[root]?.findings() ?? [:] }

  /// Findings of a Lua file that belongs to no workspace.
  func looseFindings(_ document: Document) -> [Diagnostic] {
    guard document.isLua else { return [] }
    var workspace = LintWorkspace(api: api)
    workspace.update(workspace.summary(path: document.path, bytes: document.text.bytes, as: .other))
    return workspace.findings()
  }

  /// URI and text of a file of a workspace, as the editor has them where it has them.
  func document(_ path: String, in project: Project) -> (uri: String, text: DocumentText) {
    if let open = documents.values.first(where: { $0.root == project.root && $0.path == path }) {
      return (open.uri, open.text)
    }
    return (DocumentURI.uri("\(project.root)/\(path)"), DocumentText(project.bytes(of: path)))
  }

  // MARK: One finding

  /// Names that are never used, and code that is never reached: editors show them faint.
  private static let faint: Set<String> = ["P111", "P112", "P113", "P131"]

  func json(_ finding: Diagnostic, _ text: DocumentText) -> JSON {
    var object = JSONObject([
      ("range", json(bytes(of: finding, in: text), text)),
      ("severity", .integer(finding.severity.number)), ("code", .string(finding.code.rawValue)),
      ("source", "perigee"),
      ("message", .string(finding.message + (finding.hint.map { "\n\($0)" } ?? ""))),
    ])
    if Self.faint.contains(finding.code.rawValue) { object.append("tags", [1]) }
    return .object(object)
  }

  /// Bytes that a finding stands on; what is known by its line alone is there, and a bare place is the word at it.
  func bytes(of finding: Diagnostic, in text: DocumentText) -> Range<Int> {
    let (start, end) = (finding.range.start, finding.range.end)
    let isPlace = start.offset == 0 && (start.line > 1 || start.column > 1)
    let first = min(
      isPlace ? text.offset(line: start.line, column: start.column) : start.offset, text.bytes.count)
    var last = isPlace ? first : max(first, min(end.offset, text.bytes.count))
    if first == last {
      while last < text.bytes.count, text.bytes[last] > UInt8(ascii: " ") { last += 1 }
    }
    return first..<last
  }

  func json(_ range: Range<Int>, _ text: DocumentText) -> JSON {
    [
      "start": text.position(of: range.lowerBound, in: client.encoding).json,
      "end": text.position(of: range.upperBound, in: client.encoding).json,
    ]
  }
}

extension Diagnostic.Severity {
  /// Source: LSP 3.17, DiagnosticSeverity.
  fileprivate var number: Int64 {
    switch self {
    case .error: 1
    case .warning: 2
    case .info: 3
    }
  }
}
