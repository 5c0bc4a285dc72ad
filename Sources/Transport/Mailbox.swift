// SPDX-License-Identifier: Apache-2.0
import CCurl
import Glibc
import Synchronization

/// What callers ask of the loop thread, handed over in batches: many messages, one wake-up.
final class Mailbox: Sendable {
  enum Message {
    case start(Transfer)
    case cancel(Transfer)
    /// The reader of a paused body has room again.
    case resume(Transfer)
    case job(UnownedJob)
    case shutdown
  }

  private struct State {
    var messages: [Message] = []
    /// The loop thread waits for events, or is about to.
    var isAsleep = false
    var isClosed = false
  }

  /// Readable when there is something for a sleeping loop.
  let wakeUp: Int32
  private let state = Mutex(State())

  init() throws(TransportError) {
    wakeUp = ccurl_eventfd()
    guard wakeUp >= 0 else { throw TransportError(.closed, "no file descriptor is left") }
  }

  deinit { close(wakeUp) }

  /// Posts a message; false when the loop takes none any more.
  @discardableResult
  func post(_ message: Message) -> Bool {
    let (isTaken, wakes) = state.withLock { state in
      guard !state.isClosed else { return (false, false) }
      state.messages.append(message)
      if case .shutdown = message { state.isClosed = true }
      defer { state.isAsleep = false }
      return (true, state.isAsleep)
    }
    if wakes {
      var one: UInt64 = 1
      _ = write(wakeUp, &one, 8)
    }
    return isTaken
  }

  /// Takes what has come; when that is nothing, the loop may sleep and is woken by the next message.
  func takeOrSleep(into batch: inout [Message]) {
    state.withLock { state in
      swap(&batch, &state.messages)
      state.isAsleep = batch.isEmpty
    }
  }

  func drainWakeUp() {
    var count: UInt64 = 0
    _ = read(wakeUp, &count, 8)
  }
}

/// Runs tasks on the loop thread, between the events of its sockets.
extension Mailbox: TaskExecutor {
  func enqueue(_ job: consuming ExecutorJob) {
    let job = UnownedJob(job)
    // A loop that has ended leaves the rest of a task to the others.
    if !post(.job(job)) { globalConcurrentExecutor.enqueue(job) }
  }
}
