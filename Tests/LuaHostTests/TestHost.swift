// SPDX-License-Identifier: Apache-2.0
import JSONCodec
import LuaHost
import Synchronization

/// What a test's host functions get: a log, and a door at which calls wait.
final class Scene: Sendable {
  private let log = Mutex<[String]>([])
  let waiting: AsyncStream<String>
  private let arrived: AsyncStream<String>.Continuation

  init() { (waiting, arrived) = AsyncStream.makeStream() }

  var events: [String] { log.withLock { $0 } }

  func note(_ event: String) { log.withLock { $0.append(event) } }

  /// Returns when a call waits at the door.
  func someoneWaits() async {
    for await _ in waiting { return }
  }

  /// Waits until the task is cancelled.
  func waitForCancellation(_ name: String) async throws {
    arrived.yield(name)
    for await _ in AsyncStream<Never>(unfolding: { await Self.never() }) {}
    throw CancellationError()
  }

  private static func never() async -> Never? {
    let (stream, continuation) = AsyncStream.makeStream(of: Never.self)
    for await _ in stream {}
    _ = continuation
    return nil
  }
}

/// Cells whose single prelude calls functions of scripts.
enum TestHost {
  static let prelude = """
    local host = ...
    local parallel = { settle = function(list) return host.spawn(list, "settle") end }
    function parallel.race(list) return host.spawn(list, "race") end
    function parallel.limited(list, limit) return host.spawn(list, "all", limit) end
    setmetatable(parallel, { __call = function(_, list)
      local results = host.spawn(list, "all")
      for i, result in ipairs(results) do results[i] = result.value end
      return results
    end })
    return {
      globals = {
        parallel = parallel,
        fail = host.error,
        run_table = host.run,
        readonly = host.readonly,
        lazy = host.lazy,
        hidden = function(...) return host.functions["_hidden"](...) end,
      },
      entries = {
        lend = host.lend,
        main = function(...)
          local script = host.load("main.lua")
          if type(script) == "function" then return script(...) end
          return script
        end,
        script = function(name, ...)
          local script = host.load(name)
          if type(script) == "function" then return script(...) end
          return script
        end,
      },
    }
    """

  static let functions: [HostFunction<Scene>] = [
    HostFunction(
      "note",
      .immediate { arguments, scene, _ in
        scene.note(arguments.map { $0.string ?? "\($0)" }.joined(separator: " "))
        return .nil
      }),
    HostFunction("echo.now", .immediate { arguments, _, _ in arguments.first ?? .nil }),
    HostFunction(
      "echo.later",
      .suspending { arguments, _, _ in
        await Task.yield()
        return arguments.first ?? .nil
      }),
    HostFunction("echo.list", .immediate { arguments, _, _ in .array(arguments) }),
    HostFunction(
      "echo.decoded",
      .immediate { arguments, _, _ in
        .json(RawJSON(trusted: Array((arguments.first?.string ?? "null").utf8)))
      }),
    HostFunction("refuse.now", .immediate { _, _, _ in throw TestHost.refusal }),
    HostFunction(
      "refuse.later",
      .suspending { _, _, _ in
        await Task.yield()
        throw TestHost.refusal
      }),
    HostFunction(
      "hang",
      .suspending { arguments, scene, _ in
        try await scene.waitForCancellation(arguments.first?.string ?? "")
        return .nil
      }),
    HostFunction(
      "cancel_caller",
      .immediate { _, _, _ in
        withUnsafeCurrentTask { $0?.cancel() }
        return .nil
      }),
    HostFunction("_hidden", .immediate { _, _, _ in .string("only for preludes") }),
  ]

  static let refusal = HostError(
    code: "denied", message: "not you", retryable: true,
    detail: RawJSON(trusted: Array(#"{"who":"you"}"#.utf8)))

  static func cell(
    _ scripts: [String: String], limits: CellLimits = CellLimits(),
    functions: [HostFunction<Scene>] = TestHost.functions
  ) throws -> Cell<Scene> {
    try Cell(
      functions: functions,
      preludes: [Program.compile(name: "prelude", source: Array(prelude.utf8))],
      scripts: programs(scripts), limits: limits)
  }

  static func programs(_ scripts: [String: String]) throws -> [String: Program] {
    var programs: [String: Program] = [:]
    for (name, source) in scripts {
      programs[name] = try Program.compile(name: name, source: Array(source.utf8))
    }
    return programs
  }

  /// Evaluates the source in a cell of its own and calls what it returns, if that is a function.
  static func run(
    _ source: String, _ arguments: LuaValue..., budget: RunBudget = RunBudget(),
    limits: CellLimits = CellLimits(),
    scene: Scene = Scene()
  ) async throws -> LuaValue {
    let cell = try cell(["main.lua": source], limits: limits)
    let run = try await cell.open(budget: budget)
    return try await cell.value(run, "main", arguments, context: scene)
  }

  /// The error with which the source ends.
  static func failure(
    _ source: String, budget: RunBudget = RunBudget(), limits: CellLimits = CellLimits(),
    scene: Scene = Scene()
  ) async throws -> ScriptError {
    do {
      let value = try await run(source, budget: budget, limits: limits, scene: scene)
      return ScriptError(.unknownEntry, "no failure but \(value)")
    } catch let error as ScriptError {
      return error
    }
  }
}
