// SPDX-License-Identifier: Apache-2.0
import Synchronization

/// Where an agent of one version stands between being read and being let go of.
///
/// One agent answers many at once: it executes as long as any of its runs does, and then has completed, or failed, as the
/// last of them did.
public final class AgentLifecycle: Sendable {
  public enum State: String, Sendable, CaseIterable {
    case created = "CREATED"
    case initializing = "INITIALIZING"
    case validating = "VALIDATING"
    case validated = "VALIDATED"
    case ready = "READY"
    case executing = "EXECUTING"
    case completed = "COMPLETED"
    case failed = "FAILED"
    case terminated = "TERMINATED"

    /// Those that may follow.
    public var successors: Set<State> {
      switch self {
      case .created: [.initializing, .terminated]
      case .initializing: [.validating, .terminated]
      case .validating: [.validated, .terminated]
      case .validated: [.ready, .terminated]
      case .ready: [.executing, .terminated]
      case .executing: [.completed, .failed, .terminated]
      case .completed, .failed: [.ready, .terminated]
      case .terminated: []
      }
    }
  }

  private struct Position {
    var state = State.created
    var running = 0
    var isRetired = false

    mutating func move(to next: State) throws(Failure) {
      guard state.successors.contains(next) else {
        throw Failure(.conflict, "an agent that is \(state.rawValue) cannot become \(next.rawValue)")
      }
      state = next
    }
  }

  private let position = Mutex(Position())

  public init() {}

  public var state: State { position.withLock(\.state) }
  /// Runs that are under way.
  public var running: Int { position.withLock(\.running) }

  /// - Throws: ``Failure`` `conflict` for a state that may not follow the present one; that stays.
  public func move(to next: State) throws(Failure) {
    try position.withLock { position throws(Failure) in try position.move(to: next) }
  }

  /// A run begins.
  ///
  /// - Throws: ``Failure`` `conflict` before the agent is ready.
  func begin() throws(Failure) {
    try position.withLock { position throws(Failure) in
      // Whoever got hold of it before it was let go of has it to the end.
      if position.running == 0, position.state != .terminated {
        if position.state == .completed || position.state == .failed { try position.move(to: .ready) }
        try position.move(to: .executing)
      }
      position.running += 1
    }
  }

  /// A run has ended that ``begin()`` began.
  func end(completed: Bool) {
    position.withLock { position in
      position.running -= 1
      guard position.running == 0, position.state == .executing else { return }
      position.state = position.isRetired ? .terminated : completed ? .completed : .failed
    }
  }

  /// Its version is in force no longer: it ends with its last run.
  public func retire() {
    position.withLock { position in
      position.isRetired = true
      if position.running == 0 { position.state = .terminated }
    }
  }
}
