// SPDX-License-Identifier: Apache-2.0
import Core
import Synchronization

/// Lends out a fixed set of things, first come first served; with one thing it is a lock.
final class LeasePool<Element: Sendable>: Sendable {
  private struct State {
    var idle: [Element]
    var waiting: [(id: UInt64, continuation: CheckedContinuation<Element, any Error>)] = []
    var nextID: UInt64 = 0
    var closing: CheckedContinuation<[Element], Never>?
    var isClosed = false
  }

  private let count: Int
  private let state: Mutex<State>

  init(_ elements: [Element]) {
    count = elements.count
    state = Mutex(State(idle: elements))
  }

  /// Waits for its turn; whoever takes an element puts it back.
  ///
  /// - Throws: `CancellationError` while it waits; ``Failure`` when the pool is closed.
  func take() async throws -> Element {
    let id = state.withLock { state in
      state.nextID += 1
      return state.nextID
    }
    return try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { continuation in
        let result: Result<Element, any Error>? = state.withLock { state in
          if Task.isCancelled { return .failure(CancellationError()) }
          if state.isClosed { return .failure(Failure.storeClosed) }
          if let element = state.idle.popLast() { return .success(element) }
          state.waiting.append((id, continuation))
          return nil
        }
        if let result { continuation.resume(with: result) }
      }
    } onCancel: {
      let continuation = state.withLock { state in
        state.waiting.firstIndex { $0.id == id }.map { state.waiting.remove(at: $0).continuation }
      }
      continuation?.resume(throwing: CancellationError())
    }
  }

  func put(_ element: Element) {
    let resume: (() -> Void)? = state.withLock { state in
      if !state.waiting.isEmpty {
        let next = state.waiting.removeFirst().continuation
        return { next.resume(returning: element) }
      }
      state.idle.append(element)
      guard state.idle.count == count, let closing = state.closing else { return nil }
      state.closing = nil
      let elements = state.idle
      return { closing.resume(returning: elements) }
    }
    resume?()
  }

  /// Refuses further takers and returns the elements when all are back; empty when it was called before.
  func close() async -> [Element] {
    await withCheckedContinuation { continuation in
      let (waiting, elements): ([CheckedContinuation<Element, any Error>], [Element]?) = state.withLock {
        state in
        if state.isClosed { return ([], []) }
        state.isClosed = true
        let waiting = state.waiting.map(\.continuation)
        state.waiting = []
        if state.idle.count == count { return (waiting, state.idle) }
        state.closing = continuation
        return (waiting, nil)
      }
      for waiter in waiting { waiter.resume(throwing: Failure.storeClosed) }
      if let elements { continuation.resume(returning: elements) }
    }
  }
}
