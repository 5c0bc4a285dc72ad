// SPDX-License-Identifier: Apache-2.0
import LuaHost
import Testing

@Suite("Cancellation")
struct CancellationTests {
  static let guarded = """
    return function(what)
      local guard <close> = setmetatable({}, { __close = function() note("closed") end })
      local function wait() hang("x") end
      if what == "plain" then wait() end
      if what == "pcall" then while true do pcall(wait) end end
      if what == "xpcall" then while true do xpcall(wait, function() note("handler") end) end end
      if what == "wrap" then coroutine.wrap(function()
        local inner <close> = setmetatable({}, { __close = function() note("inner closed") end })
        while true do pcall(wait) end
      end)() end
      note("reached")
    end
    """

  @Test(
    "cancelling a suspended call runs __close once and is not caught",
    arguments: ["plain", "pcall", "xpcall", "wrap"])
  func suspended(what: String) async throws {
    let cell = try TestHost.cell(Self.closing(Self.guarded))
    let run = try await cell.open()
    let scene = Scene()
    let call = Task { try await cell.value(run, "main", [.string(what)], context: scene) }
    await scene.someoneWaits()
    call.cancel()
    await #expect(throws: CancellationError.self) { try await call.value }
    // Host calls are over when handlers run, so they leave their mark in the run.
    let marks = try await cell.value(run, "script", [.string("marks.lua")], context: scene)
    #expect(marks == .string(what == "wrap" ? "inner closed,closed" : "closed"))
    #expect(scene.events == [])
  }

  @Test(
    "cancelling a busy call runs __close once and is not caught",
    arguments: [
      "while true do end", "while true do pcall(function() while true do end end) end",
      "coroutine.wrap(function() while true do pcall(error) end end)()",
      "table.sort({ 3, 2, 1 }, function() while true do end end)",
      "while true do pcall(table.sort, { 3, 2, 1 }, function() while true do end end) end",
      "; (('x'):rep(100)):gsub('.', function() while true do end end)",
      "while true do coroutine.wrap(function() end)() end",
      "coroutine.close(coroutine.create(function() end)) while true do local x <close> = nil end",
    ])
  func busy(statement: String) async throws {
    let source = """
      return function()
        local guard <close> = setmetatable({}, { __close = function() mark("closed") end })
        cancel_caller()
        \(statement)
      end
      """
    let cell = try TestHost.cell(Self.closing(source))
    let run = try await cell.open(budget: RunBudget(cpu: .seconds(60)))
    let scene = Scene()
    let call = Task { try await cell.value(run, "main", context: scene) }
    await #expect(throws: CancellationError.self) { try await call.value }
    #expect(try await cell.value(run, "script", [.string("marks.lua")], context: scene) == .string("closed"))
  }

  @Test("a call that is cancelled before it starts runs nothing")
  func cancelledBefore() async throws {
    let cell = try TestHost.cell(["main.lua": "return function() note('ran') end"])
    let run = try await cell.open()
    let scene = Scene()
    let call = Task {
      await withUnsafeContinuation { continuation in
        withUnsafeCurrentTask { $0?.cancel() }
        continuation.resume()
      }
      return try await cell.value(run, "main", context: scene)
    }
    await #expect(throws: CancellationError.self) { try await call.value }
    #expect(scene.events == [])
  }

  @Test("closing a run ends its calls and runs their handlers at once")
  func close() async throws {
    let source = """
      return function()
        local guard <close> = setmetatable({}, { __close = function() run_table().gone = true end })
        hang("x")
      end
      """
    let cell = try TestHost.cell(["main.lua": source])
    let run = try await cell.open()
    let scene = Scene()
    let call = Task { try await cell.value(run, "main", context: scene) }
    await scene.someoneWaits()
    await cell.close(run)
    #expect(await cell.runCount == 0)
    call.cancel()
    await #expect(throws: (any Error).self) { try await call.value }
  }

  @Test("a handler of a dead call cannot wait, and may catch its own errors")
  func handlers() async throws {
    let source = """
      return function()
        local guard <close> = setmetatable({}, { __close = function()
          mark(tostring(pcall(hang, "y")))
          mark(tostring(pcall(error, "own")))
          mark(tostring(coroutine.wrap(function() return pcall(echo.later, 1) end)()))
          mark("end")
        end })
        hang("x")
      end
      """
    let cell = try TestHost.cell(Self.closing(source))
    let run = try await cell.open()
    let scene = Scene()
    let call = Task { try await cell.value(run, "main", context: scene) }
    await scene.someoneWaits()
    call.cancel()
    await #expect(throws: CancellationError.self) { try await call.value }
    #expect(
      try await cell.value(run, "script", [.string("marks.lua")], context: scene)
        == .string("false,false,false,end"))
  }

  /// Gives the source a function `mark` that leaves marks in the run's table, and a script that reads them.
  private static func closing(_ source: String) -> [String: String] {
    [
      "main.lua": "local mark = require 'lib.mark' "
        + source.replacing("note(\"closed\")", with: "mark(\"closed\")")
        .replacing("note(\"inner closed\")", with: "mark(\"inner closed\")"),
      "lib/mark.lua": "return function(text) local t = run_table() t[#t + 1] = text end",
      "marks.lua": "return function() return table.concat(run_table(), ',') end",
    ]
  }
}
