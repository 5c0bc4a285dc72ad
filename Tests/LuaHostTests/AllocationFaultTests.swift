// SPDX-License-Identifier: Apache-2.0
import CLuaHost
import JSONCodec
import Testing

@testable import LuaHost

/// Every allocation fails once, with all that follow, and the cell goes on or is refused cleanly.
@Suite("Allocation faults")
struct AllocationFaultTests {
  @Test("a cell that cannot be made is refused, whichever allocation fails")
  func creation() throws {
    let prelude = try Program.compile(name: "prelude", source: Array(TestHost.prelude.utf8))
    let scripts = try TestHost.programs(["main.lua": "return 1", "lib/a.lua": "return 2"])
    var count = 0
    while true {
      do {
        _ = try CellState(
          functions: TestHost.functions, preludes: [prelude], scripts: scripts, limits: CellLimits(),
          failAfter: count)
        break
      } catch {
        #expect(error.kind == .memoryLimit)
      }
      count += 1
    }
    #expect(count > 300)
  }

  static let script = """
    local lib = require "lib.a"
    local function work(value)
      local guard <close> = setmetatable({}, { __close = function() run_table().closed = true end })
      local copy = json.decode(json.encode({ value, { x = "y" .. tostring(value) } }))
      local co = coroutine.wrap(function(v)
        local r = echo.later({ v, "text" })
        coroutine.yield(#r)
        return echo.now(v)
      end)
      local n = co(value) + (co() or 0)
      local _, err = pcall(refuse.later)
      local both = parallel{ function() return echo.later(1) end, function() return lib.two end }
      local f = load("return " .. n)
      local s = (("x"):rep(100) .. n):gsub("x", "yy"):upper()
      local table = lazy(function() end, function() return json.decode('{"a":[{}]}') end, pairs)
      local told = json.encode({ table }) .. run_table().told.fact
      return { n = n, s = s, f = f(), err = err.code, b = both, c = copy[2].x, t = table, told = told }
    end
    return function(fails)
      local result = work(20)
      if fails then error({ code = "mine", message = "text", detail = result }) end
      return result
    end
    """

  @Test(
    "a run in which an allocation fails leaves its cell usable", arguments: [false, true], ["value", "json"])
  func use(fails: Bool, form: String) async throws {
    let cell = try TestHost.cell([
      "main.lua": Self.script, "lib/a.lua": "return { two = 2 }", "check.lua": "return 1",
    ])
    let scene = Scene()
    let neighbour = try await cell.open()
    #expect(try await cell.value(neighbour, "script", [.string("check.lua")], context: scene) == .integer(1))
    await cell.collectGarbage()
    let before = await cell.memoryBytes
    var count = 0
    var ended = false
    while !ended {
      await cell.failAllocations(after: count)
      var run: RunHandle?
      do {
        run = try await cell.open(telling: [("fact", RawJSON("1"))])
        if let run {
          let form: ResultForm = form == "json" ? .json : .value
          _ = try await cell.call(run, "main", [.bool(fails)], returning: form, context: scene)
          ended = true
        }
      } catch let error as ScriptError {
        ended = error.hostError?.code == "mine" && error.hostError?.detail != nil
        #expect(
          [.memoryLimit, .runtime, .closed, .badResult].contains(error.kind), "after \(count): \(error)")
      }
      await cell.failAllocations(after: -1)
      if let run { await cell.close(run) }
      if count.isMultiple(of: 10) {
        #expect(
          try await cell.value(neighbour, "script", [.string("check.lua")], context: scene) == .integer(1))
      }
      count += 1
    }
    #expect(count > 100)
    await cell.collectGarbage()
    #expect(await cell.memoryBytes < before + 20_000)
    let run = try await cell.open(telling: [("fact", RawJSON("1"))])
    _ = try await cell.json(run, "main", context: scene)
  }
}

extension Cell {
  fileprivate func failAllocations(after count: Int) { clh_state_fail_allocation_after(state.raw, count) }
}
