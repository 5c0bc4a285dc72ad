// SPDX-License-Identifier: Apache-2.0
import JSONCodec

/// What the client can do, and how it counts.
struct ClientAbilities: Sendable {
  var encoding = PositionEncoding.utf16
  var watchesFiles = false
  /// Whether edits of several files may come as a list that names versions.
  var takesDocumentChanges = false
  var nestsSymbols = false

  init() {}

  /// - Parameter capabilities: Of `initialize`.
  init(_ capabilities: JSON) {
    let encodings = capabilities["general"]?["positionEncodings"]?.array ?? []
    if encodings.contains("utf-8") { encoding = .utf8 }
    let workspace = capabilities["workspace"]
    watchesFiles = workspace?["didChangeWatchedFiles"]?["dynamicRegistration"]?.bool ?? false
    takesDocumentChanges = workspace?["workspaceEdit"]?["documentChanges"]?.bool ?? false
    nestsSymbols =
      capabilities["textDocument"]?["documentSymbol"]?["hierarchicalDocumentSymbolSupport"]?.bool ?? false
  }
}
