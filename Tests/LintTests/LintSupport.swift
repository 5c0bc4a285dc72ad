// SPDX-License-Identifier: Apache-2.0
import Foundation
import Workspace

@testable import Lint

/// Findings of a workspace that is given as text.
func lint(
  _ files: [String: String], settings: LintSettings = LintSettings()
) -> [Diagnostic] {
  var workspace = LintWorkspace(api: .perigee, settings: settings)
  for (path, text) in files { workspace.update(path: path, bytes: Array(text.utf8)) }
  return workspace.findings()
}

/// `line:column CODE` of every finding in one module of lib/.
func lint(_ text: String) -> [String] {
  lint(["lib/example.lua": text]).map { "\($0.line):\($0.column) \($0.code)" }
}

/// `file:line:column CODE` of every finding.
func places(_ files: [String: String]) -> [String] {
  lint(files).map { "\($0.file):\($0.line):\($0.column) \($0.code)" }
}

/// The folder of the repository.
let repository = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
  .deletingLastPathComponent()
