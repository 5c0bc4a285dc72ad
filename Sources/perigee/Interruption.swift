// SPDX-License-Identifier: Apache-2.0
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
  private let cancel = Mutex<(@Sendable () -> Void)?>(nil)

  /// Watches until the process ends.
  func watch() async {
    let signals = await UnixSignalsSequence(trapping: .sigint)
    Task {
      for await _ in signals {
        guard let cancel = cancel.withLock({ $0 }) else { exit(130) }
        cancel()
      }
    }
  }

  /// Runs one turn.
  func turn<Value: Sendable>(_ body: @escaping @Sendable () async throws -> Value) async throws -> Value {
    let task = Task { try await body() }
    cancel.withLock { $0 = { task.cancel() } }
    defer { cancel.withLock { $0 = nil } }
    return try await task.value
  }
}
