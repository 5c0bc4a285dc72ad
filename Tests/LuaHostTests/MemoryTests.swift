// SPDX-License-Identifier: Apache-2.0
import JSONCodec
import LuaHost
import Testing

@Suite("Memory")
struct MemoryTests {
  static let bombs = [
    "local s = 'x' while true do s = s .. s end",
    "local t = {} for i = 1, 1 << 40 do t[i] = { i } end",
    "local t = {} for i = 1, 1 << 40 do t[i] = function() return i end end",
    "local t = {} for i = 1, 1 << 40 do t[i] = coroutine.create(function() end) end",
    "local t = {} for i = 1, 1 << 40 do t[#t + 1] = ('x'):rep(100000) .. i end",
    "local t = {} while true do pcall(function() for i = 1, 1 << 40 do t[#t + 1] = { i } end end) end",
    "local t = {} for i = 1, 1 << 40 do t[i] = load('return ' .. i) end",
    "local t = {} while true do t[#t + 1] = json.decode('[[[[1,2,3],{}],\"text\"]]') end",
    "local t = {} while true do t[#t + 1] = echo.now({ 1, 2, { 3 } }) end",
    "local t = {} while true do t[#t + 1] = echo.later({ 1, 2, { 3 } }) end",
    "local t = {} while true do t[#t + 1] = echo.decoded('[1,2,3,4,5,6,7,8,9]') end",
    "local t = {} while true do t[#t + 1] = table.pack(table.unpack({ 1, 2, 3, 4, 5 })) end",
    "local t = {} while true do t[#t + 1] = coroutine.wrap(function() coroutine.yield() end) t[#t]() end",
    """
    local s = {} for i = 1, 20000 do s[i] = 'local a' .. i .. ' = {' .. ('1,'):rep(200) .. '}' end
    load('do ' .. table.concat(s, ' end do ') .. ' end')
    """,
    "local big = ('x'):rep(1 << 20) local t = {} while true do t[#t + 1] = big:upper() .. #t end",
    "local big = ('x'):rep(1 << 20) local t = {} while true do t[#t + 1] = table.concat({ big, #t }) end",
    """
    local list = {}
    for i = 1, 100 do list[i] = function() local t = {} while true do t[#t + 1] = {} end end end
    parallel(list)
    """,
    """
    local big, list = ('x'):rep(1 << 20), {}
    for i = 1, 50 do list[i] = function() hang(big) end end
    parallel(list)
    """,
    """
    local big, list = ('x'):rep(1 << 20), {}
    for i = 1, 50 do list[i] = function() return echo.later(big) .. i end end
    parallel(list)
    """,
  ]

  @Test("a run that fills its cell is ended, its neighbour goes on", arguments: bombs)
  func bomb(statement: String) async throws {
    let limits = CellLimits(memoryBytesMax: 8 << 20)
    let cell = try TestHost.cell(
      [
        "bomb.lua": "return function() \(statement) end",
        "main.lua": "local t = { 'kept' } return function() hang('x') end",
        "after.lua": "return function() return json.encode({ echo.later('fine') }) end",
      ], limits: limits)
    let scene = Scene()
    let neighbour = try await cell.open()
    let waiting = Task { try await cell.value(neighbour, "main", context: scene) }
    await scene.someoneWaits()
    let run = try await cell.open(budget: RunBudget(cpu: .seconds(60)))
    let error = await #expect(throws: ScriptError.self) {
      try await cell.value(run, "script", [.string("bomb.lua")], context: scene)
    }
    #expect([.memoryLimit, .stackOverflow, .runtime].contains(error?.kind))
    #expect(await cell.memoryBytes <= limits.memoryBytesMax / 8 * 9 + 1 << 20)
    #expect(
      try await cell.value(neighbour, "script", [.string("after.lua")], context: scene)
        == .string(#"["fine"]"#))
    await cell.close(run)
    await cell.collectGarbage()
    #expect(await cell.memoryBytes < 1 << 20)
    #expect(await cell.isHealthy)
    waiting.cancel()
    await #expect(throws: CancellationError.self) { try await waiting.value }
  }

  @Test("when a small run finds the cell full, the run that filled it ends")
  func blame() async throws {
    let limits = CellLimits(memoryBytesMax: 8 << 20)
    let cell = try TestHost.cell(
      [
        "hoard.lua":
          "local t = {} return function() for i = 1, 56 do t[i] = ('x'):rep(100000) .. i end hang('x') end",
        "work.lua":
          """
        return function()
          for i = 1, 2000 do local s = ('y'):rep(1000) .. i end
          local t = {}
          for i = 1, 20000 do t[i] = { i } end
          return #t
        end
        """,
      ], limits: limits)
    let scene = Scene()
    let hoarder = try await cell.open()
    let hoarding = Task { try await cell.value(hoarder, "script", [.string("hoard.lua")], context: scene) }
    await scene.someoneWaits()
    let worker = try await cell.open()
    #expect(try await cell.value(worker, "script", [.string("work.lua")], context: scene) == .integer(20000))
    hoarding.cancel()
    let error = await #expect(throws: ScriptError.self) { try await hoarding.value }
    #expect(error?.kind == .memoryLimit)
  }

  @Test("garbage alone ends nobody")
  func garbage() async throws {
    let source = "return function() for i = 1, 3000 do local s = ('x'):rep(100000):upper() end return 1 end"
    let limits = CellLimits(memoryBytesMax: 4 << 20)
    #expect(try await TestHost.run(source, limits: limits) == .integer(1))
  }

  @Test("closed runs leave no memory behind")
  func noLeak() async throws {
    let cell = try TestHost.cell([
      "main.lua": "local t = {} return function() t[1] = ('x'):rep(1000) return echo.later(#t[1]) end"
    ])
    var sizes: [Int] = []
    for round in 1...300 {
      let run = try await cell.open()
      _ = try await cell.value(run, "main", context: Scene())
      await cell.close(run)
      guard round.isMultiple(of: 100) else { continue }
      await cell.collectGarbage()
      sizes.append(await cell.memoryBytes)
    }
    #expect(sizes[2] <= sizes[0])
  }

  @Test("a cell that is too small for its libraries is refused")
  func tinyCell() {
    #expect(throws: ScriptError.self) { try TestHost.cell([:], limits: CellLimits(memoryBytesMax: 1000)) }
  }
}
