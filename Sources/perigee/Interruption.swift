// SPDX-License-Identifier: Apache-2.0
import Core
import Glibc
import Synchronization
import UnixSignals

/// Ctrl-C while a command works for somebody.
enum Interruption {
  /// Runs `body`; SIGINT and SIGTERM cancel it, and what it began is ended and recorded before the process goes.
  ///
  /// - Throws: `CancellationError` when it was interrupted, or what `body` throws.
  static func cancelling(_ body: @escaping @Sendable () async throws -> Void) async throws {
    let signals = await UnixSignalsSequence(trapping: .sigint, .sigterm)
    try await withThrowingTaskGroup(of: Bool.self) { group in
      group.addTask {
        try await body()
        return false
      }
      group.addTask {
        for await _ in signals { return true }
        return false
      }
      defer { group.cancelAll() }
      guard try await group.next() == true else { return }
      group.cancelAll()
      while await group.nextResult() != nil {}
      throw CancellationError()
    }
  }
}

/// Ctrl-C in a conversation: the turn under way is cancelled and the conversation goes on; at the prompt it ends.
final class TurnInterruption: Sendable {
  private struct Turn {
    let cancel: @Sendable () -> Void
    let leave: @Sendable () -> Void
    var isCancelled = false
  }

  private let turn = Mutex<Turn?>(nil)

  /// Watches until the process ends.
  func watch() async {
    let signals = await UnixSignalsSequence(trapping: .sigint)
    Task {
      for await _ in signals {
        let act = turn.withLock { turn -> (@Sendable () -> Void)? in
          guard let now = turn else { return nil }
          turn?.isCancelled = true
          return now.isCancelled ? now.leave : now.cancel
        }
        guard let act else { exit(130) }
        act()
      }
    }
  }

  /// Runs one turn: the first Ctrl-C cancels its task, and the second one waits for its end no longer.
  ///
  /// - Throws: What `body` throws; ``Failure`` `cancelled` when it was left.
  func turn<Value: Sendable>(_ body: @escaping @Sendable () async throws -> Value) async throws -> Value {
    let (ends, ending) = AsyncStream<Result<Value, any Error>>.makeStream()
    // Under the lock: no signal finds the turn begun and nobody to cancel it.
    let task = turn.withLock { turn in
      let task = Task { try await body() }
      turn = Turn(
        cancel: { task.cancel() },
        leave: {
          ending.yield(.failure(Failure(.cancelled, "the turn was left before it had ended; it may go on")))
        })
      return task
    }
    defer { turn.withLock { $0 = nil } }
    Task { ending.yield(await task.result) }
    for await end in ends { return try end.get() }
    throw CancellationError()
  }
}
