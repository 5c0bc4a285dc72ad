// SPDX-License-Identifier: Apache-2.0
import DequeModule

/// Lets one fiber of a run at a time stand in line for its cell, so that a run of many branches has no more turns
/// than its neighbours. Its turn lasts until it waits, or ends: between two waits no branch sees another one's work half
/// done, and a run that is replayed does the same. Used by the cell's actor only.
final class FiberQueue {
  private var isOccupied = false
  private var waiting = Deque<UnsafeContinuation<Void, Never>>()

  /// Returns when it is the caller's turn.
  func enter(isolation: isolated (any Actor)? = #isolation) async {
    guard isOccupied else {
      isOccupied = true
      return
    }
    await withUnsafeContinuation { waiting.append($0) }
  }

  /// Ends the caller's turn.
  func leave() {
    guard let next = waiting.popFirst() else {
      isOccupied = false
      return
    }
    next.resume()
  }
}
