// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing
import Workspace

@testable import Lint

/// Lua that is right gives no finding, however tricky it is.
@Suite struct NoFalseAlarmTests {
  @Test("every script that ships is right", arguments: ["", "Benchmarks/workspace"])
  func shipped(folder: String) async {
    let report = await WorkspaceLinter(directory: repository.appending(path: folder).path).lint()
    #expect(report.sources.count >= 3)
    #expect(report.findings.map(\.description) == [])
  }

  @Test("tricky Lua that is right", arguments: RightLua.all)
  func tricky(text: String) { #expect(lint(["lib/example.lua": text]).map(\.description) == []) }

  @Test("every Lua block of the documentation that stands for itself is right")
  func documentation() throws {
    let pages = FileManager.default.enumerator(
      at: repository.appending(path: "docs"), includingPropertiesForKeys: nil)
    var count = 0
    var urls = [repository.appending(path: "README.md")]
    for case let url as URL in try #require(pages)
    where url.pathExtension == "md" && url.lastPathComponent != "lint.md" {
      urls.append(url)
    }
    for url in urls {
      let text = try String(contentsOf: url, encoding: .utf8)
      for block in text.matches(of: /(?s)```lua\n(.*?)```/).map({ String($0.1) }) {
        // What is left out for brevity is no Lua; stubs describe, and run nothing.
        if block.contains("(…)") || block.contains("= … ") || block.contains("---@class") { continue }
        count += 1
        #expect(findings(block).map(\.description) == [], "\(url.lastPathComponent): \(block)")
      }
    }
    #expect(count > 15)
  }

  /// Findings of a block: a whole file by what it returns, or a few lines in a function.
  private func findings(_ block: String) -> [Diagnostic] {
    let others = [
      "agents/market/title.lua": "return { prompt = 'p' }",
      "tools/other.lua":
        "return { list_todos = { description = 'd', run = function() end }, suggest_price = { description = 'd', run = function() end } }",
    ]
    let path: String
    var text = block
    if block.contains("perigee.Agent") || block.hasPrefix("return {\n  prompt") {
      path = "agents/example.lua"
    } else if block.contains("perigee.Tool>") {
      path = "tools/example.lua"
    } else {
      path = "tools/example.lua"
      let access =
        #"{ db = "write", kv = "write", files = "read", http = { "api.example.com" }, llm = true, queue = true }"#
      text =
        "return { example = { description = 'd', access = \(access), run = function(ctx, args)\n\(block)\nend } }"
    }
    // Names that a text around the block explains, and what it makes and does not use.
    let excused: Set = ["P101", "P111", "P157", "W207", "W210", "W215", "C102"]
    return lint(others.merging([path: text]) { $1 }).filter {
      $0.file == path && !excused.contains($0.code.rawValue)
    }
  }
}
