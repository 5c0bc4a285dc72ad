// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

@testable import Lint
@testable import Workspace

@Suite struct WorkspaceLinterTests {
  private func folder(_ files: [String: String]) throws -> URL {
    let folder = FileManager.default.temporaryDirectory.appending(path: "perigee-" + UUID().uuidString)
    for (path, text) in files { try write(text, path, folder) }
    return folder
  }

  private func write(_ text: String, _ path: String, _ folder: URL) throws {
    let url = folder.appending(path: path)
    try FileManager.default.createDirectory(
      at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
    try Data(text.utf8).write(to: url)
  }

  @Test("a file that has not changed is not read again; what changed, came or went is seen")
  func cache() async throws {
    let folder = try folder([
      "agents/a.lua": "return { prompt = 'p', tools = { 'add' } }",
      "tools/t.lua": "return { add = { description = 'd', run = function() end } }",
      "evals/e.lua": "return {}",
    ])
    defer { try? FileManager.default.removeItem(at: folder) }
    let linter = WorkspaceLinter(directory: folder.path)
    #expect(await linter.lint().findings == [])
    var reads = await settled(linter)
    #expect(await linter.lint().findings == [])
    #expect(await linter.reads == reads)
    try write("return { sub = { description = 'd', run = function() end } }\n", "tools/t.lua", folder)
    #expect(await linter.lint().findings.map(\.code.rawValue) == ["W207", "W210"])
    #expect(await linter.reads == reads + 1)
    reads = await settled(linter)
    try FileManager.default.removeItem(at: folder.appending(path: "agents/a.lua"))
    try write("return { prompt = 'p', tools = { 'sub' } }", "agents/b.lua", folder)
    #expect(await linter.lint().findings == [])
    #expect(await linter.reads == reads + 1)
  }

  /// Looks until the files are old enough for a change to show: what was written a moment ago is read again.
  private func settled(_ linter: WorkspaceLinter) async -> Int {
    var reads = -1
    while await linter.reads != reads {
      reads = await linter.reads
      _ = await linter.lint()
    }
    return reads
  }

  @Test("many files are read beside each other, and told in order")
  func many() async throws {
    var workspace = LintWorkspace(api: .perigee)
    let sources = Dictionary(
      uniqueKeysWithValues: (0..<300).map { ("lib/m\($0).lua", Array("return x\($0)".utf8)) })
    await workspace.update(sources)
    let findings = workspace.findings()
    #expect(findings.count == 300)
    #expect(findings.map(\.file) == sources.keys.sorted())
  }
}
