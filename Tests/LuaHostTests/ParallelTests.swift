// SPDX-License-Identifier: Apache-2.0
import LuaHost
import Testing

@Suite("Parallel branches")
struct ParallelTests {
  @Test("all gives the results in the order of the branches")
  func all() async throws {
    let source = """
      return function()
        return parallel{
          function() return echo.later(echo.later(1)) end,
          function() return 2 end,
          function() return echo.later(3) end,
        }
      end
      """
    #expect(try await TestHost.run(source) == .array([.integer(1), .integer(2), .integer(3)]))
  }

  @Test("the first error of all cancels the rest, runs their handlers and is raised")
  func allFails() async throws {
    let source = """
      return function()
        local closed = 0
        local function waiting()
          local guard <close> = setmetatable({}, { __close = function() closed = closed + 1 end })
          pcall(hang, "x")
          closed = 100
        end
        local ok, err = pcall(parallel, { waiting, waiting, function() echo.later() refuse.later() end })
        return { ok, err.code, closed }
      end
      """
    #expect(try await TestHost.run(source) == .array([.bool(false), .string("denied"), .integer(2)]))
  }

  @Test("an uncaught error of a branch keeps its place")
  func branchError() async throws {
    let error = try await TestHost.failure(
      "return function()\n  parallel{ function()\n    error('oh')\n  end }\nend")
    #expect(error.message == "oh")
    #expect(error.line == 3)
  }

  @Test("settle tells of each branch")
  func settle() async throws {
    let source = """
      return function()
        local r = parallel.settle{
          function() return "a" end, function() refuse.later() end, function() error("x", 0) end,
        }
        return { r[1].ok, r[1].value, r[2].ok, r[2].error.code, r[3].error, #r }
      end
      """
    #expect(
      try await TestHost.run(source)
        == .array([.bool(true), .string("a"), .bool(false), .string("denied"), .string("x"), .integer(3)]))
  }

  @Test("the first success of a race cancels the rest")
  func race() async throws {
    let source = """
      return function()
        local results, winner = parallel.race{
          function() error("early") end, function() hang("x") end, function() return echo.later("won") end,
        }
        return { winner, results[3].value, results[2].error.code, results[1].ok }
      end
      """
    #expect(
      try await TestHost.run(source)
        == .array([.integer(3), .string("won"), .string("cancelled"), .bool(false)]))
  }

  @Test("a race that nobody wins has no winner")
  func raceLost() async throws {
    let source = "return function() return select('#', parallel.race{ function() error('a') end }) end"
    #expect(try await TestHost.run(source) == .integer(1))
  }

  @Test("branches nest, wait in coroutines and return functions")
  func nested() async throws {
    let source = """
      return function()
        local function leaf(n)
          return function() return coroutine.wrap(function() return echo.later(n) end)() end
        end
        local function node(n)
          return function()
            local r = parallel{ leaf(n), leaf(n + 1) }
            return function() return r[1] + r[2] end
          end
        end
        local sums = coroutine.wrap(function() return parallel{ node(1), node(10), node(100) } end)()
        return sums[1]() + sums[2]() + sums[3]()
      end
      """
    #expect(try await TestHost.run(source) == .integer(3 + 21 + 201))
  }

  @Test("no more branches than the limit run at once, and all of them run")
  func limited() async throws {
    let source = """
      return function()
        local running, most, list = 0, 0, {}
        for i = 1, 20 do
          list[i] = function()
            running = running + 1
            most = math.max(most, running)
            echo.later()
            running = running - 1
            return i
          end
        end
        local results = parallel.limited(list, 3)
        local sum = 0
        for _, r in ipairs(results) do sum = sum + r.value end
        return { most, sum }
      end
      """
    #expect(try await TestHost.run(source) == .array([.integer(3), .integer(210)]))
  }

  @Test(
    "a branch list with too many, or with something else than functions, is refused",
    arguments: [
      (
        "for i = 1, 300 do list[i] = print_nothing or function() end end",
        "too many branches: 300, at most 256"
      ),
      ("list[1] = 5", "branch 1 is no function"),
    ])
  func refused(fill: String, message: String) async throws {
    let error = try await TestHost.failure("return function() local list = {} \(fill) parallel(list) end")
    #expect(error.message == message)
  }

  @Test("no branches at all give an empty list")
  func none() async throws {
    #expect(try await TestHost.run("return function() return #parallel{} end") == .integer(0))
  }

  @Test("cancelling the caller cancels all branches and runs their handlers")
  func cancelled() async throws {
    let source = """
      return function()
        local function count(n) return function() run_table().n = (run_table().n or 0) + n end end
        local function waiting()
          local guard <close> = setmetatable({}, { __close = count(1) })
          hang("x")
        end
        local outer <close> = setmetatable({}, { __close = count(10) })
        parallel{ waiting, waiting, function() parallel{ waiting } end }
      end
      """
    let cell = try TestHost.cell(["main.lua": source, "n.lua": "return function() return run_table().n end"])
    let run = try await cell.open()
    let scene = Scene()
    let call = Task { try await cell.value(run, "main", context: scene) }
    var arrivals = scene.waiting.makeAsyncIterator()
    for _ in 1...3 { _ = await arrivals.next() }
    call.cancel()
    await #expect(throws: CancellationError.self) { try await call.value }
    #expect(try await cell.value(run, "script", [.string("n.lua")], context: scene) == .integer(13))
  }

  @Test("a branch that uses up the run's time ends its waiting siblings too")
  func killedTogether() async throws {
    let source =
      "return function() parallel.settle{ function() while true do end end, function() hang('x') end } end"
    #expect(try await TestHost.failure(source, budget: .short).kind == .timeLimit)
  }

  @Test("a coroutine that waits in one branch cannot be resumed, closed or asked of by another")
  func foreignCoroutine() async throws {
    let source = """
      return function()
        local co, main = coroutine.create(function() hang("x") end), coroutine.running()
        local answers
        parallel.race{
          function() coroutine.resume(co) end,
          function()
            echo.later()
            answers = {
              coroutine.status(co), select(2, coroutine.resume(co)), select(2, pcall(coroutine.close, co)),
              select(2, coroutine.resume(main)), select(2, pcall(coroutine.close, main)),
              coroutine.status(main),
            }
          end,
        }
        return answers
      end
      """
    #expect(
      try await TestHost.run(source)
        == .array([
          .string("normal"), .string("cannot resume non-suspended coroutine"),
          .string("cannot close a normal coroutine"),
          .string("cannot resume non-suspended coroutine"), .string("cannot close a normal coroutine"),
          .string("normal"),
        ]))
  }
}
