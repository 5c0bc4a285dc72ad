// SPDX-License-Identifier: Apache-2.0
public import JSONCodec

/// What one cell may use.
public struct CellLimits: Sendable, Hashable {
  /// Lua memory of all its runs together, in bytes. A cell that is nearly full ends the run that has
  /// allocated most, and may exceed the limit by an eighth while it does.
  public var memoryBytesMax: Int
  /// Open runs.
  public var runsMax: Int

  public init(memoryBytesMax: Int = 32 << 20, runsMax: Int = 32) {
    self.memoryBytesMax = memoryBytesMax
    self.runsMax = runsMax
  }
}

/// What one run may use.
public struct RunBudget: Sendable, Hashable {
  /// Time in which its Lua code runs, all calls together; waiting for the host does not count.
  public var cpu: Duration
  /// Size of one call's result.
  public var resultBytesMax: Int
  /// Branches of one `host.spawn`.
  public var branchesMax: Int

  public init(cpu: Duration = .seconds(2), resultBytesMax: Int = 1 << 20, branchesMax: Int = 256) {
    self.cpu = cpu
    self.resultBytesMax = resultBytesMax
    self.branchesMax = branchesMax
  }
}

/// Lua time that several runs use up together, in whatever cells they are.
public final class CPUMeter: Sendable {
  // SAFETY: after `init` only C touches it, atomically; a run that counts on it holds this object.
  nonisolated(unsafe) let nanoseconds: UnsafeMutablePointer<Int64>

  public init() {
    nanoseconds = .allocate(capacity: 1)
    nanoseconds.initialize(to: 0)
  }

  deinit { nanoseconds.deallocate() }
}

/// Names an open run of one cell.
public struct RunHandle: Sendable, Hashable {
  let number: UInt64
}

/// How a call's result leaves Lua.
public enum ResultForm: Sendable, Hashable {
  case value
  case json
}

/// What an entry returned, in the form that was asked for.
public enum CallResult: Sendable, Hashable {
  case value(LuaValue)
  case json(RawJSON)
}
