// SPDX-License-Identifier: Apache-2.0
import Core
import JSONCodec
import TestSupport
import Testing
import Workspace

/// `ctx`, whose parts are made when a function first looks at them.
@Suite("ctx")
struct ContextTests {
  @Test(
    "whoever looks at all of it finds every part, also as the first look",
    arguments: [
      "local names = {} for name in pairs(ctx) do names[#names + 1] = name end",
      "local names = {} for name in next, ctx do names[#names + 1] = name end",
      """
      local names = {}
      for _, name in ipairs{ "call", "env", "input", "run", "session", "user" } do
        if rawget(ctx, name) ~= nil then names[#names + 1] = name end
      end
      """,
    ])
  func all(_ lua: String) async throws {
    let parts = "table.sort(names) return table.concat(names, ' ')"
    let inRun = try await TestWorkspace.answer("\(lua) \(parts)")
    #expect(inRun == "env input run session user")
    let inTool = try await TestWorkspace.answer(
      "return tools.call('parts')",
      tools: "return { parts = { description = 'd', run = function(ctx) \(lua) \(parts) end } }",
      lists: "'parts'")
    #expect(inTool == "call env input run session user")
  }

  @Test("a part is the same table wherever it is looked at first, and each call of a tool has its own")
  func same() async throws {
    let lua = """
      local branches = {}
      for i = 1, 4 do branches[i] = function() return { ctx.user, ctx.session } end end
      local seen = {}
      for i, parts in ipairs(parallel(branches)) do
        seen[i] = tostring(parts[1] == ctx.user and parts[2] == ctx.session)
      end
      local keys = {}
      for i = 1, 2 do keys[i] = tools.call("key") end
      seen[5] = tostring(keys[1] ~= keys[2] and #keys[1] > 0)
      return table.concat(seen, " ") .. " " .. tostring(ctx.call) .. " " .. tostring(ctx.nothing)
      """
    let said = try await TestWorkspace.answer(
      lua, tools: "return { key = { description = 'd', run = function(ctx) return ctx.call.key end } }",
      lists: "'key'")
    #expect(said == "true true true true true nil nil")
  }

  @Test(
    "a message that before changes is the input, whether it was looked at or not",
    arguments: ["", "local _ = ctx.input.message"])
  func changedInput(look: String) async throws {
    let files = [
      "agents/a.lua": """
      return {
        before = function(ctx, message) \(look) return message:upper() end,
        run = function(ctx, input) return ctx.input.message .. " " .. input.message end,
      }
      """
    ]
    try await TestWorkspace.with(files) { (workspace: TestWorkspace) async throws -> Void in
      #expect(try await workspace.chat("a", "hi").text == "HI HI")
    }
  }

  @Test(
    "a turn whose tool used up its time is over, whatever its functions looked at",
    arguments: ["", "local _ = ctx.session.state"])
  func burnt(look: String) async throws {
    let provider = try ScriptedProvider(
      .toolCalls([("c", "burn", "{}")]), .completion("as if nothing had been"))
    let files = [
      "agents/a.lua": "return { prompt = 'p', tools = { 'burn' } }",
      "tools/t.lua": """
      return { burn = { description = "d", run = function(ctx) \(look) while true do end end } }
      """,
    ]
    let settings = LuaScriptHost.Settings(cpu: .milliseconds(200))
    try await TestWorkspace.with(files, provider: provider.baseURL, settings: settings) {
      (workspace: TestWorkspace) async throws -> Void in
      let failure = await #expect(throws: Failure.self) { try await workspace.chat("a") }
      #expect(failure?.code == .limit)
    }
  }

  @Test(
    "it is read-only, whether it has been looked at or not",
    arguments: ["", "for _ in pairs(ctx) do end"])
  func readOnly(_ first: String) async throws {
    let lua = """
      \(first)
      local words = {}
      for _, change in ipairs{
        function() ctx.user = 1 end, function() rawset(ctx, "user", 1) end, function() ctx.new = 1 end,
        function() setmetatable(ctx, nil) end, function() select(2, pairs(ctx)).user = 1 end,
        function() select(2, pairs(ctx.session)).id = "x" end, function() ctx.run.id = 1 end, function() ctx.env.A = 1 end,
      } do
        local _, why = pcall(change)
        words[#words + 1] = tostring(why):match("read%-only") or tostring(why):match("protected") or "changed"
      end
      return table.concat(words, " ") .. " " .. tostring(getmetatable(ctx)) .. " " .. #ctx .. " " .. type(ctx)
      """
    let words = "read-only read-only read-only protected read-only read-only read-only read-only"
    #expect(try await TestWorkspace.answer(lua) == "\(words) false 0 table")
  }

  @Test("a state that one function changed is there for the next, and for the next turn")
  func state() async throws {
    let files = [
      "agents/a.lua": """
      return {
        tools = { "count" },
        run = function(ctx)
          if ctx.input.message == "look away" then return "-" end
          tools.call("count")
          tools.call("count")
          return tostring(ctx.session.state.n)
        end,
      }
      """,
      "tools/t.lua": """
      return { count = { description = "d", run = function(ctx)
        ctx.session.state.n = (ctx.session.state.n or 0) + 1
      end } }
      """,
    ]
    try await TestWorkspace.with(files) { (workspace: TestWorkspace) async throws -> Void in
      #expect(try await workspace.chat("a", "1", session: "s").text == "2")
      #expect(try await workspace.chat("a", "look away", session: "s").text == "-")
      #expect(try await workspace.chat("a", "2", session: "s").text == "4")
    }
  }
}
