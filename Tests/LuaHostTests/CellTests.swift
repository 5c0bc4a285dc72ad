// SPDX-License-Identifier: Apache-2.0
import JSONCodec
import LuaHost
import Testing

@Suite("Cell")
struct CellTests {
  @Test("an entry gets its arguments and gives back its first result")
  func callAndReply() async throws {
    #expect(
      try await TestHost.run("return function(a, b) return a + b, 'more' end", .integer(40), .integer(2))
        == .integer(42))
  }

  @Test("arguments keep their places around a nil")
  func nilArguments() async throws {
    let source =
      "return function(...) local a, b, c = ... return select('#', ...) .. tostring(a) .. b .. tostring(c) end"
    #expect(try await TestHost.run(source, .nil, .integer(1), .nil) == .string("3nil1nil"))
  }

  @Test(
    "values come back from Lua as they went in",
    arguments: [
      LuaValue.nil, .bool(true), .bool(false), .integer(.min), .integer(.max), .number(0.1), .number(2),
      .number(.infinity), .string(""), .string("ä\u{0}€"), .bytes([0xFF, 0x00, 0xC0]), .null, .array([]),
      .table([]),
      .array([.integer(1), .string("x"), .array([.bool(true)])]),
      .table(("a", .null), ("b", .array([]))).sorted,
    ])
  func roundTrip(value: LuaValue) async throws {
    #expect(try await TestHost.run("return function(v) return v end", value).sorted == value)
    #expect(try await TestHost.run("return function(v) return echo.now(v) end", value).sorted == value)
    #expect(try await TestHost.run("return function(v) return echo.later(v) end", value).sorted == value)
  }

  @Test("preludes find what they are told of a run, and the host learns whether they lent it something")
  func facts() async throws {
    let cell = try TestHost.cell(["main.lua": "return function() return run_table().told.fact end"])
    let run = try await cell.open(telling: [("fact", RawJSON(trusted: Array(#"{"n":1}"#.utf8)))])
    #expect(try await cell.value(run, "main", context: Scene()) == .string(#"{"n":1}"#))
    #expect(try await !cell.hasLent(run))
    _ = try await cell.value(run, "lend", context: Scene())
    #expect(try await cell.hasLent(run))
    await cell.close(run)
    let error = await #expect(throws: ScriptError.self) { try await cell.hasLent(run) }
    #expect(error?.kind == .closed)
  }

  @Test("of a run that used up its time nothing is said but that", arguments: [false, true])
  func lentByOneThatIsOver(isShared: Bool) async throws {
    let cell = try TestHost.cell(["main.lua": "return function() while true do end end"])
    let meter = CPUMeter()
    let run = try await cell.open(budget: .short, meter: meter)
    let burning = isShared ? try await cell.open(budget: .short, meter: meter) : run
    _ = try? await cell.value(burning, "main", context: Scene())
    let error = await #expect(throws: ScriptError.self) { try await cell.hasLent(run) }
    #expect(error?.kind == .timeLimit)
  }

  @Test("a lazy table makes a field when it is looked at, and all of them for who looks at the whole")
  func lazyTable() async throws {
    let source = """
      return function()
        local made = {}
        local function make(_, name) made[#made + 1] = name return name .. "!" end
        local function lazily(all) return lazy(make, function() return all end, function() return pairs(all) end) end
        local table = lazily{ a = make(nil, "a"), b = make(nil, "b") }
        local one = table.c
        local looped, stepped = 0, 0
        for name, value in pairs(table) do looped = looped + #(name .. value) end
        for name, value in next, table do stepped = stepped + #(name .. value) end
        local text = json.encode({ inner = lazily{ c = 1 } })
        return {
          one, made[3], looped, stepped, rawget(table, "b"), text, pcall(rawset, table, "a", 1),
          echo.now(lazily{ d = 1 }).d, lazily{ e = 2 },
        }
      end
      """
    #expect(
      try await TestHost.run(source)
        == .array([
          .string("c!"), .string("c"), .integer(6), .integer(6), .string("b!"),
          .string(#"{"inner":{"c":1}}"#),
          .bool(false), .integer(1), .table(("e", .integer(2))),
        ]))
  }

  @Test("a result can leave as JSON")
  func jsonResult() async throws {
    let cell = try TestHost.cell([
      "main.lua": "return function() return { b = { 1, 2.5 }, a = json.null } end"
    ])
    let run = try await cell.open()
    #expect(try await cell.json(run, "main", context: Scene()).text == #"{"a":null,"b":[1,2.5]}"#)
    guard case .json(let json) = try await cell.call(run, "main", returning: .json, context: Scene()) else {
      Issue.record("no JSON")
      return
    }
    #expect(json.text == #"{"a":null,"b":[1,2.5]}"#)
  }

  @Test("JSON from the host arrives as tables")
  func jsonArgument() async throws {
    let source = "return function(v) return v.list[2].x end"
    let json = RawJSON(trusted: Array(#"{"list":[1,{"x":"deep"}]}"#.utf8))
    #expect(try await TestHost.run(source, .json(json)) == .string("deep"))
  }

  @Test(
    "a result that cannot leave Lua is a bad result",
    arguments: [
      "return function() return print_nothing or function() end end",
      "return function() return { 1, nil, 3 } end",
      "return function() return { 1, x = 2 } end",
      "return function() return { [1.5] = 2 } end",
      "return function() local t = {} t.t = t return t end",
    ])
  func badResult(source: String) async throws {
    #expect(try await TestHost.failure(source).kind == .badResult)
  }

  @Test("a result larger than the budget allows is a bad result")
  func largeResult() async throws {
    let source = "return function() return ('x'):rep(2000) end"
    let budget = RunBudget(resultBytesMax: 1000)
    #expect(try await TestHost.failure(source, budget: budget).kind == .badResult)
    let cell = try TestHost.cell(["main.lua": source])
    let run = try await cell.open(budget: budget)
    await #expect(throws: ScriptError.self) { try await cell.json(run, "main", context: Scene()) }
  }

  @Test("a bad argument of a host call names the function and the place")
  func badArgument() async throws {
    let error = try await TestHost.failure("return function() echo.now({ 1, x = 2 }) end")
    #expect(error.message == "bad argument #1 to 'echo.now' (mixed or sparse table)")
    #expect(error.line == 1)
    let function = try await TestHost.failure("return function() echo.later(1, print, function() end) end")
    #expect(
      function.message == "bad argument #1 to 'echo.later' (function not allowed)"
        || function.message == "bad argument #3 to 'echo.later' (function not allowed)")
  }

  @Test("an argument that repeats a long string is too large, not a lot of memory")
  func amplifiedArgument() async throws {
    let source = """
      return function()
        local s, t = ("x"):rep(1 << 20), {}
        for i = 1, 1000 do t[i] = s end
        echo.now(t)
      end
      """
    #expect(
      try await TestHost.failure(source).message == "bad argument #1 to 'echo.now' (value is too large)")
  }

  @Test(
    "a host error is a table that pcall catches, across a wait too",
    arguments: ["refuse.now", "refuse.later"])
  func caughtHostError(function: String) async throws {
    let source = """
      return function()
        local ok, err = pcall(\(function))
        return { ok, err.code, err.message, err.retryable, err.detail.who, tostring(err) }
      end
      """
    #expect(
      try await TestHost.run(source)
        == .array([
          .bool(false), .string("denied"), .string("not you"), .bool(true), .string("you"),
          .string("denied: not you"),
        ]))
  }

  @Test("an uncaught host error keeps its code, detail and place", arguments: ["refuse.now", "refuse.later"])
  func uncaughtHostError(function: String) async throws {
    let error = try await TestHost.failure("return function()\n  \(function)()\nend")
    #expect(error.kind == .runtime)
    #expect(error.hostError == TestHost.refusal)
    #expect(error.script == "main.lua")
    #expect(error.line == 2)
  }

  @Test("an error table of a script with a code and a message counts as a host error")
  func ownErrorTable() async throws {
    let error = try await TestHost.failure(
      "return function() error({ code = 'mine', message = 'oh', detail = { 1 } }) end")
    #expect(
      error.hostError == HostError(code: "mine", message: "oh", detail: RawJSON(trusted: Array("[1]".utf8))))
  }

  @Test("a runtime error tells script, line and traceback, the message without them")
  func runtimeError() async throws {
    let error = try await TestHost.failure(
      """
      local function inner()
        local nothing
        return nothing.field
      end
      return function() return (inner()) end
      """)
    #expect(error.kind == .runtime)
    #expect(error.message == "attempt to index a nil value (local 'nothing')")
    #expect(error.script == "main.lua")
    #expect(error.line == 3)
    #expect(error.traceback?.contains("main.lua:5:") == true)
    #expect(error.description == "main.lua:3: attempt to index a nil value (local 'nothing')")
  }

  @Test("an error while a script loads tells the script's own line")
  func loadError() async throws {
    let cell = try TestHost.cell([
      "main.lua": "local x = require 'lib.broken'\nreturn function() return x end",
      "lib/broken.lua": "\n\nlocal t = nil + 1",
    ])
    let run = try await cell.open()
    let error = await #expect(throws: ScriptError.self) {
      try await cell.value(run, "main", context: Scene())
    }
    #expect(error?.script == "lib/broken.lua")
    #expect(error?.line == 3)
  }

  @Test(
    "an error value without words is told by its type, one with __tostring by that",
    arguments: [
      ("error({})", "(error object is a table value)"), ("error()", "(error object is a nil value)"),
      ("error(12)", "12"), ("error('plain', 0)", "plain"), ("error('first\\nsecond', 0)", "first"),
      ("error(setmetatable({}, { __tostring = function() return 'words' end }))", "words"),
      (
        "error(setmetatable({}, { __tostring = function() error('no') end }))",
        "(error object is a table value)"
      ),
      (
        "error(setmetatable({}, { __tostring = function() return {} end }))",
        "(error object is a table value)"
      ),
      ("error(setmetatable({}, { __tostring = function() return echo.later('waited') end }))", "waited"),
    ])
  func errorValues(statement: String, message: String) async throws {
    #expect(try await TestHost.failure("return function() \(statement) end").message == message)
  }

  @Test("an endless __tostring of an error is stopped by the budget")
  func endlessToString() async throws {
    let source =
      "return function() error(setmetatable({}, { __tostring = function() while true do end end })) end"
    #expect(try await TestHost.failure(source, budget: .short).kind == .timeLimit)
  }

  @Test("host calls are refused while a script loads")
  func loadPhase() async throws {
    let error = try await TestHost.failure("local x = echo.now(1)\nreturn function() end")
    #expect(
      error.message
        == "echo.now is not available while a script loads; call it from a tool, prompt, before, after or run"
    )
    let spawn = try await TestHost.failure("local x = parallel{ function() end }\nreturn function() end")
    #expect(spawn.message == "parallel is not available while a script loads")
  }

  @Test("the load phase ends with the load, even when it fails")
  func loadPhaseEnds() async throws {
    let cell = try TestHost.cell([
      "main.lua":
        "return function() local ok = pcall(require, 'lib.broken') return echo.later(tostring(ok)) end",
      "lib/broken.lua": "error('broken')",
    ])
    let run = try await cell.open()
    #expect(try await cell.value(run, "main", context: Scene()) == .string("false"))
  }

  @Test("a module is evaluated once per run")
  func requireOnce() async throws {
    let cell = try TestHost.cell([
      "main.lua": "return function() require('lib.m').n = 5 return require('lib.m').n end",
      "lib/m.lua": "return { n = 1 }",
    ])
    let run = try await cell.open()
    #expect(try await cell.value(run, "main", context: Scene()) == .integer(5))
  }

  @Test("a cycle of modules is an error that names its way")
  func moduleCycle() async throws {
    let cell = try TestHost.cell([
      "main.lua": "return require 'lib.a'", "lib/a.lua": "return require 'lib.b'",
      "lib/b.lua": "return require 'lib.a'",
    ])
    let run = try await cell.open()
    let error = await #expect(throws: ScriptError.self) {
      try await cell.value(run, "main", context: Scene())
    }
    #expect(error?.message == "module cycle: lib/a.lua -> lib/b.lua -> lib/a.lua")
  }

  @Test(
    "only modules of lib can be required",
    arguments: ["io", "main", "lib", "lib.", "lib..main", "lib/m", "../x", "lib.none"])
  func requireElsewhere(name: String) async throws {
    let error = try await TestHost.failure("return function() require('\(name)') end")
    #expect(error.message.hasPrefix("module '\(name)' not found"))
  }

  @Test("calls of one run overlap")
  func overlappingCalls() async throws {
    let cell = try TestHost.cell(["main.lua": "return function(n) if n == 1 then hang('a') end return n end"])
    let run = try await cell.open()
    let scene = Scene()
    let first = Task { try await cell.value(run, "main", [.integer(1)], context: scene) }
    await scene.someoneWaits()
    #expect(try await cell.value(run, "main", [.integer(2)], context: scene) == .integer(2))
    first.cancel()
    await #expect(throws: CancellationError.self) { try await first.value }
  }

  @Test("an entry that does not exist, a closed run and a full cell are told apart")
  func refusals() async throws {
    let cell = try TestHost.cell(["main.lua": "return 1"], limits: CellLimits(runsMax: 1))
    let run = try await cell.open()
    let missing = await #expect(throws: ScriptError.self) {
      try await cell.value(run, "none", context: Scene())
    }
    #expect(missing?.kind == .unknownEntry)
    let full = await #expect(throws: ScriptError.self) { _ = try await cell.open() }
    #expect(full?.kind == .full)
    await cell.close(run)
    let closed = await #expect(throws: ScriptError.self) {
      try await cell.value(run, "main", context: Scene())
    }
    #expect(closed?.kind == .closed)
    _ = try await cell.open()
  }

  @Test("a broken prelude is an error of the cell")
  func brokenPrelude() throws {
    let prelude = try Program.compile(name: "prelude", source: Array("error('oh')".utf8))
    #expect(throws: ScriptError.self) {
      try Cell<Scene>(functions: [], preludes: [prelude], scripts: [:])
    }
  }
}

extension RunBudget {
  static let short = RunBudget(cpu: .milliseconds(50))
}

extension LuaValue {
  /// The value with the fields of its tables in order of their keys.
  var sorted: LuaValue {
    switch self {
    case .table(let fields):
      .table(fields.map { LuaField($0.key, $0.value.sorted) }.sorted { $0.key < $1.key })
    case .array(let elements): .array(elements.map(\.sorted))
    default: self
    }
  }
}
