// SPDX-License-Identifier: Apache-2.0
import Core
import Foundation
import JSONCodec
import Lint
import Testing

@testable import Workspace

@Suite("ScriptBundle")
struct ScriptBundleTests {
  private func load(_ files: [String: String], lint: LintSettings? = nil) async throws -> ScriptBundle {
    let directory = FileManager.default.temporaryDirectory.path + "/perigee-" + UUID().uuidString
    for (path, text) in files {
      let url = URL(filePath: "\(directory)/\(path)")
      try FileManager.default.createDirectory(
        at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
      try Data(text.utf8).write(to: url)
    }
    defer { try? FileManager.default.removeItem(atPath: directory) }
    return try await ScriptBundle.load(directory: directory, lint: lint)
  }

  /// `file:line:column CODE message` of every problem.
  private func problems(_ files: [String: String], lint: LintSettings? = nil) async throws -> [String] {
    do {
      _ = try await load(files, lint: lint)
      return []
    } catch let error as WorkspaceError {
      return error.diagnostics.map { "\($0.file):\($0.line):\($0.column) \($0.code) \($0.message)" }
    }
  }

  @Test("files become agents and tools by the folder that they stand in")
  func loads() async throws {
    let bundle = try await load([
      "agents/todo.lua": """
      local money = require "lib.money"
      return { description = "d" .. money.sign, model = { "a", "b" }, prompt = function() return "" end, tools = { "add" },
        limits = { steps = 3, seconds = 1.5 }, history = 4, busy = "reject", allow = { roles = { "admin" } },
        stub = function() end }
      """,
      "agents/market/title.lua": "return { prompt = 'p' }", "agents/_draft.lua": "nonsense(",
      "lib/money.lua": "return { sign = '€' }",
      "tools/todos.lua": """
      return { add = { description = "Adds.", parameters = { title = "string" }, access = { db = "write",
        http = { "*.example.org:8443" } }, timeout = 2, retry = 1, effect = "read", run = function() end } }
      """,
    ])
    #expect(bundle.agents.keys.sorted() == ["market.title", "todo"])
    let agent = try #require(bundle.agents["todo"])
    #expect(agent.description == "d€")
    #expect(agent.models == ["a", "b"])
    #expect(agent.body == .prompt(.function))
    #expect(agent.tools == .names(["add"]))
    #expect(agent.limits.steps == 3 && agent.limits.seconds == 1.5)
    #expect(
      agent.busy == .reject && agent.roles == ["admin"] && agent.hooks == .stub && agent.historyMessages == 4)
    let tool = try #require(bundle.tools["add"])
    #expect(
      tool.access.database == .write && tool.access.requests.map(\.description) == ["*.example.org:8443"])
    #expect(tool.effect == .read && tool.retries == 1 && tool.timeoutSeconds == 2)
  }

  @Test("a schema that models refuse is found at load, where it stands, with the way to mend it")
  func refusesSchemasThatModelsRefuse() async throws {
    let opening = (1...9).map {
      "\(String(repeating: " ", count: $0))a = { type = 'object', properties = {\n"
    }
    let nested =
      opening.joined() + "b = { type = 'object', properties = { c = 'string' } }"
      + String(repeating: " } }", count: 9)
    let tools = "return { t = { description = 'd', parameters = {\n\(nested)\n}, run = function() end } }"
    let files = ["agents/a.lua": "return { prompt = 'p', output = {\n\(nested)\n} }", "tools/t.lua": tools]
    #expect(
      try await problems(files) == [
        "agents/a.lua:11:1 W206 more than 10 objects stand inside one another: models refuse the schema",
        "tools/t.lua:11:1 W206 more than 10 objects stand inside one another: models refuse the schema",
      ])
    let error = await #expect(throws: WorkspaceError.self) { try await load(files) }
    #expect(error?.description.contains("hint: take a level out") == true)
  }

  @Test("a schema that only some models refuse is a warning at its place, and keeps nothing from loading")
  func someModelsRefuse() async throws {
    func nested(_ depth: Int) -> String {
      depth == 0
        ? #"leaf = "string""# : "a = { type = \"object\", properties = {\n\(nested(depth - 1))\n} }"
    }
    let bundle = try await load([
      "agents/a.lua": "return { prompt = 'p', output = {\n\(nested(5))\n} }",
      "agents/b.lua": "return { prompt = 'p', output = {\n\(nested(4))\n} }",
    ])
    #expect(bundle.agents.count == 2)
    #expect(
      bundle.warnings.map { "\($0.file):\($0.line) \($0.severity) \($0.message)" } == [
        "agents/a.lua:6 warning more than 5 objects stand inside one another: some models refuse the schema"
      ])
  }

  @Test("all problems of all files come at once, each at its place")
  func reportsEverything() async throws {
    let found = try await problems([
      "agents/a.lua": """
      return {
        promt = function() end,
        prompt = 5,
        tools = {
          "ad",
        },
        limits = { steps = 0, second = 1 },
        steps = {},
      }
      """,
      "agents/b.lua": "return { prompt = 'x' ",
      "agents/c.lua": "local x = nil\n  return x.y",
      "agents/d.lua": "return 5",
      "agents/e.lua": "return { description = 'd' }",
      "tools/t.lua": """
      return {
        add = {
          description = "d", parameters = { n = "intger" }, run = function() end },
        ["bad name"] = {},
        none = { run = 1 },
        ask = { description = "d", approve = 7, run = function() end },
        job = { description = "d", approve = true, action = true, run = function() end },
      }
      """,
      "tools/u.lua":
        "return { x = { description = 'd', run = function() end, access = { db = 'all', htpp = {} } } }",
    ])
    #expect(
      found == [
        "agents/a.lua:2:3 W201 an agent has no field 'promt'",
        "agents/a.lua:7:14 W203 'steps' must be 1 to 1000, not 0",
        "agents/a.lua:7:25 W201 limits has no field 'second'",
        "agents/a.lua:8:3 W205 an agent has exactly one body, not prompt and steps",
        "agents/b.lua:1:23 P002 expected '}' to close '{' near end of file",
        "agents/c.lua:2:3 W102 attempt to index a nil value (local 'x')",
        "agents/d.lua:1:1 W202 an agent's file returns a table, not a number",
        "agents/e.lua:1:8 W204 an agent needs a body: 'prompt', 'run', 'steps' or 'states'",
        "tools/t.lua:3:39 W206 unknown type 'intger'; one of array, boolean, integer, null, number, object, string",
        "tools/t.lua:4:4 W203 'bad name' is not a tool's name: 1 to 64 characters of a-z A-Z 0-9 _ -",
        "tools/t.lua:5:3 W204 tool 'none' has no description",
        "tools/t.lua:5:12 W202 'run' must be a function, not a number",
        "tools/t.lua:6:30 W203 'approve' must be true, false or a function",
        "tools/t.lua:7:30 W203 a tool with action = true cannot have 'approve': a job has nobody to ask",
        "tools/u.lua:1:68 W203 'db' must be \"read\" or \"write\", not \"all\"",
        "tools/u.lua:1:80 W201 access has no field 'htpp'",
      ])
  }

  @Test("what lint calls an error is refused, once, beside what only running a file shows")
  func linted() async throws {
    let files = [
      "agents/a.lua":
        "local function greet() return nme end\nreturn { promt = '', prompt = greet, tools = { 'ad' } }",
      "agents/b.lua": "local x = nil\nreturn x.y", "agents/c.lua": "return { prompt = uuid() }",
      "agents/d.lua":
        "-- perigee: ignore P101 because it is meant so\nreturn { run = function() return later end }",
      "agents/e.lua": "local unused = 1\nreturn { prompt = 'a warning' }",
      "tools/t.lua":
        "return { add = { description = 'd', run = function() return db.query('select 1') end } }",
    ]
    #expect(
      try await problems(files, lint: LintSettings()) == [
        "agents/a.lua:1:31 P101 'nme' is not defined", "agents/a.lua:2:10 W201 an agent has no field 'promt'",
        "agents/a.lua:2:48 W207 there is no tool 'ad'",
        "agents/b.lua:2:1 W102 attempt to index a nil value (local 'x')",
        "agents/c.lua:1:19 P161 'uuid' is not available while a script loads",
        "tools/t.lua:1:61 W213 'db.query' is not allowed in the tool 'add'",
      ])
  }

  @Test("a module with an error is told once, not again by all that require it")
  func brokenModule() async throws {
    let files = [
      "agents/a.lua": "local m = require 'lib.m'\nreturn { prompt = m.text }",
      "lib/m.lua": "return { text = txt }",
    ]
    #expect(try await problems(files, lint: LintSettings()) == ["lib/m.lua:1:17 P101 'txt' is not defined"])
  }

  @Test("a misspelt body does not hide the other problems, nor is it called a missing one")
  func misspeltBody() async throws {
    let found = try await problems([
      "agents/a.lua": "return {\n  promt = '',\n  temperature = 9,\n  limits = { stps = 1 },\n}"
    ])
    #expect(
      found == [
        "agents/a.lua:2:3 W201 an agent has no field 'promt'",
        "agents/a.lua:3:3 W203 'temperature' must be 0 to 2, not 9",
        "agents/a.lua:4:14 W201 limits has no field 'stps'",
      ])
  }

  @Test("names that lead nowhere are found, with the nearest that would")
  func checksNames() async throws {
    let found = try await problems([
      "agents/a.lua": "return { prompt = '', tools = { 'ad' }, agents = { 'c' } }",
      "agents/b.lua": "return { prompt = '' }",
      "tools/t.lua": "return { add = { description = 'd', run = function() end } }",
      "tools/u.lua": "return { add = { description = 'd', run = function() end } }",
    ])
    #expect(
      found == [
        "agents/a.lua:1:33 W207 there is no tool 'ad'", "agents/a.lua:1:52 W207 there is no agent 'c'",
        "tools/u.lua:1:10 W208 the tool 'add' is already in tools/t.lua",
      ])
  }

  @Test("loading does no work: a host call at the top level is an error, and an endless file is stopped")
  func loadsWithoutEffects() async throws {
    let found = try await problems([
      "agents/a.lua": "local r = http.get('http://a.example')\nreturn { prompt = '' }",
      "agents/b.lua": "return { prompt = uuid() }",
      "agents/c.lua": "require('lib.x')\nreturn { prompt = '' }",
      "lib/x.lua": "local y = require('lib.y')\nreturn y", "lib/y.lua": "return require('lib.x')",
    ])
    #expect(
      found.contains { $0.hasPrefix("agents/a.lua:1:1 W102 http.get is not available while a script loads") })
    #expect(
      found.contains { $0.hasPrefix("agents/b.lua:1:1 W102 uuid is not available while a script loads") })
    #expect(found.contains { $0.contains("cycle") })
  }

  @Test("the version is that of the content, whatever the order")
  func versions() async throws {
    let files = ["agents/a.lua": "return { prompt = 'a' }", "lib/x.lua": "return 1"]
    let one = try await load(files).version
    #expect(one.hasPrefix("sha256:") && one.utf8.count == 71)
    #expect(try await load(files).version == one)
    #expect(try await load(files.merging(["lib/x.lua": "return 2"]) { $1 }).version != one)
  }

  @Test("what is under files/ belongs to the version, and is never taken for a script")
  func texts() async throws {
    let files = [
      "agents/a.lua": "return { prompt = 'a' }", "files/prices/eu.json": "{}", "files/no.lua": "not Lua (",
      "files/_notes.md": "x", "files/.git": "x",
    ]
    let bundle = try await load(files, lint: LintSettings())
    #expect(bundle.texts == ["prices/eu.json": Array("{}".utf8), "no.lua": Array("not Lua (".utf8)])
    #expect(Set(bundle.sources.keys) == ["agents/a.lua", "files/prices/eu.json", "files/no.lua"])
    let other = try await load(files.merging(["files/prices/eu.json": "{ }"]) { $1 })
    #expect(other.version != bundle.version)
    // The same when it is loaded from what was kept of it.
    #expect(try await ScriptBundle.load(sources: bundle.sources).texts == bundle.texts)
    #expect(
      try await problems([
        "files/na me.txt": "x", "files/large.txt": String(repeating: "x", count: (1 << 20) + 1),
        "tools/t.lua":
          "return { x = { description = 'd', access = { files = 'write' }, run = function() end } }",
      ]).map { $0.prefix { $0 != " " } } == ["files/large.txt:1:1", "files/na", "tools/t.lua:1:46"])
  }

  @Test("the files under files/ have a limit together")
  func manyTexts() async throws {
    let text = String(repeating: "x", count: 1 << 20)
    let files = (10..<42).map { ("files/\($0).txt", text) }
    #expect(try await problems(Dictionary(uniqueKeysWithValues: files)) == [])
    #expect(
      try await problems(Dictionary(uniqueKeysWithValues: files + [("files/43.txt", "x")]))
        == ["files/43.txt:1:1 W101 the files under files/ are larger than 32 MiB together"])
  }

  @Test("a link out of the workspace, a file that is not UTF-8 and a bad name are refused")
  func refusesFiles() async throws {
    let directory = FileManager.default.temporaryDirectory.path + "/perigee-" + UUID().uuidString
    try FileManager.default.createDirectory(atPath: directory + "/agents", withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: directory) }
    try FileManager.default.createSymbolicLink(
      atPath: directory + "/agents/out.lua", withDestinationPath: "/etc/passwd")
    try FileManager.default.createDirectory(atPath: directory + "/files", withIntermediateDirectories: true)
    try FileManager.default.createSymbolicLink(
      atPath: directory + "/files/passwd", withDestinationPath: "/etc/passwd")
    try Data([0x2D, 0x2D, 0xFF]).write(to: URL(filePath: directory + "/agents/bytes.lua"))
    try Data("return {}".utf8).write(to: URL(filePath: directory + "/agents/Bad-Name.lua"))
    let error = await #expect(throws: WorkspaceError.self) {
      try await ScriptBundle.load(directory: directory)
    }
    #expect(error?.diagnostics.map(\.code.rawValue) == ["W101", "W101", "W101", "W101"])
  }
}
