// SPDX-License-Identifier: Apache-2.0
internal import CLuaHost

/// Owns one Lua state and answers what C asks during a slice. Used by one task at a time: the cell's actor.
final class CellState<Context: Sendable> {
  let raw: OpaquePointer
  private let responder: Responder<Context>
  private let callbacks: Callbacks
  /// Their bytecode is read in place.
  private let scripts: [Program]

  /// Makes the state, runs the preludes and closes the globals.
  ///
  /// - Parameter failAfter: The count of allocations that succeed; `nil` for all.
  init(
    functions: [HostFunction<Context>], preludes: [Program], scripts: [String: Program], limits: CellLimits,
    failAfter: Int? = nil
  ) throws(ScriptError) {
    let responder = Responder(functions: functions)
    let callbacks = Callbacks { responder.answer($0, function: Int($1)) }
    let table = clh_callbacks(
      context: Unmanaged.passUnretained(callbacks).toOpaque(),
      immediate: { context, fiber, function in
        guard let context, let fiber else { return }
        Unmanaged<Callbacks>.fromOpaque(context).takeUnretainedValue().answer(fiber, function)
      },
      is_cancelled: { _ in Task.isCancelled })
    guard let raw = clh_state_create(limits.memoryBytesMax, table, failAfter ?? -1) else {
      throw ScriptError(.memoryLimit, Self.noMemory)
    }
    self.raw = raw
    self.responder = responder
    self.callbacks = callbacks
    self.scripts = Array(scripts.values)
    try fill(functions, preludes, scripts)
  }

  deinit { clh_state_close(raw) }

  private func fill(
    _ functions: [HostFunction<Context>], _ preludes: [Program], _ scripts: [String: Program]
  ) throws(ScriptError) {
    for function in functions {
      var suspending = false
      if case .suspending = function.body { suspending = true }
      try require(clh_state_add_function(raw, function.name, suspending))
    }
    for (name, script) in scripts {
      try require(clh_state_add_script(raw, name, script.code.bytes, script.code.count))
    }
    try check(clh_state_start(raw))
    for prelude in preludes {
      try check(clh_state_prelude(raw, prelude.name, prelude.code.bytes, prelude.code.count))
    }
    try check(clh_state_seal(raw))
  }

  private func require(_ done: Bool) throws(ScriptError) {
    guard done else { throw ScriptError(.memoryLimit, Self.noMemory) }
  }

  private func check(_ done: Bool) throws(ScriptError) {
    guard !done else { return }
    var length = 0
    let bytes = clh_state_report(raw, &length)
    throw ScriptError(report: UnsafeRawBufferPointer(start: bytes, count: length))
  }

  private static var noMemory: String { "there is not enough memory for a cell" }

  /// Says whose slice begins.
  func begin(_ fiber: Fiber, _ context: Context) { responder.running = (fiber, context) }

  func end() { responder.running = nil }

  /// Reads the arguments of the host call that a fiber waits for, or has made.
  static func arguments(of fiber: OpaquePointer) -> [LuaValue] {
    var length = 0
    let bytes = clh_fiber_output(fiber, &length)
    var reader = TapeReader(UnsafeRawBufferPointer(start: bytes, count: length))
    return reader.arguments()
  }

  /// What the suspending function of that number does.
  func suspending(
    _ number: UInt32
  ) -> (@Sendable ([LuaValue], Context, CallSite) async throws -> LuaValue)? {
    guard case .suspending(let body) = responder.functions[Int(number)].body else { return nil }
    return body
  }
}

/// What may be asked of a cell from outside of its actor, while a slice is running.
// SAFETY: C reads each number atomically; the cell that has this keeps the state.
struct CellGauge: @unchecked Sendable {
  let raw: OpaquePointer

  /// How long the running slice has lasted; zero between slices.
  var slice: Duration { .nanoseconds(clh_state_slice_ns(raw)) }
  /// Lua memory at the end of the last slice.
  var memoryBytes: Int { clh_state_bytes_seen(raw) }
}

/// Answers immediate host calls in the name of the running slice.
private final class Responder<Context: Sendable> {
  let functions: [HostFunction<Context>]
  var running: (fiber: Fiber, context: Context)?

  init(functions: [HostFunction<Context>]) { self.functions = functions }

  func answer(_ fiber: OpaquePointer, function number: Int) {
    let arguments = CellState<Context>.arguments(of: fiber)
    guard let running, case .immediate(let body) = functions[number].body,
      let tape = clh_fiber_input(fiber)
    else { return }
    do {
      TapeWriter(tape: tape).write(try body(arguments, running.context, running.fiber.site))
    } catch {
      TapeWriter(tape: clh_fiber_input(fiber)).raise(HostError(any: error))
    }
  }
}

/// What C holds: the generic part behind a closure, because a C function pointer cannot be generic.
private final class Callbacks {
  let answer: (OpaquePointer, UInt32) -> Void

  init(_ answer: @escaping (OpaquePointer, UInt32) -> Void) { self.answer = answer }
}

extension HostError {
  /// The error as the script sees it; a foreign error may hold secrets, so only its kind is told.
  init(any error: any Error) {
    switch error {
    case let error as HostError: self = error
    case is CancellationError: self.init(code: "cancelled", message: "the call was cancelled")
    default: self.init(code: "internal", message: "the host failed: \(type(of: error))")
    }
  }
}
