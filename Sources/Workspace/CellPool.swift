// SPDX-License-Identifier: Apache-2.0
import Core
import HostModules
import LuaHost
import Synchronization

/// The cells of one version of the scripts: made as runs need them, recycled when they have served.
final class CellPool: Sendable {
  /// A place in a cell; given back once.
  struct Place: Sendable {
    let cell: Cell<ScriptScope?>
    fileprivate let id: Int
  }

  private struct Slot {
    let id: Int
    let cell: Cell<ScriptScope?>
    var runs = 0
    /// All runs that it ever had.
    var served = 0
    /// Takes no more runs, and goes with its last one.
    var isRetired = false
  }

  private struct State {
    var slots: [Slot] = []
    var nextID = 0
    /// No new runs are expected: empty cells are not kept.
    var isRetired = false
  }

  /// Runs after which a cell is replaced, so that what leaks in one ends with it.
  private static let runsServedMax = 50_000
  /// Empty cells that are kept.
  private static let idleMax = 4

  private let runsPerCell: Int
  /// Cells among which runs are spread before any is filled: in one cell they wait for each other.
  private let spread: Int
  private let make: @Sendable () throws(ScriptError) -> Cell<ScriptScope?>
  private let state = Mutex(State())

  init(runsPerCell: Int, spread: Int, make: @escaping @Sendable () throws(ScriptError) -> Cell<ScriptScope?>)
  {
    self.runsPerCell = runsPerCell
    self.spread = spread
    self.make = make
  }

  /// Takes a place in the least busy cell, or in a new one while the others are held.
  ///
  /// - Parameter caller: Whose cell is preferred: agents that call one another then crowd each other, not the rest.
  /// - Throws: ``ScriptError`` when a new cell cannot be made.
  func take(beside caller: Place? = nil) throws(ScriptError) -> Place {
    if let place = state.withLock({ takeOpen(beside: caller, &$0) }) { return place }
    // Made outside the lock: it takes a hundred microseconds.
    let cell = try make()
    return state.withLock { state in
      state.nextID += 1
      state.slots.append(Slot(id: state.nextID, cell: cell, runs: 1, served: 1))
      return Place(cell: cell, id: state.nextID)
    }
  }

  private func takeOpen(beside caller: Place?, _ state: inout State) -> Place? {
    if let caller, let index = state.slots.firstIndex(where: { $0.id == caller.id }),
      hasRoom(state.slots[index])
    {
      return takePlace(at: index, &state)
    }
    guard state.slots.count(where: { !$0.isRetired }) >= spread else { return nil }
    var best: Int?
    for index in state.slots.indices {
      let slot = state.slots[index]
      guard hasRoom(slot), !slot.cell.isHeld else { continue }
      if best.map({ slot.runs < state.slots[$0].runs }) ?? true { best = index }
    }
    return best.map { takePlace(at: $0, &state) }
  }

  private func hasRoom(_ slot: Slot) -> Bool { slot.runs < runsPerCell && !slot.isRetired }

  private func takePlace(at index: Int, _ state: inout State) -> Place {
    state.slots[index].runs += 1
    state.slots[index].served += 1
    return Place(cell: state.slots[index].cell, id: state.slots[index].id)
  }

  /// Frees the empty cells, and every other one as soon as its last run has left it.
  func retire() {
    let empty = state.withLock { state in
      state.isRetired = true
      defer { state.slots.removeAll { $0.runs == 0 } }
      return state.slots.filter { $0.runs == 0 }
    }
    // Freed outside the lock: closing a state takes a while.
    withExtendedLifetime(empty) {}
  }

  /// Cells, the runs in them, and their Lua memory.
  var usage: ScriptUsage {
    state.withLock { state in
      ScriptUsage(
        cells: state.slots.count, runs: state.slots.reduce(0) { $0 + $1.runs },
        memoryBytes: state.slots.reduce(0) { $0 + $1.cell.memoryBytesSeen })
    }
  }

  /// - Parameter isHealthy: False when the cell has not enough room left for more runs.
  func give(back place: Place, isHealthy: Bool = true) {
    state.withLock { state in
      guard let index = state.slots.firstIndex(where: { $0.id == place.id }) else { return }
      state.slots[index].runs -= 1
      if !isHealthy || state.slots[index].served >= CellPool.runsServedMax {
        state.slots[index].isRetired = true
      }
      guard state.slots[index].runs == 0 else { return }
      let idle = state.slots.count { $0.runs == 0 }
      if state.isRetired || state.slots[index].isRetired || idle > max(CellPool.idleMax, spread) {
        state.slots.remove(at: index)
      }
    }
  }
}
