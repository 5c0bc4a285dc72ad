// SPDX-License-Identifier: Apache-2.0
import LuaHost
import Testing

/// Scripts that hang stock Lua with a count hook, or that try to outlive their end.
@Suite("Escapes")
struct EscapeTests {
  @Test(
    "no loop outlives the budget",
    arguments: [
      "while true do end",
      "while true do pcall(function() while true do end end) end",
      "while true do pcall(pcall, error) end",
      "while true do xpcall(function() while true do end end, function() while true do end end) end",
      "xpcall(error, function() while true do end end)",
      "local x <close> = setmetatable({}, { __close = function() while true do end end }) while true do end",
      "while true do coroutine.wrap(function() while true do pcall(error) end end)() end",
      """
      local function f(n) for i = 1, n > 0 and 90 or 0 do coroutine.wrap(f)(n - 1) end end
      f(30)
      """,
      "local co = coroutine.wrap(function() while true do coroutine.yield() end end) while true do co() end",
      "for x in (function() return 1 end) do end",
      """
      local t = setmetatable({}, { __index = function(t, k) return t[k + 1] end })
      while true do pcall(function() return t[1] end) end
      """,
      "local t = setmetatable({}, { __len = function() while true do end end }) return #t",
      """
      local t = setmetatable({}, { __eq = function() while true do end end })
      return t == setmetatable({}, getmetatable(t))
      """,
      "local f f = function() return f() end f()",
      "while true do pcall(string.rep, 'x', -1) end",
      "local function f(...) return f(1, ...) end f()",
      "while true do load('return 1')() end",
      "goto a ::b:: goto a ::a:: goto b",
      "while true do local ok = pcall(echo.now, 1) end",
      "while true do pcall(parallel, { function() error('x') end }) end",
      "parallel{ function() while true do end end, function() while true do end end }",
      "while true do pcall(require, 'lib.none') end",
      "while true do coroutine.close(coroutine.create(function() end)) end",
      "error(setmetatable({}, { __tostring = function() while true do end end }))",
    ])
  func loops(statement: String) async throws {
    let error = try await TestHost.failure("return function() \(statement) end", budget: .short)
    #expect(error.kind == .timeLimit)
  }

  @Test("a loop while the script loads is stopped too")
  func loadLoop() async throws {
    #expect(try await TestHost.failure("while true do pcall(error) end", budget: .short).kind == .timeLimit)
  }

  @Test(
    "no C function outlives the budget",
    arguments: [
      "local s = ('a'):rep(40) return s:find(('a?'):rep(40) .. ('a'):rep(40) .. 'b')",
      "return (('x'):rep(20000)):find('.-.-.-.-.-.-b')",
      "return (('x'):rep(100000)):gsub('.-b', '')",
      "for _ in (('x'):rep(100000)):gmatch('.-b') do end",
      "table.move({}, 1, 500000000, 1, {})",
      "table.insert(setmetatable({}, { __len = function() return 100000000 end }), 1, 1)",
      "table.remove(setmetatable({}, { __len = function() return 100000000 end }), 1)",
      """
      return table.concat(setmetatable({}, {
        __len = function() return 1 << 40 end, __index = function() return '' end,
      }))
      """,
      "while true do local s = ('x'):rep(4000000):reverse() end",
      "local s = ('x'):rep(1 << 22) while true do local t = s .. 'y' end",
      "local a, b = ('x'):rep(1 << 22), ('x'):rep(1 << 22) while true do local t = a == b .. '' end",
      "while true do tonumber(('1'):rep(1000000)) end",
      "while true do json.decode(('['):rep(100) .. (']'):rep(100)) end",
      "local t = {} for i = 1, 100000 do t[i] = i end while true do json.encode(t) end",
      "while true do utf8.len(('x'):rep(1000000)) end",
      "while true do os.date(('%Y'):rep(10000)) end",
      "while true do (('x'):rep(100000)):upper():lower():byte(1, 1) end",
      "while true do string.format('%s', ('x'):rep(1000000)) end",
      "while true do string.pack('z', ('x'):rep(1000000)) end",
      """
      local t = {} for i = 1, 200000 do t[i] = -i end
      while true do table.sort(t, function(a, b) return a < b end) end
      """,
      "local t = {} for i = 1, 200000 do t[i] = i % 7 end while true do table.sort(t) end",
      "local t = {} for i = 1, 100000 do t[i] = i end while true do select('#', table.unpack(t)) end",
      "table.sort({ 3, 2, 1 }, function() while true do end end)",
      "while true do pcall(table.sort, { 3, 2, 1 }, function() while true do end end) end",
      "while true do (('x'):rep(100)):gsub('.', function() while true do pcall(error) end end) end",
    ])
  func heavyFunctions(statement: String) async throws {
    let error = try await TestHost.failure("return function() \(statement) end", budget: .short)
    #expect(error.kind == .timeLimit)
  }

  @Test("a comparator holds its thread for a moment at most")
  func stretch() async throws {
    let source = "return function() table.sort({ 3, 2, 1 }, function() while true do end end) end"
    let error = try await TestHost.failure(source, budget: RunBudget(cpu: .seconds(3600)))
    #expect(error.kind == .timeLimit)
    #expect(error.message == "a comparator or a pattern took too long without a pause")
  }

  @Test("an endless empty repetition is no work")
  func emptyRepetition() async throws {
    #expect(
      try await TestHost.run("return function() return #(''):rep(1000000000) end", budget: .short)
        == .integer(0))
  }

  @Test(
    "too deep a recursion is a stack overflow, not a crash",
    arguments: [
      "local function f() return 1 + f() end f()",
      """
      local function deep(n) if n > 0 then return coroutine.wrap(deep)(n - 1) end end
      deep(300)
      """,
      "local t = setmetatable({}, {}) getmetatable(t).__index = t return t.x",
      "local s = ('('):rep(300) .. '1' .. (')'):rep(300) error(select(2, load('return ' .. s)), 0)",
      "local t = setmetatable({}, {}) getmetatable(t).__index = function(t, k) return t[k] end return t.x",
      "local function f(n) return string.gsub('x', 'x', function() return f(n + 1) end) end f(0)",
      "local t = setmetatable({}, { __tostring = function(t) return tostring(t) end }) tostring(t)",
    ])
  func recursion(statement: String) async throws {
    let error = try await TestHost.failure("return function() \(statement) end")
    #expect([.stackOverflow, .runtime].contains(error.kind))
    #expect(error.message.contains("overflow") || error.message.contains("loop"))
  }

  @Test("handlers that close coroutines whose handlers close coroutines are counted")
  func nestedClose() async throws {
    let source = """
      return function()
        local function make(n)
          return coroutine.create(function()
            local guard <close> = setmetatable({}, { __close = function()
              if n > 0 then
                local co = make(n - 1)
                coroutine.resume(co)
                assert(coroutine.close(co))
              end
            end })
            coroutine.yield()
          end)
        end
        local co = make(10000)
        coroutine.resume(co)
        return coroutine.close(co)
      end
      """
    #expect(try await TestHost.run(source) == .bool(false))
  }

  @Test("a run that was killed never runs again")
  func killedForGood() async throws {
    let cell = try TestHost.cell(["main.lua": "return function(loop) while loop do end return 1 end"])
    let run = try await cell.open(budget: .short)
    let scene = Scene()
    let killed = await #expect(throws: ScriptError.self) {
      try await cell.value(run, "main", [.bool(true)], context: scene)
    }
    #expect(killed?.kind == .timeLimit)
    let later = await #expect(throws: ScriptError.self) { try await cell.value(run, "main", context: scene) }
    #expect(later?.kind == .closed)
    let other = try await cell.open(budget: .short)
    #expect(try await cell.value(other, "main", context: scene) == .integer(1))
  }

  @Test("the budget is one for all calls of a run")
  func sharedBudget() async throws {
    let cell = try TestHost.cell([
      "main.lua": "return function() local stop = os.clock() + 0.02 while os.clock() < stop do end end"
    ])
    let run = try await cell.open(budget: .short)
    var calls = 0
    do {
      while calls < 100 {
        _ = try await cell.value(run, "main", context: Scene())
        calls += 1
      }
    } catch let error as ScriptError {
      #expect(error.kind == .timeLimit)
    }
    // Two, and one more where the thread was put aside at the right moment.
    #expect(calls < 10)
  }

  @Test(
    "a kill inside a comparator runs __close handlers and passes every catching function",
    arguments: [
      "pcall", "coroutine.wrap(pcall)", "xpcall_of",
    ])
  func killInComparator(catcher: String) async throws {
    let source = """
      return function()
        local function xpcall_of(f) return xpcall(f, function() return 1 end) end
        local guard <close> = setmetatable({}, { __close = function()
          run_table().closed = (run_table().closed or 0) + 1
        end })
        cancel_caller()
        while true do
          (\(catcher))(function() table.sort({ 3, 2, 1 }, function() while true do end end) end)
          run_table().caught = true
        end
      end
      """
    let cell = try TestHost.cell([
      "main.lua": source, "check.lua": "return function() return run_table() end",
    ])
    let run = try await cell.open()
    let scene = Scene()
    let call = Task { try await cell.value(run, "main", context: scene) }
    await #expect(throws: CancellationError.self) { try await call.value }
    #expect(
      try await cell.value(run, "script", [.string("check.lua")], context: scene)
        == .table(("closed", .integer(1))))
  }

  @Test("a looping run does not keep its neighbour from its turn")
  func preemption() async throws {
    let cell = try TestHost.cell(["main.lua": "return function(loop) while loop do end return 1 end"])
    let looping = try await cell.open(budget: RunBudget(cpu: .seconds(3600)))
    let other = try await cell.open()
    let scene = Scene()
    let call = Task { try await cell.value(looping, "main", [.bool(true)], context: scene) }
    for _ in 1...10 {
      #expect(try await cell.value(other, "main", context: scene) == .integer(1))
    }
    call.cancel()
    await #expect(throws: CancellationError.self) { try await call.value }
  }

  @Test("a run of many branches has no more turns than its neighbour in the cell")
  func branches() async throws {
    let source = """
      return function(count)
        if count == 0 then
          local x = 0
          for i = 1, 2000000 do x = x + i % 7 end
          return x
        end
        local branches = {}
        for i = 1, count do branches[i] = function() while true do end end end
        parallel(branches)
      end
      """
    let cell = try TestHost.cell(["main.lua": source])
    let many = try await cell.open(budget: RunBudget(cpu: .seconds(3600)))
    let one = try await cell.open(budget: RunBudget(cpu: .seconds(3600)))
    let scene = Scene()
    let call = Task { try await cell.value(many, "main", [.integer(64)], context: scene) }
    _ = try await cell.value(one, "main", [.integer(0)], context: scene)
    let times = [await cell.cpu(of: many), await cell.cpu(of: one)].compactMap(\.self)
    call.cancel()
    await #expect(throws: CancellationError.self) { try await call.value }
    // Turn by turn, not sixty-four to one; the first slices of the branches come on top.
    #expect(times.count == 2 && times[0] < times[1] * 16, "\(times)")
  }

  @Test(
    "waiting where a C function is in the way is an error before anything happens",
    arguments: [
      "table.sort({ 2, 1 }, function() note('x') hang('y') end)",
      "table.sort({ 2, 1 }, function() coroutine.wrap(function() hang('y') end)() end)",
      "('x'):gsub('x', function() hang('y') end)",
      "table.sort({ 2, 1 }, function() parallel{ function() end } end)",
    ])
  func blockedWait(statement: String) async throws {
    let error = try await TestHost.failure("return function() \(statement) end")
    #expect(
      error.message.contains("has to wait, which is not possible inside a comparator or a pattern's callback")
    )
  }

  @Test("a call waits through metamethods, iterators, pcall and nested coroutines")
  func waitEverywhere() async throws {
    let source = """
      return function()
        local t = setmetatable({}, {
          __index = function(_, k) return echo.later(k) end, __call = function(_, x) return echo.later(x) end,
        })
        local sum = t[1] + t(2)
        local function each() for i = 3, 4 do coroutine.yield(echo.later(i)) end end
        for v in coroutine.wrap(each) do sum = sum + v end
        local function deep(n) if n == 0 then return echo.later(5) end return coroutine.wrap(deep)(n - 1) end
        sum = sum + deep(20)
        sum = sum + select(2, pcall(echo.later, 6)) + select(2, xpcall(echo.later, print_nothing or error, 7))
        do local guard <close> = setmetatable({}, { __close = function() sum = sum + echo.later(8) end }) end
        local co = coroutine.create(function(a) local b = coroutine.yield(a + 1) return echo.later(b) end)
        local ok, first = coroutine.resume(co, 1)
        local ok2, second = coroutine.resume(co, 9)
        return { sum + first + second, ok, ok2, coroutine.status(co), select(2, coroutine.resume(co)) }
      end
      """
    #expect(
      try await TestHost.run(source)
        == .array([
          .integer(1 + 2 + 3 + 4 + 5 + 6 + 7 + 8 + 2 + 9), .bool(true), .bool(true), .string("dead"),
          .string("cannot resume dead coroutine"),
        ]))
  }

  @Test("a __concat handler that makes the stack grow does no harm, whether or not this Lua can call it")
  func concatHandler() async throws {
    let source = """
      return function()
        local meta = {}
        local function deep(n) if n > 0 then local x = deep(n - 1) return x end return 1 end
        meta.__concat = function() deep(150) local t = {} for i = 1, 100 do t[i] = { i } end return "joined" end
        local function object() return setmetatable({}, meta) end
        local function join() return object() .. "/" .. object() .. 1 .. object() end
        local ok, result
        for _ = 1, 500 do
          ok, result = pcall(join)
          local pair = select(2, pcall(function() return object() .. object() end))
          assert(pair == "joined" or pair:find("attempt to concatenate a table value", 1, true), pair)
        end
        return ok and result or result:match("attempt to concatenate a table value")
      end
      """
    let result = try await TestHost.run(source)
    #expect([.string("joined"), .string("attempt to concatenate a table value")].contains(result))
  }
}
