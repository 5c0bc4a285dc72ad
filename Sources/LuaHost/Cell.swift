// SPDX-License-Identifier: Apache-2.0
internal import CLuaHost
public import JSONCodec

/// One Lua state that hosts several runs of the same scripts, each in an environment of its own.
///
/// Calls of one run, and of different runs, overlap wherever one of them waits for the host or has used up
/// its slice of about a millisecond. Dropping the cell frees everything.
public actor Cell<Context: Sendable> {
  let state: CellState<Context>
  private nonisolated let gauge: CellGauge
  let limits: CellLimits
  let branching: Branching<Context>?
  private var runs: [UInt64: Run] = [:]
  private var lastNumber: UInt64 = 0

  struct Run {
    let raw: OpaquePointer
    let budget: RunBudget
    let meter: CPUMeter
    let queue = FiberQueue()
  }

  /// Makes a cell: its globals are in place, no script has been evaluated.
  ///
  /// - Parameters:
  ///   - preludes: Trusted programs, called once with the `host` table; each returns
  ///     `{ globals = {...}, entries = {...} }`, or a function that does when it is called with `host`.
  ///   - branching: What the host makes of parallel branches; nil = nothing.
  ///   - scripts: By the names by which `host.load` finds them; `require "lib.money"` finds `lib/money.lua`.
  /// - Throws: ``ScriptError`` when a prelude fails or the memory does not suffice.
  public init(
    functions: [HostFunction<Context>], preludes: [Program], scripts: [String: Program],
    limits: CellLimits = CellLimits(), branching: Branching<Context>? = nil
  ) throws(ScriptError) {
    self.limits = limits
    self.branching = branching
    state = try CellState(functions: functions, preludes: preludes, scripts: scripts, limits: limits)
    gauge = CellGauge(raw: state.raw)
  }

  /// Opens a run with a fresh environment; evaluates no script.
  ///
  /// - Parameters:
  ///   - meter: Counts its time, together with that of every other run that has it.
  ///   - facts: Texts that preludes find under these names in `host.run().told`.
  /// - Throws: ``ScriptError`` of kind `full` or `memoryLimit`.
  public func open(
    budget: RunBudget = RunBudget(), meter: CPUMeter = CPUMeter(),
    telling facts: [(name: String, text: RawJSON)] = []
  ) throws(ScriptError) -> RunHandle {
    guard runs.count < limits.runsMax else {
      throw ScriptError(.full, "the cell has \(runs.count) runs already")
    }
    let branches = UInt32(clamping: budget.branchesMax)
    guard let raw = clh_run_open(state.raw, budget.cpu.nanoseconds, budget.resultBytesMax, branches) else {
      throw ScriptError(.memoryLimit, "the cell has not enough memory for another run")
    }
    clh_run_share_meter(raw, meter.nanoseconds)
    for (name, text) in facts {
      let isTold = text.bytes.withUnsafeBytes {
        clh_run_tell(raw, name, $0.baseAddress?.assumingMemoryBound(to: CChar.self), $0.count)
      }
      guard isTold else {
        clh_run_close(raw)
        throw ScriptError(.memoryLimit, "the cell has not enough memory for another run")
      }
    }
    lastNumber += 1
    runs[lastNumber] = Run(raw: raw, budget: budget, meter: meter)
    return RunHandle(number: lastNumber)
  }

  /// Stops what still runs in the run and frees its memory; a run that is closed already is left alone.
  ///
  /// Pending `__close` handlers run, with a small budget of their own. Calls that are under way throw
  /// ``ScriptError`` of kind `closed` as soon as the host function they wait for returns.
  ///
  /// - Returns: ``isHealthy``, for whoever chooses the cells of the next runs.
  @discardableResult
  public func close(_ run: RunHandle) -> Bool {
    if let run = runs.removeValue(forKey: run.number) { clh_run_close(run.raw) }
    return isHealthy
  }

  /// Calls a prelude's entry and takes its first result as a value.
  ///
  /// - Throws: As ``call(_:_:_:returning:context:)``.
  public func value(
    _ run: RunHandle, _ entry: String, _ arguments: [LuaValue] = [], context: Context, seed: UInt64? = nil
  ) async throws -> LuaValue {
    try await perform(run, entry, arguments, returning: .value, context: context, seed: seed) { bytes in
      var reader = TapeReader(bytes)
      return reader.value()
    }
  }

  /// Calls a prelude's entry and takes its first result as JSON, encoded in C; `nil` is `null`.
  ///
  /// - Throws: As ``call(_:_:_:returning:context:)``.
  public func json(
    _ run: RunHandle, _ entry: String, _ arguments: [LuaValue] = [], context: Context, seed: UInt64? = nil
  ) async throws -> RawJSON {
    try await perform(run, entry, arguments, returning: .json, context: context, seed: seed) { bytes in
      RawJSON(trusted: Array(bytes))
    }
  }

  /// Calls a prelude's entry in a fresh fiber of the run and takes its first result.
  ///
  /// Several calls of one run may overlap. Cancelling the task ends this call, not the run: pending `__close`
  /// handlers run, and no `pcall` of the script sees the end.
  ///
  /// - Parameters:
  ///   - context: What this call's host functions get, those of its branches too.
  ///   - seed: Of which its random numbers come, and those of its branches; nil = nobody knows.
  /// - Throws: ``ScriptError``, or `CancellationError` when the task was cancelled. A run that used up its
  ///   time, or the memory, is over for all its calls; later ones throw kind `closed`.
  public func call(
    _ run: RunHandle, _ entry: String, _ arguments: [LuaValue] = [], returning form: ResultForm = .value,
    context: Context, seed: UInt64? = nil
  ) async throws -> CallResult {
    switch form {
    case .value: .value(try await value(run, entry, arguments, context: context, seed: seed))
    case .json: .json(try await json(run, entry, arguments, context: context, seed: seed))
    }
  }

  /// Says whether a prelude lent the run something that it may change.
  ///
  /// - Throws: ``ScriptError`` for a run that is over, by what ended it.
  public func hasLent(_ handle: RunHandle) throws(ScriptError) -> Bool {
    guard let run = runs[handle.number] else { throw ScriptError(.closed, "the run is over") }
    var death = clh_run_death(run.raw)
    // Others use up the same meter.
    if death == CLH_ALIVE, clh_run_cpu_ns(run.raw) >= run.budget.cpu.nanoseconds { death = CLH_DEATH_TIME }
    if death != CLH_ALIVE { throw ScriptError(death, of: run) }
    return clh_run_has_lent(run.raw)
  }

  /// Lua memory of the cell, in bytes.
  public var memoryBytes: Int { clh_state_bytes(state.raw) }

  /// Says whether a slice goes on for longer than it should, until whose end nothing else of the cell can run.
  public nonisolated var isHeld: Bool { gauge.slice > .milliseconds(2) }

  /// Lua memory of the cell at the end of its last slice, in bytes.
  public nonisolated var memoryBytesSeen: Int { gauge.memoryBytes }

  /// Open runs.
  public var runCount: Int { runs.count }

  /// Runs opened so far.
  public var runsOpened: Int { Int(clamping: lastNumber) }

  /// Says whether there is room for more runs: no more than three quarters of the memory are in use.
  public var isHealthy: Bool { clh_state_bytes(state.raw) < limits.memoryBytesMax / 4 * 3 }

  /// Lua time that the run has used; `nil` when it is closed.
  public func cpu(of run: RunHandle) -> Duration? {
    runs[run.number].map { .nanoseconds(clh_run_cpu_ns($0.raw)) }
  }

  /// Frees all garbage at once, which takes about as long as a slice.
  public func collectGarbage() { clh_state_collect(state.raw) }

  private func perform<Result>(
    _ handle: RunHandle, _ entry: String, _ arguments: [LuaValue], returning form: ResultForm,
    context: Context, seed: UInt64?,
    _ read: (UnsafeRawBufferPointer) -> Result
  ) async throws -> Result {
    guard let run = runs[handle.number], clh_run_death(run.raw) == CLH_ALIVE else {
      throw ScriptError(.closed, "the run is over")
    }
    let fiber = try start(entry, arguments, form, seed ?? .random(in: .min ... .max), in: run)
    defer { clh_fiber_close(fiber.raw) }
    let end = await drive(fiber, context)
    var length = 0
    let output = UnsafeRawBufferPointer(start: clh_fiber_output(fiber.raw, &length), count: length)
    switch end {
    case .done: return read(output)
    case .failed: throw ScriptError(report: output)
    case .dead(CLH_DEATH_CANCELLED): throw CancellationError()
    case .dead(let death): throw ScriptError(death, of: run)
    }
  }

  private func start(
    _ entry: String, _ arguments: [LuaValue], _ form: ResultForm, _ seed: UInt64, in run: Run
  ) throws(ScriptError) -> Fiber {
    var raw: OpaquePointer?
    let form = form == .json ? CLH_RESULT_JSON : CLH_RESULT_VALUE
    let started = clh_fiber_open(run.raw, entry, form, seed, &raw)
    guard let raw, started == CLH_STARTED else {
      if started == CLH_NO_ENTRY { throw ScriptError(.unknownEntry, "there is no entry \(entry)") }
      throw ScriptError(.memoryLimit, "the cell has not enough memory for another call")
    }
    TapeWriter(tape: clh_fiber_input(raw)).write(.array(arguments))
    return Fiber(raw: raw, path: "", queue: run.queue)
  }
}

extension ScriptError {
  fileprivate init<Context>(_ death: clh_death, of run: Cell<Context>.Run) {
    switch death {
    case CLH_DEATH_TIME:
      let overrun = Duration.nanoseconds(clh_run_cpu_ns(run.raw)) - run.budget.cpu
      self.init(
        .timeLimit,
        "the run used up its \(run.budget.cpu) of Lua time (stopped \(overrun / .milliseconds(1)) ms later)")
    case CLH_DEATH_STRETCH: self.init(.timeLimit, "a comparator or a pattern took too long without a pause")
    case CLH_DEATH_MEMORY: self.init(.memoryLimit, "the run used up the memory of its cell")
    default: self.init(.closed, "the run is over")
    }
  }
}

extension Duration {
  /// Whole nanoseconds, at most those of an `Int64`.
  fileprivate var nanoseconds: Int64 {
    let (seconds, attoseconds) = components
    let (product, overflows) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
    let (sum, overflowsToo) = product.addingReportingOverflow(attoseconds / 1_000_000_000)
    return overflows || overflowsToo ? .max / 2 : min(sum, .max / 2)
  }
}
