// SPDX-License-Identifier: Apache-2.0
import JSONCodec

/// A file that is open in the editor.
struct Document: Sendable {
  let uri: String
  /// Of its workspace; nil for a file of none.
  var root: String?
  /// In its workspace, or the name of a file of none.
  var path: String
  /// Of anything else nothing is known but its findings.
  let isLua: Bool
  var text: DocumentText
  var version: Int64?
}

extension LanguageServer {
  func didOpen(_ parameters: JSON) async {
    guard let item = parameters["textDocument"], let uri = item["uri"]?.string,
      let text = item["text"]?.string
    else { return note("didOpen names no document") }
    let path = DocumentURI.path(uri)
    let place = path.flatMap(folders.locate)
    let name = path?.split(separator: "/").last.map(String.init) ?? uri
    let document = Document(
      uri: uri, root: place?.root, path: place?.path ?? name,
      isLua: name.hasSuffix(".lua") || path == nil && item["languageId"] == "lua", text: DocumentText(text),
      version: item["version"]?.integer)
    documents[uri] = document
    if let root = place?.root {
      addProject(root)
      if projects[root]?.isRead == false { await readAgain(root) }
    }
    take(document)
  }

  /// Changes a text step by step; the last step counts.
  func didChange(_ parameters: JSON) {
    guard let uri = parameters["textDocument"]?["uri"]?.string, var document = documents[uri] else {
      return note("didChange names no open document")
    }
    for change in parameters["contentChanges"]?.array ?? [] {
      let text = change["text"]?.string ?? ""
      guard let range = change["range"], !range.isNull else {
        document.text = DocumentText(text)
        continue
      }
      let start = document.text.offset(of: TextPosition(range["start"]), in: client.encoding)
      let end = document.text.offset(of: TextPosition(range["end"]), in: client.encoding)
      document.text.replace(min(start, end)..<max(start, end), with: text)
    }
    document.version = parameters["textDocument"]?["version"]?.integer
    documents[uri] = document
    take(document)
  }

  /// Hands a document's text on to its workspace.
  private func take(_ document: Document) {
    if let root = document.root { projects[root]?.edit(document.path, document.text.bytes) }
    schedulePublication()
  }

  func didSave(_ parameters: JSON) async {
    guard let uri = parameters["textDocument"]?["uri"]?.string, let root = documents[uri]?.root else {
      return
    }
    await readAgain(root)
  }

  /// From now on what is on the disk counts.
  func didClose(_ parameters: JSON) async {
    guard let uri = parameters["textDocument"]?["uri"]?.string,
      let document = documents.removeValue(forKey: uri)
    else { return }
    guard let root = document.root else { return schedulePublication() }
    projects[root]?.edit(document.path, nil)
    await readAgain(root)
  }

  func didChangeWatchedFiles(_ parameters: JSON) async {
    var roots: Set<String> = []
    for change in parameters["changes"]?.array ?? [] {
      guard let path = change["uri"]?.string.flatMap(DocumentURI.path) else { continue }
      if let root = folders.locate(path)?.root { roots.insert(root) }
      // Its workspace may have gone with it.
      roots.formUnion(projects.keys.filter { path.hasPrefix($0 + "/") })
    }
    for root in roots.sorted() { await readAgain(root) }
  }
}

extension TextPosition {
  /// - Parameter json: A `Position`; what is missing or below 0 is 0.
  init(_ json: JSON?) {
    line = Int(clamping: max(0, json?["line"]?.integer ?? 0))
    character = Int(clamping: max(0, json?["character"]?.integer ?? 0))
  }

  var json: JSON { ["line": .integer(Int64(line)), "character": .integer(Int64(character))] }
}
