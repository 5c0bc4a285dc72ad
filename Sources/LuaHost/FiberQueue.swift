// SPDX-License-Identifier: Apache-2.0
import DequeModule
import Threads

/// Lets one fiber of a run at a time stand in line for its cell, so that a run of many branches has no more turns
/// than its neighbours. Used by the cell's actor only.
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

  /// Gives the turn to whichever fiber has waited longest, of this run and the others of the cell.
  func giveWay(isolation: isolated (any Actor)? = #isolation) async {
    await TurnLine.giveWay()
    guard let next = waiting.popFirst() else { return }
    await withUnsafeContinuation { continuation in
      waiting.append(continuation)
      next.resume()
    }
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
