// SPDX-License-Identifier: Apache-2.0
import JSONCodec
import Synchronization

/// What a run waits for that may take days: people, and the clock.
///
/// A run is one line of execution, and one more for each branch, parallel call or step. Where all of them have waited
/// for a moment, the run leaves memory: it is its journal until something it waits for has happened. Whoever ends a
/// wait hands the line on, so that there is always one as long as anything goes on.
public final class RunWaits: Sendable {
  /// How long all must wait before the run leaves memory: many questions are answered at once.
  public static let grace = Duration.seconds(1)

  private struct State {
    var waiting: [String: CheckedContinuation<RawJSON, any Error>] = [:]
    /// Answers that came before anybody waited for them.
    var settled: [String: RawJSON] = [:]
    /// Keys whose wait was given up before it had begun.
    var cancelled: Set<String> = []
    var approvals: [Approval] = []
    /// Changes with everything that happens.
    var generation: UInt64 = 0
    var leave: (@Sendable () -> Void)?
    var grace = RunWaits.grace
    var isSuspended = false
    /// Keys that were waited for when the run left.
    var left: [String] = []
  }

  private let deadlines: DeadlineQueue
  /// Lines of execution that do not wait.
  private let lines = Atomic<Int>(1)
  private let hasWaits = Atomic<Bool>(false)
  private let state = Mutex(State())

  init(deadlines: DeadlineQueue) { self.deadlines = deadlines }

  /// Says how the run leaves memory; without it, it never does.
  func onIdle(after grace: Duration = grace, _ leave: @escaping @Sendable () -> Void) {
    state.withLock { state in
      state.leave = leave
      state.grace = grace
    }
  }

  /// The run has left, or is leaving.
  var isSuspended: Bool { state.withLock { $0.isSuspended } }
  /// Keys of what the run waited for when it left.
  var keysLeft: [String] { state.withLock { $0.left } }
  /// What was asked of people, the first question first.
  var approvals: [Approval] { state.withLock { $0.approvals } }
  /// Whether it has ever waited.
  var hasWaited: Bool { hasWaits.load(ordering: .relaxed) }

  /// Says by how many the lines of execution have become more, or fewer: one that waits for others is none, and goes
  /// on with the line of the one that ended.
  public func count(lines more: Int) {
    lines.add(more, ordering: .sequentiallyConsistent)
    if more < 0, hasWaits.load(ordering: .sequentiallyConsistent) { watch() }
  }

  func asked(_ approval: Approval) { state.withLock { $0.approvals.append(approval) } }

  /// Whether something is waited for whose key begins so.
  func isWaiting(under prefix: String) -> Bool {
    hasWaited && state.withLock { $0.waiting.keys.contains { $0.hasPrefix(prefix) } }
  }

  /// Questions that somebody still waits for, by their keys.
  var pending: [Approval] {
    state.withLock { state in state.approvals.filter { state.waiting[$0.key] != nil } }
  }

  /// Waits until ``settle(_:_:)`` brings the answer.
  func wait(for key: String) async throws -> RawJSON {
    hasWaits.store(true, ordering: .sequentiallyConsistent)
    return try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<RawJSON, any Error>) in
        let verdict = state.withLock { state -> Result<RawJSON, any Error>? in
          state.generation += 1
          if let answer = state.settled.removeValue(forKey: key) { return .success(answer) }
          if state.cancelled.remove(key) != nil { return .failure(CancellationError()) }
          state.waiting[key] = continuation
          return nil
        }
        if let verdict { continuation.resume(with: verdict) } else { count(lines: -1) }
      }
    } onCancel: {
      let continuation = state.withLock { state in
        let continuation = state.waiting.removeValue(forKey: key)
        if continuation == nil { state.cancelled.insert(key) }
        return continuation
      }
      guard let continuation else { return }
      count(lines: 1)
      continuation.resume(throwing: CancellationError())
    }
  }

  /// Brings what is waited for under a key.
  func settle(_ key: String, _ answer: RawJSON) {
    let continuation = state.withLock { state in
      state.generation += 1
      let continuation = state.waiting.removeValue(forKey: key)
      if continuation == nil { state.settled[key] = answer }
      return continuation
    }
    guard let continuation else { return }
    count(lines: 1)
    continuation.resume(returning: answer)
  }

  /// Looks in a moment whether the run is idle.
  private func watch() {
    let (generation, grace) = state.withLock { state in
      state.generation += 1
      return (state.generation, state.grace)
    }
    guard lines.load(ordering: .sequentiallyConsistent) <= 0 else { return }
    _ = deadlines.schedule(after: grace) { [weak self] in self?.leave(unlessSince: generation) }
  }

  private func leave(unlessSince generation: UInt64) {
    guard lines.load(ordering: .sequentiallyConsistent) <= 0 else { return }
    let leave = state.withLock { state -> (@Sendable () -> Void)? in
      guard state.generation == generation, !state.waiting.isEmpty, !state.isSuspended,
        let leave = state.leave
      else { return nil }
      state.isSuspended = true
      state.left = Array(state.waiting.keys)
      return leave
    }
    leave?()
  }
}
