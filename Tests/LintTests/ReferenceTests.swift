// SPDX-License-Identifier: Apache-2.0
import Core
import Testing
import Workspace

@testable import Lint

/// Names that lead to other files, wherever they are written.
@Suite struct ReferenceTests {
  private static let tools = [
    "tools/t.lua": "return { add = { description = 'd', run = function() end } }",
    "agents/a.lua": "return { prompt = 'p' }",
  ]

  private func references(_ path: String, _ text: String) -> [String] {
    let summary = FileSummary(
      path: path, kind: ScriptKind(path: path), bytes: Array(text.utf8), api: .perigee,
      settings: LintSettings())
    return summary.references.map { reference in
      "\(reference.kind) \(reference.name) \(reference.literal.map { summary.parsed.source[$0] } ?? "-")"
    }
  }

  @Test("the string that says a name is told, also where a local holds it")
  func literals() {
    #expect(
      references(
        "agents/b.lua", "local NAME = 'add'\nlocal LIST = { NAME, \"a\" .. \"b\" }\nreturn { tools = LIST }")
        == [
          "tool add 'add'", "tool ab -",
        ])
    #expect(
      references(
        "lib/l.lua", "local NAME = 'add'\ntools.call(NAME)\nlocal other = 'x'\nother = 'y'\ntools.call(other)"
      ) == [
        "tool add 'add'"
      ])
    #expect(
      references("lib/l.lua", "pcall(tools.call, ('add'))\nllm.stream{ tools = { [[b]] } }") == [
        "tool add 'add'", "tool b [[b]]",
      ])
  }

  @Test("every expectation of an eval is looked at, and agents count as tools there")
  func evals() {
    let turns = [
      "{ tool_called = 'ad' }", "{ { contains = 'x' }, { tool_called = 'ad' } }", "{ { not_called = 'ad' } }",
      "{ tool_called = { name = 'ad' } }",
    ]
    for expect in turns {
      let file = "return { { name = 'n', agent = 'a', turns = { { user = 'u', expect = \(expect) } } } }"
      let codes = lint(Self.tools.merging(["evals/e.lua": file]) { $1 }).filter { $0.file == "evals/e.lua" }
      #expect(codes.map(\.code.rawValue) == ["W207"], "\(expect)")
      #expect(codes.first?.hint == "did you mean 'add'?")
    }
    let agents =
      "return { { name = 'n', agent = 'a', turns = { { user = 'u', expect = { { tool_called = 'agent_a' }, { not_called = 'read_more' } } } } } }"
    #expect(
      lint(Self.tools.merging(["evals/e.lua": agents]) { $1 }).filter { $0.file == "evals/e.lua" } == [])
  }

  @Test("names in the lists that a function returns are told, those of functions within it are not")
  func computed() {
    let agent = """
      return { prompt = "p", tools = function(ctx)
        if ctx.user.name == "a" then return { "ad" } end
        local inner = function() return { "nothing" } end
        return ctx.user.id == "b" and { "add", inner() } or { "odd" }
      end }
      """
    #expect(references("agents/b.lua", agent) == ["tool ad \"ad\"", "tool add \"add\"", "tool odd \"odd\""])
  }

  @Test("a table that is its own part, or stands in many, is told in bounded time")
  func endless() {
    let circle = lint(["tools/t.lua": "local M = {}\nM.a = M\nM.b = { b = M }\nM.c = 1\nreturn M"])
    #expect(circle.contains { $0.line == 4 && $0.code == .wrongType })
    let shared = (1...40).map { "local t\($0) = { a = t\($0 - 1), b = t\($0 - 1) }" }.joined(separator: "\n")
    let many = lint([
      "agents/b.lua": "local t0 = {}\n\(shared)\nreturn { prompt = 'p', output = t40, history = 'x' }"
    ])
    #expect(many.map(\.code) == [.wrongType])
  }

  @Test("an alias has the members that stand on lines of their own: every rule of guardrails, by its name")
  func aliases() {
    let names = HostAPI.perigee.resolved(.named("perigee.Rule")).members.compactMap { member in
      if case .literal(let name) = member { name } else { nil }
    }
    #expect(names.sorted() == GuardRules.names.sorted())
  }
}
