// SPDX-License-Identifier: Apache-2.0
import Core
import Synchronization

/// What was looked up a moment ago: whoever may ask, and however many, costs no more than a look-up a second.
final class Recent<Value: Sendable>: Sendable {
  private struct State {
    var last: (at: Duration, value: Value)?
    var task: Task<Value, Never>?
  }

  private static var validity: Duration { .seconds(1) }

  private let time: any TimeSource
  private let lookUp: @Sendable () async -> Value
  private let state = Mutex(State())

  init(time: any TimeSource, _ lookUp: @escaping @Sendable () async -> Value) {
    self.time = time
    self.lookUp = lookUp
  }

  /// What is known, or what a look-up finds that all who wait share.
  var value: Value {
    get async {
      let (known, task) = state.withLock { state -> (Value?, Task<Value, Never>?) in
        if let last = state.last, time.elapsed - last.at < Self.validity { return (last.value, nil) }
        let task = state.task ?? Task { await fetch() }
        state.task = task
        return (nil, task)
      }
      if let known { return known }
      if let task { return await task.value }
      return await lookUp()
    }
  }

  private func fetch() async -> Value {
    let value = await lookUp()
    state.withLock { state in
      state.last = (time.elapsed, value)
      state.task = nil
    }
    return value
  }
}
