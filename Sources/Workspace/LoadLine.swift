// SPDX-License-Identifier: Apache-2.0
import Synchronization

/// Lets loads through one at a time, in the order in which they came.
final class LoadLine: Sendable {
  private let last = Mutex<Task<Void, Never>?>(nil)

  func next<Value: Sendable>(_ body: @escaping @Sendable () async throws -> Value) async throws -> Value {
    let task = last.withLock { last in
      let before = last
      let task = Task {
        await before?.value
        return try await body()
      }
      last = Task { _ = await task.result }
      return task
    }
    return try await task.value
  }
}
