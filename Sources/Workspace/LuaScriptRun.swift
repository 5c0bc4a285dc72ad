// SPDX-License-Identifier: Apache-2.0
import Core
import HostModules
import JSONCodec
import Logging
import LuaHost

/// One run's functions, in a place of a cell.
struct LuaScriptRun: ScriptRun {
  private let scope: ScriptScope
  private let pool: CellPool
  private let place: CellPool.Place
  private let handle: RunHandle
  /// Shared with the agents that it calls.
  private let meter: CPUMeter
  private let journal: Journal

  static func open(
    _ scope: ScriptScope, host: LuaScriptHost, caller: LuaScriptRun?, journal: Journal
  ) async throws -> LuaScriptRun {
    let meter = caller?.meter ?? CPUMeter()
    let place: CellPool.Place
    do {
      place = try host.pool.take(beside: caller?.place)
    } catch {
      throw Failure(error, of: scope.run.agent.name)
    }
    do {
      let handle = try await place.cell.open(
        budget: host.budget, meter: meter, telling: facts(of: scope.run, host: host))
      return LuaScriptRun(
        scope: scope, pool: host.pool, place: place, handle: handle, meter: meter, journal: journal)
    } catch {
      host.pool.give(back: place)
      throw Failure(error, of: scope.run.agent.name)
    }
  }

  /// What a function of the run may look at: each part by itself, as most functions look at few.
  private static func facts(of run: RunContext, host: LuaScriptHost) -> [(name: String, text: RawJSON)] {
    [
      ("file", RawJSON(.string(run.agent.file))), ("user", text(of: run.user)),
      ("session", RawJSON(.string(run.sessionID))), ("state", run.state), ("input", run.input),
      ("run", text(of: run, version: host.version)), ("env", host.environment),
    ]
  }

  private static func text(of user: Principal) -> RawJSON {
    var writer = JSONWriter()
    writer.object {
      $0.member("id", user.id)
      if let tenant = user.tenant { $0.member("tenant", tenant.name) }
      $0.member("name", user.name)
      $0.member("roles", JSON.array(user.roles.map { .string($0) }))
      $0.member("claims", JSON.object(user.claims))
    }
    return writer.raw
  }

  private static func text(of run: RunContext, version: String) -> RawJSON {
    var writer = JSONWriter()
    writer.object {
      $0.member("id", run.runID)
      $0.member("version", version)
      $0.member("agent", run.agent.name)
    }
    return writer.raw
  }

  func close() async {
    let isHealthy = await place.cell.close(handle)
    pool.give(back: place, isHealthy: isHealthy)
  }
}

// MARK: The functions of an agent

extension LuaScriptRun {
  func guarded(_ value: RawJSON, at stage: GuardStage, key: String) async throws -> GuardVerdict {
    let verdict = try await json(
      .guards, [.string(stage.rawValue), .json(value)], in: ScriptScope(at: "\(key):", in: scope)
    ).value()
    return GuardVerdict(
      value: verdict["value"].map { RawJSON($0) },
      rules: (verdict["rules"]?.array ?? []).compactMap(\.string),
      refusal: verdict["refusal"]?.string)
  }

  func before(message: String) async throws -> String {
    try await text(.before, [.string(message)])
  }

  func prompt() async throws -> String { try await text(.prompt, []) }

  func tools(askedBy key: String?) async throws -> [String] {
    let scope = key.map { ScriptScope(at: "\($0)/tools:", in: self.scope) }
    guard case .array(let names) = try await value(.tools, [], in: scope) else { return [] }
    return names.compactMap { if case .string(let name) = $0 { name } else { nil } }
  }

  func compact(_ passages: [FoldedPassage]) async throws -> String? {
    var writer = JSONWriter(reservingCapacity: passages.reduce(64) { $0 + $1.text.utf8.count + 32 })
    writer.array { list in
      for passage in passages {
        list.object {
          $0.member("role", passage.role.rawValue)
          $0.member("text", passage.text)
        }
      }
    }
    return try await text(.compact, [.json(writer.raw)])
  }

  func call(
    _ tool: Tool, arguments: RawJSON, call: ToolCallContext, within transaction: (any OpenTransaction)?
  ) async throws -> RawJSON {
    do {
      return try await place.cell.json(
        handle, .call,
        [.string(tool.file), .string(tool.name), .json(arguments), .bytes(text(of: call).bytes)],
        scope: ScriptScope(tool, call, in: scope, within: transaction), seed: journal.seed(for: call.place))
    } catch let error as ScriptError {
      // What the tool raised on purpose is for the model; a fault in its script is for its author.
      if error.hostError == nil {
        scope.resources.logger.error(
          "the tool '\(tool.name)' failed: \(error.report)",
          metadata: ["run": "\(scope.run.runID)", "agent": "\(scope.run.agent.name)"])
      }
      throw Failure(error, of: tool)
    }
  }

  func check(_ tool: Tool, arguments: RawJSON, call: ToolCallContext) async throws -> RawJSON? {
    do {
      let verdict = try await place.cell.json(
        handle, .checkCall,
        [.string(tool.file), .string(tool.name), .json(arguments), .bytes(text(of: call).bytes)],
        scope: ScriptScope(tool, call, in: scope), seed: journal.seed(for: call.place))
      return try verdict.value()["result"].map { RawJSON($0) }
    } catch let error as ScriptError {
      throw Failure(error, of: tool)
    }
  }

  func wantsApproval(
    _ tool: Tool, arguments: RawJSON, call: ToolCallContext
  ) async throws -> RawJSON {
    do {
      return try await place.cell.json(
        handle, .wantsApproval,
        [.string(tool.file), .string(tool.name), .json(arguments), .bytes(text(of: call).bytes)],
        scope: ScriptScope(tool, call, in: scope), seed: journal.seed(for: call.place))
    } catch let error as ScriptError {
      throw Failure(error, of: tool)
    }
  }

  private func text(of call: ToolCallContext) -> RawJSON {
    var writer = JSONWriter()
    writer.object {
      $0.member("id", call.id)
      $0.member("key", call.key)
      $0.member("attempt", call.attempt)
    }
    return writer.raw
  }

  func after(_ reply: ScriptReply) async throws -> ScriptReply {
    var writer = JSONWriter(reservingCapacity: reply.text.utf8.count + 64)
    writer.object {
      $0.member("text", reply.text)
      if let data = reply.data { $0.member("data", data) }
      $0.key("tool_calls")
      $0.array { writer in for call in reply.calls { call.writeForScripts(to: &writer) } }
    }
    return try await self.reply(.after, [.json(writer.raw)])
  }

  func stub(message: String) async throws -> ScriptReply { try await reply(.stub, [.string(message)]) }

  func run() async throws -> ScriptReply { try await reply(.run, []) }

  func call(_ function: StepFunction) async throws -> RawJSON {
    let path = LuaValue.array(function.path.map { .string($0) })
    return try await json(
      .step, [path, .string(function.name.rawValue), .array(function.arguments.map { .json($0) })],
      in: ScriptScope(at: function.place, in: scope))
  }

  func post(_ body: RawJSON, to url: String, key: String) async throws -> RawJSON {
    try await scope.post(body, to: url, key: key)
  }

  func changedState() async throws -> RawJSON? {
    do {
      guard try await place.cell.hasLent(handle) else { return nil }
    } catch {
      throw Failure(error, of: scope.run.agent.name)
    }
    let state = try await json(.state, [])
    return state == scope.run.state ? nil : state
  }

  private func text(_ entry: ScriptEntry, _ arguments: [LuaValue]) async throws -> String {
    switch try await value(entry, arguments) {
    case .string(let text): return text
    case .bytes(let bytes): return String(decoding: bytes, as: UTF8.self)
    default: return ""
    }
  }

  private func reply(_ entry: ScriptEntry, _ arguments: [LuaValue]) async throws -> ScriptReply {
    let value = try JSON(parsing: try await json(entry, arguments).bytes)
    return ScriptReply(
      text: value["text"]?.string ?? "", data: value["data"].flatMap { $0.isNull ? nil : RawJSON($0) })
  }

  private func value(
    _ entry: ScriptEntry, _ arguments: [LuaValue], in given: ScriptScope? = nil
  ) async throws -> LuaValue {
    do {
      let scope = given ?? ScriptScope(entry.rawValue, in: scope)
      return try await place.cell.value(
        handle, entry, arguments, scope: scope, seed: journal.seed(for: scope.place))
    } catch let error as ScriptError {
      throw Failure(error, in: scope)
    }
  }

  private func json(
    _ entry: ScriptEntry, _ arguments: [LuaValue], in given: ScriptScope? = nil
  ) async throws -> RawJSON {
    do {
      let scope = given ?? ScriptScope(entry.rawValue, in: scope)
      return try await place.cell.json(
        handle, entry, arguments, scope: scope, seed: journal.seed(for: scope.place))
    } catch let error as ScriptError {
      throw Failure(error, in: scope)
    }
  }
}

extension Cell where Context == ScriptScope? {
  /// Calls an entry for a small result.
  func value(
    _ run: RunHandle, _ entry: ScriptEntry, _ arguments: [LuaValue], scope: ScriptScope?, seed: UInt64? = nil
  ) async throws -> LuaValue {
    switch try await call(run, entry.rawValue, arguments, returning: .value, context: scope, seed: seed) {
    case .value(let value): value
    case .json(let json): .json(json)
    }
  }

  /// Calls an entry for a result that goes on as JSON.
  func json(
    _ run: RunHandle, _ entry: ScriptEntry, _ arguments: [LuaValue], scope: ScriptScope?, seed: UInt64? = nil
  ) async throws -> RawJSON {
    switch try await call(run, entry.rawValue, arguments, returning: .json, context: scope, seed: seed) {
    case .json(let json): json
    case .value: .null
    }
  }
}
