// SPDX-License-Identifier: Apache-2.0
import Synchronization

/// Values that callbacks of any thread leave for the test.
final class Recorder<Value: Sendable>: Sendable {
  private let state = Mutex<[Value]>([])

  var values: [Value] { state.withLock { $0 } }

  func append(_ value: Value) { state.withLock { $0.append(value) } }
}
