// SPDX-License-Identifier: Apache-2.0
import Synchronization

/// Deadlines of everything that is under way, watched by one task.
///
/// A task that sleeps until each deadline would keep its timer long after it was cancelled; here a deadline that is
/// taken back is gone. Fires up to ``tick`` late, never early.
final class DeadlineQueue: Sendable {
  struct Ticket: Sendable {
    fileprivate let bucket: Int64
    fileprivate let number: UInt64
  }

  static let tick = Duration.milliseconds(10)

  private struct State {
    /// By the tick at whose end they are due.
    var buckets: [Int64: [UInt64: @Sendable () -> Void]] = [:]
    var numbers: UInt64 = 0
    var isWatched = false
  }

  private let time: any TimeSource
  private let state = Mutex(State())

  init(time: any TimeSource) { self.time = time }

  /// On the clock that deadlines are measured by.
  var elapsed: Duration { time.elapsed }

  /// Runs `action` when `duration` is over, unless the ticket is given back before.
  func schedule(after duration: Duration, _ action: @escaping @Sendable () -> Void) -> Ticket {
    // A duration beyond what ticks can count is never over.
    let due = (time.elapsed + max(.zero, min(duration, .seconds(1_000_000_000)))) / DeadlineQueue.tick
    let bucket = Int64(due.rounded(.up))
    let (ticket, isFirst) = state.withLock { state in
      state.numbers += 1
      state.buckets[bucket, default: [:]][state.numbers] = action
      defer { state.isWatched = true }
      return (Ticket(bucket: bucket, number: state.numbers), !state.isWatched)
    }
    if isFirst { Task { await self.watch() } }
    return ticket
  }

  func cancel(_ ticket: Ticket) {
    state.withLock { state in
      state.buckets[ticket.bucket]?[ticket.number] = nil
      if state.buckets[ticket.bucket]?.isEmpty == true { state.buckets[ticket.bucket] = nil }
    }
  }

  /// Runs while there is anything to watch.
  private func watch() async {
    while true {
      // Nothing cancels this task.
      try? await time.sleep(for: DeadlineQueue.tick)
      let now = Int64((time.elapsed / DeadlineQueue.tick).rounded(.down))
      let due: [@Sendable () -> Void]? = state.withLock { state in
        if state.buckets.isEmpty {
          state.isWatched = false
          return nil
        }
        return state.buckets.keys.filter { $0 <= now }.sorted().flatMap { bucket in
          // In one tick, what was scheduled first comes first.
          (state.buckets.removeValue(forKey: bucket) ?? [:]).sorted { $0.key < $1.key }.map(\.value)
        }
      }
      guard let due else { return }
      for action in due { action() }
    }
  }

  /// A deadline that was set: it passes, or is ended before.
  final class Deadline: Sendable {
    private enum State {
      case pending(Ticket?)
      case passed, ended
    }

    private let state = Mutex(State.pending(nil))

    /// Whether it has passed; that does not change once it was ended.
    var isOver: Bool { state.withLock { if case .passed = $0 { true } else { false } } }

    /// - Returns: Whether it still waits, and is not ended.
    fileprivate func set(_ ticket: Ticket) -> Bool {
      state.withLock { state in
        guard case .pending = state else { return false }
        state = .pending(ticket)
        return true
      }
    }

    /// - Returns: Whether it passes now.
    fileprivate func pass() -> Bool {
      state.withLock { state in
        guard case .pending = state else { return false }
        state = .passed
        return true
      }
    }

    /// - Returns: What has to be given back.
    fileprivate func end() -> Ticket? {
      state.withLock { state in
        guard case .pending(let ticket) = state else { return nil }
        state = .ended
        return ticket
      }
    }
  }

  /// Calls `cancel` when `duration` is over, unless ``end(_:)`` comes first.
  func start(
    after duration: Duration, unless isHeld: @escaping @Sendable () -> Bool = { false },
    cancel: @escaping @Sendable () -> Void
  ) -> Deadline {
    let deadline = Deadline()
    arm(deadline, after: duration, unless: isHeld, cancel: cancel)
    return deadline
  }

  private func arm(
    _ deadline: Deadline, after duration: Duration, unless isHeld: @escaping @Sendable () -> Bool,
    cancel: @escaping @Sendable () -> Void
  ) {
    let ticket = schedule(after: duration) { [self] in
      if isHeld() { return arm(deadline, after: duration, unless: isHeld, cancel: cancel) }
      if deadline.pass() { cancel() }
    }
    if !deadline.set(ticket) { self.cancel(ticket) }
  }

  func end(_ deadline: Deadline) {
    if let ticket = deadline.end() { cancel(ticket) }
  }

  /// Runs `operation`, cancels it when `duration` is over, and waits for it to have ended.
  ///
  /// - Parameter isHeld: Asked when `duration` is over: whether it begins anew.
  /// - Throws: ``Failure`` `timeout` with `message`, or what `operation` throws.
  func withTimeout<Value: Sendable>(
    _ duration: Duration, _ message: @autoclosure () -> String,
    unless isHeld: @escaping @Sendable () -> Bool = { false },
    _ operation: @escaping @Sendable () async throws -> Value
  ) async throws -> Value {
    let executor = withUnsafeCurrentTask { $0?.unownedTaskExecutor?.asTaskExecutor() }
    let task = Task(executorPreference: executor) { try await operation() }
    let deadline = start(after: duration, unless: isHeld) { task.cancel() }
    let result = await withTaskCancellationHandler {
      await task.result
    } onCancel: {
      task.cancel()
    }
    end(deadline)
    if case .failure = result, deadline.isOver, !Task.isCancelled {
      throw Failure(.timeout, message(), retryable: true)
    }
    return try result.get()
  }
}
