// SPDX-License-Identifier: Apache-2.0
internal import CLuaHost
import Threads

/// One coroutine of a run. Its tapes belong to the calling task while it waits for the host.
// SAFETY: only the cell's actor follows them, and the one task that `answer`s a waiting fiber its tapes.
struct Fiber: @unchecked Sendable {
  let raw: OpaquePointer
  /// As ``CallSite/fiber``.
  let path: String
  let queue: FiberQueue

  /// Of the host call that it waits for, or is making.
  var site: CallSite { CallSite(fiber: path, number: clh_fiber_calls(raw)) }

  /// Of the branches that it waits for.
  var spawnSite: CallSite { CallSite(fiber: path, number: clh_fiber_spawns(raw)) }
}

/// How a fiber ended.
enum FiberEnd {
  case done
  case failed
  case dead(clh_death)
}

extension Cell {
  /// Runs a fiber to its end, slice by slice.
  func drive(_ fiber: Fiber, _ context: Context) async -> FiberEnd {
    while true {
      await fiber.queue.enter()
      var slice = resume(fiber, context)
      while slice == CLH_SLICE_PREEMPTED {
        await TurnLine.giveWay()
        slice = resume(fiber, context)
      }
      fiber.queue.leave()
      switch slice {
      case CLH_SLICE_DONE: return .done
      case CLH_SLICE_FAILED: return .failed
      case CLH_SLICE_CALL:
        guard let body = state.suspending(clh_fiber_function(fiber.raw)) else { return .failed }
        await answer(fiber, with: body, context)
        clh_fiber_bill(fiber.raw)
      case CLH_SLICE_SPAWN: await runBranches(of: fiber, context)
      default: return .dead(clh_fiber_death(fiber.raw))
      }
    }
  }

  private func resume(_ fiber: Fiber, _ context: Context) -> clh_slice {
    if Task.isCancelled { clh_fiber_kill(fiber.raw, CLH_DEATH_CANCELLED) }
    state.begin(fiber, context)
    defer { state.end() }
    return clh_fiber_resume(fiber.raw)
  }

  /// Calls the host function that the fiber waits for. Not on the cell's actor: reading large arguments and writing
  /// large results keeps none of its runs waiting.
  @concurrent
  private nonisolated func answer(
    _ fiber: Fiber, with body: @Sendable ([LuaValue], Context, CallSite) async throws -> LuaValue,
    _ context: Context
  ) async {
    do {
      let value = try await body(CellState<Context>.arguments(of: fiber.raw), context, fiber.site)
      TapeWriter(tape: clh_fiber_input(fiber.raw)).write(value)
    } catch {
      TapeWriter(tape: clh_fiber_input(fiber.raw)).raise(HostError(any: error))
    }
  }

  /// Runs the branches of `host.spawn`, at most `limit` at once, until all have ended.
  private func runBranches(of parent: Fiber, _ context: Context) async {
    let mode = clh_fiber_spawn_mode(parent.raw)
    let limit = Int(clh_fiber_branch_limit(parent.raw))
    let site = parent.spawnSite
    var order = Array(0..<clh_fiber_branch_count(parent.raw))
    // Where one branch decided, the others ended with it: what they would do now is not what they did. They run only
    // if it does not decide again, which no script may rely on.
    var isAlone = false
    if mode != CLH_SPAWN_SETTLE, let decider = branching?.recall(context, site),
      let place = order.firstIndex(of: decider)
    {
      order.swapAt(0, place)
      isAlone = true
    }
    await withTaskGroup(of: (UInt32, BranchEnd).self) { group in
      var next = 0
      var underWay = 0
      func begin(upTo count: Int) {
        while next < min(count, order.count) {
          if addBranch(order[next], of: parent, context, to: &group) { underWay += 1 }
          next += 1
        }
      }
      begin(upTo: isAlone ? 1 : limit)
      var isDecided = false
      var ended = 0
      while underWay > 0 {
        branching?.count(context, -1)
        guard let (index, branch) = await group.next() else { break }
        underWay -= 1
        ended += 1
        if !isDecided, Self.decides(branch, mode) {
          isDecided = true
          // After a transaction that was cut off another one may decide than did before.
          if !isAlone || index != order[0] { branching?.keep(context, site, index) }
          clh_fiber_decide(parent.raw, index)
          group.cancelAll()
        }
        // What waits in the host for a run that is over would keep its caller waiting.
        if clh_fiber_death(parent.raw) != CLH_ALIVE { group.cancelAll() }
        if !isDecided { begin(upTo: ended + limit) }
      }
    }
  }

  private static func decides(_ end: BranchEnd, _ mode: clh_spawn_mode) -> Bool {
    switch mode {
    case CLH_SPAWN_ALL: end == .failed
    case CLH_SPAWN_RACE: end == .succeeded
    default: false
    }
  }

  private func addBranch(
    _ index: UInt32, of parent: Fiber, _ context: Context, to group: inout TaskGroup<(UInt32, BranchEnd)>
  ) -> Bool {
    branching?.count(context, 1)
    let isAdded = group.addTaskUnlessCancelled { (index, await self.runBranch(index, of: parent, context)) }
    if !isAdded { branching?.count(context, -1) }
    return isAdded
  }

  private func runBranch(_ index: UInt32, of parent: Fiber, _ context: Context) async -> BranchEnd {
    var raw: OpaquePointer?
    let started = clh_fiber_open_branch(parent.raw, index, &raw)
    guard let raw, started == CLH_STARTED else {
      if started == CLH_NO_MEMORY { clh_fiber_kill(parent.raw, CLH_DEATH_MEMORY) }
      return .stopped
    }
    let path = "\(parent.path)\(clh_fiber_spawns(parent.raw)).\(index)/"
    let fiber = Fiber(raw: raw, path: path, queue: parent.queue)
    defer { clh_fiber_close(raw) }
    switch await drive(fiber, context) {
    case .done: return .succeeded
    case .failed: return .failed
    case .dead: return .stopped
    }
  }
}

private enum BranchEnd {
  case succeeded
  case failed
  /// Cancelled, or its run is over.
  case stopped
}
