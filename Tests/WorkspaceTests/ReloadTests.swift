// SPDX-License-Identifier: Apache-2.0
import Core
import Foundation
import JSONCodec
import Lint
import Testing

@testable import Workspace

@Suite("Reload", .timeLimit(.minutes(5)))
struct ReloadTests {
  private static func saying(_ text: String) -> String { "return { run = function() return '\(text)' end }" }

  @Test("a run ends on the version that it began with, whose cells go with its last run")
  func drains() async throws {
    try await LiveWorkspace.with(["agents/a.lua": Self.saying("one")]) { live in
      let workspace = try await live.open()
      // Three at once, so that there are empty cells too.
      let runs = [try await workspace.run("a"), try await workspace.run("a"), try await workspace.run("a")]
      for run in runs.dropFirst() { await run.close() }
      #expect(workspace.usage.runs == 1 && workspace.usage.cells == 3)
      live.folder.write("agents/a.lua", Self.saying("two"))
      #expect(try await workspace.reload())
      #expect(try await workspace.answer("a") == "two")
      // Its empty cells are gone already; one is the new version's.
      #expect(workspace.usage.runs == 1 && workspace.usage.cells == 2)
      #expect(try await runs[0].run().text == "one")
      await runs[0].close()
      #expect(workspace.usage.runs == 0 && workspace.usage.cells == 1)
    }
  }

  @Test("nothing is left of a version whose last run is over")
  func frees() async throws {
    try await LiveWorkspace.with(["agents/a.lua": Self.saying("one")]) { live in
      let workspace = try await live.open()
      weak let old = workspace.deployment.active as? LuaScriptHost
      #expect(try await workspace.answer("a") == "one")
      live.folder.write("agents/a.lua", Self.saying("two"))
      try await workspace.reload()
      #expect(old == nil)
    }
  }

  @Test("a bad edit changes nothing and is told with its place, until it is mended")
  func refuses() async throws {
    try await LiveWorkspace.with(["agents/a.lua": Self.saying("one")]) { live in
      let workspace = try await live.open()
      var changes = workspace.changes().makeAsyncIterator()
      let version = workspace.deployment.active.version
      live.folder.write("agents/a.lua", "return {\n  promt = 1,\n}")
      await #expect(throws: WorkspaceError.self) { try await workspace.reload() }
      await changes.next()
      #expect(workspace.deployment.active.version == version)
      #expect(
        workspace.problems.map(\.text) == [
          """
          agents/a.lua:2:3: error: an agent has no field 'promt' [W201]
                promt = 1,
                ^~~~~
              hint: did you mean 'prompt'?
          """
        ])
      #expect(try await workspace.answer("a") == "one")
      live.folder.write("agents/a.lua", Self.saying("two"))
      #expect(try await workspace.reload())
      await changes.next()
      #expect(workspace.problems.isEmpty)
      // The same version again: what is in force stays, with its cells.
      let active = workspace.deployment
      live.folder.write("agents/a.lua", "return nil")
      await #expect(throws: WorkspaceError.self) { try await workspace.reload() }
      live.folder.write("agents/a.lua", Self.saying("two"))
      #expect(try await workspace.reload() == false)
      #expect(workspace.problems.isEmpty && workspace.deployment === active)
    }
  }

  @Test("a file that cannot be read hides nothing of what is wrong with the others")
  func unreadable() async throws {
    let good = ["agents/a.lua": "return { prompt = 'p' }"]
    try await LiveWorkspace.with(good) { live in
      let workspace = try await live.open()
      live.folder.write("agents/b.lua", "return { promt = 'p' }")
      try Data([0x2D, 0x2D, 0xFF]).write(to: URL(filePath: live.folder.path + "/agents/c.lua"))
      for load in [{ _ = try await workspace.reload() }, { _ = try await live.open() }] {
        let error = await #expect(throws: WorkspaceError.self) { try await load() }
        #expect(Set(error?.diagnostics.map(\.file) ?? []) == ["agents/b.lua", "agents/c.lua"])
      }
    }
  }

  @Test("only what has changed is made anew, and what was made with it")
  func incremental() async throws {
    let files = [
      "agents/plain.lua": "return { prompt = 'p' }",
      "agents/rich.lua": "local m = require 'lib.money' return { description = m.sign, prompt = 'p' }",
      "agents/careful.lua":
        "local ok, m = pcall(require, 'lib.later') return { description = ok and m or 'none', prompt = 'p' }",
      "lib/money.lua": "return { sign = require('lib.sign') }", "lib/sign.lua": "return 'x'",
      "tools/t.lua": "return { t = { description = 'd', run = function() end } }",
    ]
    try await LiveWorkspace.with(files) { live in
      let workspace = try await live.open()
      func agents() -> [String: Agent] { workspace.deployment.active.agents }
      let first = agents()
      #expect(first["careful"]?.description == "none")
      live.folder.write("lib/sign.lua", "return 'y'")
      try await workspace.reload()
      #expect(agents()["rich"]?.description == "y")
      #expect(agents()["plain"] === first["plain"] && agents()["careful"] === first["careful"])
      live.folder.write("lib/later.lua", "return 'here'")
      try await workspace.reload()
      #expect(agents()["careful"]?.description == "here")
      live.folder.remove("lib/later.lua")
      try await workspace.reload()
      #expect(agents()["careful"]?.description == "none" && agents()["plain"] === first["plain"])
      // A name that leads nowhere now is found, although its file is as it was.
      live.folder.write("agents/plain.lua", "return { prompt = 'p', tools = { 't' } }")
      try await workspace.reload()
      live.folder.remove("tools/t.lua")
      let error = await #expect(throws: WorkspaceError.self) { try await workspace.reload() }
      #expect(error?.description.contains("agents/plain.lua:1:34: error: there is no tool 't'") == true)
    }
  }

  @Test("a file that is written twice within a tick of the clock of files is read twice")
  func stamps() async {
    let folder = TestFolder(["agents/a.lua": "000"])
    var files = await WorkspaceFiles.read(directory: folder.path, problems: WorkspaceProblems())
    for number in 100..<300 {
      // Of one size; what was read a moment ago looks the same.
      folder.write("agents/a.lua", "\(number)")
      files = await WorkspaceFiles.read(directory: folder.path, since: files, problems: WorkspaceProblems())
      #expect(files.sources == ["agents/a.lua": Array("\(number)".utf8)])
    }
  }

  @Test("loads that come together are done one after the other, and the last state of the folder wins")
  func together() async throws {
    try await LiveWorkspace.with(["agents/a.lua": Self.saying("0")]) { live in
      let workspace = try await live.open()
      try await withThrowingTaskGroup(of: Void.self) { group in
        for number in 1...20 {
          // In one step: a load that finds half a file says so.
          live.folder.write("agents/_next", Self.saying("\(number)"))
          live.folder.move("agents/_next", "agents/a.lua")
          group.addTask { try await workspace.reload() }
        }
        try await group.waitForAll()
      }
      #expect(try await workspace.answer("a") == "20")
    }
  }
}
