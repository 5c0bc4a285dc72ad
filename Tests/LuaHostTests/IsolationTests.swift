// SPDX-License-Identifier: Apache-2.0
import LuaHost
import Testing

@Suite("Isolation")
struct IsolationTests {
  @Test("assigning a global is an error that says what to do")
  func globals() async throws {
    let error = try await TestHost.failure("return function()\n  count = 1\nend")
    #expect(error.message == "assignment to global 'count': use local")
    #expect(error.line == 2)
    let through = try await TestHost.failure("return function() _G.count = 1 end")
    #expect(through.message == "assignment to global 'count': use local")
  }

  @Test(
    "what the host gives cannot be changed",
    arguments: [
      "string.format = nil", "rawset(string, 'format', nil)", "setmetatable(string, nil)",
      "setmetatable(_G, nil)",
      "rawset(_G, 'x', 1)", "table.insert(string, 'x')", "table.insert(_G, 'x')", "echo.now = nil",
      "rawset(echo, 'now', nil)",
      "math.x = 1", "table.move({ 1, 2 }, 1, 2, 1, string)", "table.insert(parallel, 1, 1)",
      "getmetatable('').__index.rep = nil",
      "getmetatable(_G).__index = {}", "getmetatable(string).__newindex = nil", "setmetatable('', {})",
      "table.remove(parallel)", "parallel.settle = nil", "json.null = 1", "getmetatable(json.array{}).x = 1",
      "local ok, err = pcall(fail, 'a', 'b') getmetatable(err).x = 1",
    ])
  func readonly(statement: String) async throws {
    let cell = try TestHost.cell([
      "attack.lua": "return function() local before = #_G \(statement) end",
      "check.lua": """
      return function()
        local names = {}
        for _, t in ipairs({ _G, string, echo, math, table, parallel, json }) do
          for name, value in pairs(t) do names[#names + 1] = name .. ":" .. type(value) end
        end
        table.sort(names)
        return table.concat(names, " ") .. type(string.format) .. ("x"):rep(2) .. tostring(getmetatable(""))
      end
      """,
    ])
    let run = try await cell.open()
    let scene = Scene()
    let before = try await cell.value(run, "script", [.string("check.lua")], context: scene)
    await #expect(throws: ScriptError.self) {
      try await cell.value(run, "script", [.string("attack.lua")], context: scene)
    }
    #expect(try await cell.value(run, "script", [.string("check.lua")], context: scene) == before)
    let other = try await cell.open()
    #expect(try await cell.value(other, "script", [.string("check.lua")], context: scene) == before)
  }

  @Test("a run sees nothing of another run of its cell")
  func runs() async throws {
    let cell = try TestHost.cell([
      "main.lua": """
      local lib = require "lib.shared"
      local upvalue = 0
      return function()
        upvalue = upvalue + 1
        lib.count = lib.count + 1
        run_table().count = (run_table().count or 0) + 1
        return { upvalue, lib.count, run_table().count }
      end
      """,
      "lib/shared.lua": "return { count = 0 }",
    ])
    let first = try await cell.open()
    let second = try await cell.open()
    for expected in 1...3 {
      let count = LuaValue.integer(Int64(expected))
      #expect(try await cell.value(first, "main", context: Scene()) == .array([count, count, count]))
    }
    #expect(
      try await cell.value(second, "main", context: Scene())
        == .array([.integer(1), .integer(1), .integer(1)]))
  }

  @Test("runs draw different random numbers, a seeded one always the same")
  func random() async throws {
    let source = "return function(seed) if seed then math.randomseed(seed) end return math.random(0) end"
    let seeded = try await TestHost.run(source, .integer(7))
    #expect(try await TestHost.run(source, .integer(7)) == seeded)
    #expect(try await TestHost.run(source) != TestHost.run(source))
    let ranges = """
      return function()
        for i = 1, 1000 do
          local a, b, c = math.random(6), math.random(-3, 3), math.random()
          assert(a >= 1 and a <= 6 and b >= -3 and b <= 3 and c >= 0 and c < 1)
        end
        assert(math.random(5, 5) == 5)
        assert(math.type(math.random(math.mininteger, math.maxinteger)) == "integer")
        return pcall(math.random, 2, 1)
      end
      """
    #expect(try await TestHost.run(ranges) == .bool(false))
  }

  @Test("a script finds nothing that is not on the list")
  func allowList() async throws {
    let source = """
      local names = {}
      for name in pairs(_G) do names[#names + 1] = name end
      for name in pairs(os) do names[#names + 1] = "os." .. name end
      for name in pairs(coroutine) do names[#names + 1] = "coroutine." .. name end
      for _, name in ipairs({ "dump" }) do assert(string[name] == nil) end
      table.sort(names)
      return table.concat(names, " ")
      """
    let expected = """
      _VERSION assert cancel_caller coroutine coroutine.close coroutine.create coroutine.isyieldable \
      coroutine.resume coroutine.running coroutine.status coroutine.wrap coroutine.yield echo error \
      fail getmetatable hang hidden ipairs json lazy load math next note os os.clock os.date os.difftime \
      os.time pairs parallel pcall rawequal rawget rawlen rawset readonly refuse require run_table \
      select setmetatable string table tonumber tostring type utf8 xpcall
      """
    #expect(try await TestHost.run(source) == .string(expected))
  }

  @Test("preludes reach host functions that scripts do not")
  func hidden() async throws {
    #expect(
      try await TestHost.run("return function() return { _hidden == nil, hidden() } end")
        == .array([.bool(true), .string("only for preludes")]))
  }

  @Test("a read-only table can be read in every way and written in none")
  func readonlyProxy() async throws {
    let source = """
      return function()
        local t = readonly({ 10, 20, x = { y = 1 } }, "ctx", true)
        local sum, names = 0, 0
        for _, v in ipairs(t) do sum = sum + v end
        for _ in pairs(t) do names = names + 1 end
        assert(#t == 2 and rawlen(t) == 2 and rawget(t, 1) == 10 and next(t))
        assert(select(2, table.unpack(t)) == 20)
        local messages = {}
        local function refused(f, ...) messages[#messages + 1] = select(2, pcall(f, ...)) end
        refused(function() t.x = 1 end)
        refused(function() t.x.y = 1 end)
        refused(rawset, t, "x", 1)
        refused(setmetatable, t, {})
        local text = json.encode(readonly({ a = readonly({ 1 }) }))
        return { sum, names, table.concat(messages, "; "), text, echo.now(t.x) }
      end
      """
    #expect(
      try await TestHost.run(source)
        == .array([
          .integer(30), .integer(3),
          .string(
            "main.lua:10: ctx is read-only; main.lua:11: ctx is read-only; the table is read-only; "
              + "cannot change a protected metatable"),
          .string(#"{"a":[1]}"#), .table(("y", .integer(1))),
        ]))
  }

  @Test("load takes text only, into the run's environment")
  func loadFunction() async throws {
    let source = """
      return function()
        local value = load("return string.rep('x', 2)")()
        local own = load("return y", "own", "t", { y = 7 })()
        local ok, message = load("\\27Lua")
        local bad, syntax = load("return +", "@main.lua")
        local write = select(2, pcall(load("z = 1")))
        local large = select(2, load(("x"):rep(300000)))
        return { value, own, ok == nil, message, syntax, write, large, pcall(load, next) }
      end
      """
    guard case .array(let values) = try await TestHost.run(source) else {
      Issue.record("no list")
      return
    }
    #expect(values[0] == .string("xx"))
    #expect(values[1] == .integer(7))
    #expect(values[2] == .bool(true))
    #expect(values[4] == .string("(main.lua):1: unexpected symbol near '+'"))
    #expect(values[5].string?.hasSuffix("assignment to global 'z': use local") == true)
    #expect(values[6] == .string("chunk is too large"))
    #expect(values[7] == .bool(false))
  }
}
