// SPDX-License-Identifier: Apache-2.0
import JSONCodec

extension LanguageServer {
  func initialize(_ parameters: JSON) -> JSON {
    client = ClientAbilities(parameters["capabilities"] ?? .null)
    let folders = parameters["workspaceFolders"]?.array?.compactMap { $0["uri"]?.string }
    let single = parameters["rootUri"]?.string ?? parameters["rootPath"]?.string.map(DocumentURI.uri)
    if let only = self.folders.only { addProject(only) }
    for uri in folders ?? single.map({ [$0] }) ?? [] { addFolder(uri) }
    return [
      "capabilities": [
        "positionEncoding": .string(client.encoding.rawValue),
        "textDocumentSync": ["openClose": true, "change": 2, "save": ["includeText": false]],
        "completionProvider": ["triggerCharacters": [".", ":", "\"", "'"], "resolveProvider": false],
        "hoverProvider": true,
        "definitionProvider": true,
        "referencesProvider": true,
        "documentSymbolProvider": true,
        "renameProvider": ["prepareProvider": true],
        "codeActionProvider": ["codeActionKinds": ["quickfix"]],
        "workspace": ["workspaceFolders": ["supported": true, "changeNotifications": true]],
      ],
      "serverInfo": ["name": "perigee", "version": .string(version)],
    ]
  }

  func initialized() async {
    if client.watchesFiles {
      let patterns = ["**/{agents,tools,lib,evals}/**/*.lua", "**/\(Project.configurationFile)"]
      await ask(
        "client/registerCapability",
        [
          "registrations": [
            [
              "id": "watch", "method": "workspace/didChangeWatchedFiles",
              "registerOptions": ["watchers": .array(patterns.map { ["globPattern": .string($0)] })],
            ]
          ]
        ])
    }
    for root in projects.keys.sorted() { await readAgain(root) }
  }

  // MARK: Workspaces

  /// Takes in a folder that the client has open, if it is a workspace; one below it is found with its first file.
  private func addFolder(_ uri: String) {
    guard let path = DocumentURI.path(uri), folders.isWorkspace(path) else { return }
    addProject(path)
  }

  func addProject(_ root: String) {
    guard projects[root] == nil else { return }
    projects[root] = Project(root, folders, api: api)
    adopt(root)
    // Before `initialized` the client may not be told anything; what it watches itself it tells.
    guard !client.watchesFiles, let folder = projects[root]?.folder else { return }
    let inbox = inbox
    watches[root] = Task {
      for await _ in folder.changes() { await inbox.put(.changed(root: root)) }
    }
  }

  /// Takes in files that stayed open while their workspace was not.
  private func adopt(_ root: String) {
    for (uri, document) in documents where document.root == nil {
      guard let place = DocumentURI.path(uri).flatMap(folders.locate), place.root == root else { continue }
      documents[uri]?.root = root
      documents[uri]?.path = place.path
      projects[root]?.edit(place.path, document.text.bytes)
    }
  }

  func didChangeFolders(_ parameters: JSON) async {
    let event = parameters["event"] ?? .null
    for folder in event["removed"]?.array ?? [] {
      guard let path = folder["uri"]?.string.flatMap(DocumentURI.path), projects[path] != nil else {
        continue
      }
      projects[path] = nil
      watches.removeValue(forKey: path)?.cancel()
      for (uri, document) in documents where document.root == path { documents[uri]?.root = nil }
    }
    for folder in event["added"]?.array ?? [] {
      guard let uri = folder["uri"]?.string else { continue }
      addFolder(uri)
      if let path = DocumentURI.path(uri), projects[path] != nil { await readAgain(path) }
    }
    schedulePublication()
  }

  /// Looks at the disk again.
  func readAgain(_ root: String) async {
    guard var project = projects[root] else { return }
    await project.read()
    projects[root] = project
    schedulePublication()
  }
}
