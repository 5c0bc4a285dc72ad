// SPDX-License-Identifier: Apache-2.0
import Synchronization

extension SpanExporter {
  private enum Attempt {
    case settled(OTLPReply)
    /// There was an answer with that status, or none.
    case failed(reason: String, reply: OTLPReply)
    case cancelled
  }

  /// Sends the oldest batch until it is taken or given up.
  ///
  /// One task at a time: the batch stays in the queue meanwhile, so nothing is lost when the task is
  /// cancelled.
  ///
  /// - Returns: How many spans have left the queue; 0 when it is empty, or the task was cancelled.
  func deliverBatch() async -> Int {
    let batch = state.withLock { $0.queue.batch() }
    if batch.isEmpty { return 0 }
    let body = OTLP.encode(batch, resource: resource, scope: scope, limits: options.limits)
    var attempts = 0
    var began: Duration?
    while true {
      guard await waitUntilAllowed() else { return 0 }
      let start = began ?? clock.elapsed()
      began = start
      attempts += 1
      switch await attempt(body, spanCount: batch.count) {
      case .cancelled: return 0
      case .settled(let reply):
        settle(batch.count, reply)
        return batch.count
      case .failed(let reason, .tryAgain(let seconds)):
        let next = postpone(afterSeconds: seconds)
        if options.retry.isExhausted(attempts: attempts, age: next - start) {
          drop(batch.count)
          tell("\(batch.count) spans were given up after \(attempts) attempts: \(reason)")
          return batch.count
        }
        tell("spans could not be sent, to be tried again: \(reason)")
      case .failed(let reason, _):
        state.withLock { state in
          state.counters.failures += 1
          state.failuresInRow = 0
        }
        drop(batch.count)
        tell("\(batch.count) spans were given up: \(reason)")
        return batch.count
      }
    }
  }

  private func attempt(_ body: [UInt8], spanCount: Int) async -> Attempt {
    do {
      let response = try await send(body)
      let reply = OTLPReply(response, spanCount: spanCount)
      if case .accepted = reply { return .settled(reply) }
      return .failed(reason: "the collector answered \(response.status)", reply: reply)
    } catch {
      // A cancelled request fails in whichever way its sender has.
      if Task.isCancelled { return .cancelled }
      if let failure = error as? SendFailure {
        return .failed(
          reason: failure.message, reply: failure.isRetryable ? .tryAgain(afterSeconds: nil) : .refused)
      }
      // Its words may have the URL in them.
      return .failed(reason: "no answer (\(type(of: error)))", reply: .tryAgain(afterSeconds: nil))
    }
  }

  /// - Returns: Whether something may be sent now; `false` when the task was cancelled.
  private func waitUntilAllowed() async -> Bool {
    let delay = state.withLock(\.notBefore) - clock.elapsed()
    if delay > .zero {
      do { try await clock.sleep(delay) } catch { return false }
    }
    return !Task.isCancelled
  }

  /// - Returns: When the next request may be sent.
  private func postpone(afterSeconds seconds: Int?) -> Duration {
    let random = random()
    let now = clock.elapsed()
    return state.withLock { state in
      state.counters.failures += 1
      state.failuresInRow += 1
      state.notBefore =
        now
        + options.retry.delay(
          afterFailures: state.failuresInRow, retryAfterSeconds: seconds, random: random)
      return state.notBefore
    }
  }

  private func settle(_ count: Int, _ reply: OTLPReply) {
    guard case .accepted(let rejected, let note) = reply else { return }
    state.withLock { state in
      state.queue.remove(count)
      state.counters.exported += count - rejected
      state.counters.rejected += rejected
      state.failuresInRow = 0
    }
    if rejected > 0 || note != nil {
      tell("the collector rejected \(rejected) of \(count) spans" + (note.map { ": \($0)" } ?? ""))
    }
  }

  private func drop(_ count: Int) {
    state.withLock { state in
      state.queue.remove(count)
      state.counters.droppedUndelivered += count
    }
  }

  func tellOfOverflow() {
    let isNews = state.withLock { $0.overflow > 0 }
    if isNews { tell("the queue of spans was full") }
  }

  /// Tells the operator, unless it was told something within the last minute.
  func tell(_ problem: String) {
    let now = clock.elapsed()
    let line = state.withLock { state -> String? in
      guard let withheld = state.complaints.admit(at: now) else { return nil }
      var line = problem
      if state.overflow > 0 { line += "; \(state.overflow) spans found no room in the queue" }
      if withheld > 0 { line += "; \(withheld) more problems since the last message" }
      state.overflow = 0
      return line
    }
    if let line { onProblem(line) }
  }
}
