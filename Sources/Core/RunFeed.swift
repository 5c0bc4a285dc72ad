// SPDX-License-Identifier: Apache-2.0
public import JSONCodec
import Synchronization

/// What happens during a run, for whoever watches it.
public enum RunEvent: Sendable {
  case started(runID: String, sessionID: String)
  /// A piece of the answer. The pieces since the last tool event, put together, are the answer's text.
  case text(String)
  indirect case toolStarted(id: String, name: String, arguments: RawJSON)
  indirect case toolFinished(ToolCall)
  /// The run asks a person, and may wait for long.
  indirect case approvalRequested(Approval)
  /// The last event of a turn whose run has left memory until something happens.
  indirect case waiting(WaitingRun)
  /// The last event of a turn that was answered.
  case completed(ChatReply)
  /// The last event of a turn that was not.
  case failed(Failure)
}

/// The events of one run, numbered from 1 and kept, so that a watcher may come late or come back.
public final class RunFeed: Sendable {
  fileprivate struct State {
    var events: [RunEvent] = []
    /// Text since the last tool event.
    var shown = ""
    var isOver = false
    var waiting: [Wakeup] = []
  }

  private let state = Mutex(State())
  private let deadlines: DeadlineQueue

  init(deadlines: DeadlineQueue) { self.deadlines = deadlines }

  func append(_ event: RunEvent) { append([event]) }

  /// Adds events; who waits is woken once for all of them.
  func append(_ events: [RunEvent]) {
    guard !events.isEmpty else { return }
    let waiting = state.withLock { state -> [Wakeup] in
      if state.isOver { return [] }
      for event in events { state.append(event) }
      return state.takeWaiting()
    }
    for wakeup in waiting { wakeup.wake() }
  }

  /// Adds what the answer has beyond the text that was shown, and the last event.
  func finish(_ result: Result<ChatOutcome, Failure>) {
    let waiting = state.withLock { state -> [Wakeup] in
      if state.isOver { return [] }
      switch result {
      case .success(.waiting(let run)): state.append(.waiting(run))
      case .success(.answered(let reply)):
        // Mostly all was shown, which is found out at once; a text that goes on never equals its beginning.
        if reply.text != state.shown, reply.text.utf8.starts(with: state.shown.utf8) {
          let rest = reply.text.utf8.dropFirst(state.shown.utf8.count)
          if !rest.isEmpty { state.append(.text(String(Substring(rest)))) }
        }
        state.append(.completed(reply))
      case .failure(let failure): state.append(.failed(failure))
      }
      state.isOver = true
      return state.takeWaiting()
    }
    for wakeup in waiting { wakeup.wake() }
  }

  /// Events so far.
  public var count: Int { state.withLock { $0.events.count } }

  /// A reader of the events after number `number`.
  public func watch(after number: Int = 0) -> RunWatcher {
    RunWatcher(feed: self, after: max(0, number), Wakeup(deadlines))
  }

  /// Events after `number`: empty when none came in time, `nil` when no more will come.
  fileprivate func events(
    after number: Int, within limit: Duration, _ wakeup: Wakeup
  ) async throws -> [RunEvent]? {
    if let ready = take(after: number, orWake: wakeup) { return ready.events }
    let end = deadlines.elapsed + limit
    while true {
      wakeup.setAlarm(at: end)
      // Suspends the task and holds no thread.
      await wakeup.wait()
      try Task.checkCancellation()
      if let ready = take(after: number, orWake: wakeup) { return ready.events }
      // The alarm may be that of an earlier wait.
      if deadlines.elapsed >= end { break }
    }
    state.withLock { state in state.waiting.removeAll { $0 === wakeup } }
    return []
  }

  /// What can be handed out at once, `nil` events at the end; `nil` = nothing yet.
  private func take(after number: Int, orWake wakeup: Wakeup) -> (events: [RunEvent]?, Void)? {
    state.withLock { state in
      if number < state.events.count {
        // A copy of its own: while a part of the list is in other hands, adding to it copies all of it.
        return (Array(state.events[number...]), ())
      }
      if state.isOver { return (nil, ()) }
      if !state.waiting.contains(where: { $0 === wakeup }) { state.waiting.append(wakeup) }
      return nil
    }
  }
}

extension RunFeed.State {
  fileprivate mutating func append(_ event: RunEvent) {
    switch event {
    case .text(let piece):
      shown += piece
    case .toolStarted, .toolFinished: shown = ""
    case .started, .completed, .failed, .approvalRequested, .waiting: break
    }
    events.append(event)
  }

  fileprivate mutating func takeWaiting() -> [Wakeup] {
    defer { waiting = [] }
    return waiting
  }
}

/// Reads a feed from one place on, in one task.
public struct RunWatcher: Sendable {
  private let feed: RunFeed
  private let wakeup: Wakeup
  /// Number of the last event that was read.
  public private(set) var read: Int

  fileprivate init(feed: RunFeed, after number: Int, _ wakeup: Wakeup) {
    self.feed = feed
    self.wakeup = wakeup
    read = number
  }

  /// Waits for events.
  ///
  /// - Returns: The next ones, at least one unless `limit` passed without any; `nil` after the last.
  /// - Throws: `CancellationError`.
  public mutating func next(within limit: Duration) async throws -> [RunEvent]? {
    guard let events = try await feed.events(after: read, within: limit, wakeup) else { return nil }
    read += events.count
    return events
  }
}

/// What a watcher waits for, again and again; it may have happened before.
private final class Wakeup: Sendable {
  private enum State {
    case sleeping
    case waiting(CheckedContinuation<Void, Never>)
    case awake
  }

  private let deadlines: DeadlineQueue
  private let state = Mutex(State.sleeping)
  /// Stays set from one wait to the next: most end long before it.
  private let alarm = Mutex<(time: Duration, ticket: DeadlineQueue.Ticket)?>(nil)

  init(_ deadlines: DeadlineQueue) { self.deadlines = deadlines }

  deinit { alarm.withLock { if let alarm = $0 { deadlines.cancel(alarm.ticket) } } }

  /// Returns when woken since the last wait, or when the task is cancelled.
  func wait() async {
    await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let isAwake = state.withLock { state in
          if case .awake = state {
            state = .sleeping
            return true
          }
          state = .waiting(continuation)
          return false
        }
        if isAwake { continuation.resume() }
      }
    } onCancel: {
      wake()
    }
  }

  func wake() {
    let waiting = state.withLock { state -> CheckedContinuation<Void, Never>? in
      guard case .waiting(let continuation) = state else {
        state = .awake
        return nil
      }
      state = .sleeping
      return continuation
    }
    waiting?.resume()
  }

  /// Wakes at a time of the deadlines' clock, or before, where an earlier alarm is set.
  func setAlarm(at time: Duration) {
    alarm.withLock { alarm in
      if let alarm {
        if alarm.time <= time { return }
        deadlines.cancel(alarm.ticket)
      }
      alarm = (time, deadlines.schedule(after: time - deadlines.elapsed) { [weak self] in self?.ring() })
    }
  }

  private func ring() {
    alarm.withLock { $0 = nil }
    wake()
  }
}
