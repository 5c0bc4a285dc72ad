// SPDX-License-Identifier: Apache-2.0
import Lint
import Testing

@testable import LanguageServer

@Suite struct CompletionTests {
  @Test(
    "names that lead to other files stand where they are written",
    arguments: [
      ("agents/a.lua", "return { prompt = \"p\", tools = { \"|\" } }", ["add_note", "list_notes"]),
      (
        "agents/a.lua", "return { prompt = \"p\", tools = { \"add_note\", \"li|\" } }",
        ["add_note", "list_notes"]
      ),
      ("agents/a.lua", "local M = {}\nM.tools = { \"|\" }\nreturn M", ["add_note", "list_notes"]),
      ("agents/a.lua", "return { tools = function(ctx) return { \"|\" } end }", ["add_note", "list_notes"]),
      ("agents/a.lua", "return { agents = { \"|\" } }", ["a", "market.title", "notes"]),
      ("agents/a.lua", "return { run = function() tools.call(\"|\") end }", ["add_note", "list_notes"]),
      ("agents/a.lua", "return { run = function() tools.call(\"|", ["add_note", "list_notes"]),
      ("agents/a.lua", "return { run = function() pcall(tools.call, '|') end }", ["add_note", "list_notes"]),
      ("agents/a.lua", "return { run = function() agents.run(\"|\") end }", ["a", "market.title", "notes"]),
      (
        "agents/a.lua", "return { run = function() llm.chat{ tools = { \"|\" } } end }",
        ["add_note", "list_notes"]
      ),
      ("agents/a.lua", "local money = require \"|\"", ["lib.money"]),
      ("agents/a.lua", "local money = require(\"lib.|", ["lib.money"]),
      ("evals/e.lua", "return { { agent = \"|\" } }", ["market.title", "notes"]),
      (
        "evals/e.lua", "return { { turns = { { expect = { not_called = \"|\" } } } } }",
        ["add_note", "list_notes"]
      ),
      (
        "evals/e.lua", "return { { turns = { { expect = { { tool_called = \"|\" } } } } } }",
        ["add_note", "list_notes"]
      ),
      (
        "evals/e.lua", "return { { turns = { { expect = { tool_called = { name = \"|\" } } } } } }",
        ["add_note", "list_notes"]
      ),
      ("agents/a.lua", "return { busy = \"|\" }", ["queue", "reject", "interrupt"]),
      ("tools/t.lua", "return { t = { access = { db = \"|\" } } }", ["read", "write"]),
      ("agents/a.lua", "return { prompt = \"|\" }", []),
    ])
  func strings(path: String, text: String, expected: [String]) async {
    #expect(await labels(path, text) == expected)
  }

  @Test("a list that has no quotes yet gets names with theirs")
  func unquoted() async {
    let found = await labels("agents/a.lua", "return { tools = { | } }")
    #expect(found.prefix(2) == ["\"add_note\"", "\"list_notes\""])
  }

  @Test("fields of definitions are offered once, in their tables, at any depth")
  func fields() async {
    let agent = await completions("agents/a.lua", "return {\n  description = \"d\",\n  |\n}")
    #expect(agent.contains { $0.label == "prompt" && $0.text == "prompt = " })
    #expect(!agent.contains { $0.label == "description" })
    #expect(
      await labels("agents/a.lua", "return { prompt = \"p\", limits = { st|, seconds = 1 } }").contains(
        "steps"))
    #expect(
      await labels("agents/a.lua", "return { prompt = \"p\", limits = { st|, seconds = 1 } }").contains(
        "seconds")
        == false)
    #expect(await labels("tools/t.lua", "return { add = { descr|").contains("description"))
    #expect(await labels("tools/t.lua", "local M = {}\nM.add = { | }\nreturn M").contains("effect"))
    #expect(
      await labels("evals/e.lua", "return { { turns = { { user = \"u\", expect = { | } } } } }").contains(
        "contains"))
    #expect(
      await labels("evals/e.lua", "return { { turns = { { user = \"u\", expect = { { | } } } } } }").contains(
        "contains"))
    #expect(await labels("lib/l.lua", "return { | }").contains("prompt") == false)
  }

  @Test("a key that has its value is offered without another sign")
  func keyWithValue() async {
    let found = await completions("agents/a.lua", "return { descr| = \"d\" }")
    #expect(found.first { $0.label == "description" }?.text == nil)
    #expect(found.contains { $0.label == "description" })
  }

  @Test(
    "members of host modules and of values whose type is known",
    arguments: [
      ("agents/a.lua", "return { run = function(ctx) local x = http.|\nreturn x end }", "get"),
      ("agents/a.lua", "return { run = function(ctx) http.|", "post"),
      ("agents/a.lua", "return { prompt = function(ctx) return ctx.us|er end }", "session"),
      ("agents/a.lua", "return { prompt = function(ctx) return ctx.user.| end }", "name"),
      ("agents/a.lua", "return { prompt = function(ctx) if ctx.session.| end }", "state"),
      ("tools/t.lua", "return { t = { run = function(ctx, args) return ctx.| end } }", "call"),
      (
        "tools/t.lua",
        "return { t = { parameters = { at = \"string\" }, run = function(_, args) args.| end } }", "at"
      ),
      ("agents/a.lua", "return { after = function(ctx, reply) return reply.| end }", "tool_calls"),
      ("agents/a.lua", "return { run = function() local r = http.get(\"u\")\n r.|\nend }", "status"),
      ("agents/a.lua", "return { before = function(ctx, message) return message:| end }", "upper"),
      ("lib/l.lua", "return string.|", "format"),
      ("lib/l.lua", "while time.| do end", "now"),
      ("lib/l.lua", "for _, x in ipairs(json.|", "decode"),
    ])
  func members(path: String, text: String, expected: String) async {
    let found = await labels(path, text)
    #expect(found.contains(expected), "\(found)")
    #expect(!found.contains("while"))
  }

  @Test("options of host calls")
  func options() async {
    #expect(
      await labels("agents/a.lua", "return { run = function() http.get(\"u\", { | }) end }").contains(
        "headers"))
    #expect(
      await labels("agents/a.lua", "return { run = function() llm.chat{ me| } end }").contains("messages"))
    #expect(await labels("lib/l.lua", "return function() pcall(kv.set, 'k', 1, { | }) end").contains("ttl"))
  }

  @Test("names of the configuration")
  func configured() async {
    let settings = LintSettings(
      secrets: ["stripe"], environment: ["REGION"], pricedModels: ["small"], defaultModel: "large")
    func found(_ text: String) async -> [String] { await labels("agents/a.lua", text, settings: settings) }
    #expect(await found("return { model = \"|\" }") == ["large", "small"])
    #expect(await found("return { model = { \"|\" } }") == ["large", "small"])
    #expect(await found("return { run = function(ctx) return ctx.env.| end }") == ["REGION"])
    #expect(await found("return { run = function() return secrets.get(\"|\") end }") == ["stripe"])
  }

  @Test("locals in scope, globals and words of the language; never what is out of scope")
  func names() async {
    let found = await labels(
      "lib/l.lua",
      "local one = 1\ndo local two = 2 end\nlocal function f(three)\n  local four = |\nend\nlocal five")
    #expect(found.contains("one") && found.contains("three") && found.contains("f"))
    #expect(!found.contains("two") && !found.contains("four") && !found.contains("five"))
    #expect(found.contains("http") && found.contains("pairs") && found.contains("function"))
    #expect(!found.contains("io"))
  }

  @Test(
    "nothing is offered in comments, and where a new name is made",
    arguments: [
      "-- http.|", "--[[ http.| ]]", "local x|", "local function f|", "for i| = 1, 2 do end",
      "local function f(a|) end",
    ])
  func nothing(text: String) async {
    #expect(await labels("lib/l.lua", text) == [])
  }

  @Test("text elsewhere in the file may be broken")
  func broken() async {
    let text =
      "local x = = 1\nreturn { prompt = function(ctx) return ctx.| end, tools = { \"add_note\" , busy = 3 3 }"
    #expect(await labels("agents/a.lua", text).contains("user"))
    #expect(
      await labels("agents/a.lua", "if then\nreturn { run = function(ctx)\n local t = tools.call(\"|\")\n")
        .contains("add_note"))
  }

  @Test("what is replaced is the name, or what stands between the quotes")
  func replaced() async {
    func replaced(_ marked: String) -> String? {
      let marked = Marked(marked)
      let script = CursorScript(marked.text, at: marked.offset) { bytes, place in
        LintedFile(
          path: "lib/l.lua", kind: .module, api: .standard, settings: LintSettings(),
          parsed: ParsedFile(parsing: SourceText(name: "", bytes: bytes)), namesAt: place)
      }
      return script.map { marked.text[$0.replaced] }
    }
    #expect(replaced("local x = str|ing") == "string")
    #expect(replaced("local x = require(\"lib.mo|ney\")") == "lib.money")
    #expect(replaced("local x = require(\"lib.mo|") == "lib.mo")
    #expect(replaced("local x = require(\"|\")") == "")
    #expect(replaced("local x = f([[a|b]])") == "a")
  }
}
