// SPDX-License-Identifier: Apache-2.0
import Core
import JSONCodec
import TestSupport
import Testing

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

  @Test("a part is the same table wherever it is looked at, and none is another's")
  func same() async throws {
    let lua = """
      local seen, call = {}, nil
      local function look()
        seen[#seen + 1] = ctx.user == ctx.user and ctx.session == ctx.session
        return ctx.session
      end
      local sessions = parallel.map({ 1, 2, 3, 4 }, function() return { look() == ctx.session } end)
      for _, session in ipairs(sessions) do seen[#seen + 1] = session[1] end
      for i, is_same in ipairs(seen) do seen[i] = tostring(is_same) end
      return table.concat(seen, " ") .. " " .. tostring(ctx.call) .. " " .. tostring(ctx.nothing)
      """
    #expect(try await TestWorkspace.answer(lua) == "\(String(repeating: "true ", count: 8))nil nil")
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
        function() setmetatable(ctx, nil) end, function() ctx.run.id = 1 end, function() ctx.env.A = 1 end,
      } do
        local _, why = pcall(change)
        words[#words + 1] = tostring(why):match("read%-only") or tostring(why):match("protected") or "changed"
      end
      return table.concat(words, " ") .. " " .. tostring(getmetatable(ctx)) .. " " .. #ctx .. " " .. type(ctx)
      """
    let words = "read-only read-only read-only protected read-only read-only"
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
