// SPDX-License-Identifier: Apache-2.0
import Synchronization

/// Sends spans to a collector, some at a time, behind the back of those who make them.
///
/// ``add(_:)`` never waits: spans that find no room are dropped and counted. One request is under way at a
/// time. A batch that the collector cannot take now is sent again, for a while; meanwhile the queue fills.
public final class SpanExporter: Sendable {
  public struct Options: Sendable, Hashable {
    /// Spans that wait, those under way included; some 1 KB each and their texts.
    public var spansMax = 4096
    /// What they may take in memory, about.
    public var bytesMax = 64 * 1024 * 1024
    /// In a request.
    public var batchSpansMax = 512
    /// In a request, about; collectors take 20 MB, gateways before them often less.
    public var batchBytesMax = 4 * 1024 * 1024
    /// At the latest after it a span is sent, unless others are in its way.
    public var interval = Duration.seconds(5)
    public var retry = RetryPolicy()
    public var limits = OTLP.Limits()

    public init() {}
  }

  /// What the collector answered.
  public struct Response: Sendable, Hashable {
    public var status: Int
    /// `Retry-After` in seconds; a date is the sender's to convert.
    public var retryAfterSeconds: Int?
    public var body: [UInt8]

    public init(status: Int, retryAfterSeconds: Int? = nil, body: [UInt8] = []) {
      self.status = status
      self.retryAfterSeconds = retryAfterSeconds
      self.body = body
    }
  }

  /// Why there was no answer, in words that may be shown. Of any other error only the type is shown.
  public struct SendFailure: Error, Sendable, Hashable {
    public var message: String
    /// Whether the same request may succeed later.
    public var isRetryable: Bool

    public init(_ message: String, isRetryable: Bool = true) {
      self.message = message
      self.isRetryable = isRetryable
    }
  }

  /// A clock that never jumps; `sleep` throws as soon as its task is cancelled.
  public struct Clock: Sendable {
    public var elapsed: @Sendable () -> Duration
    public var sleep: @Sendable (_ duration: Duration) async throws -> Void

    public init(
      elapsed: @escaping @Sendable () -> Duration,
      sleep: @escaping @Sendable (_ duration: Duration) async throws -> Void
    ) {
      self.elapsed = elapsed
      self.sleep = sleep
    }
  }

  /// How many spans and requests there were since the start.
  public struct Counters: Sendable, Hashable {
    /// Spans that the collector took.
    public var exported = 0
    /// Spans that found no room, or came after the end.
    public var droppedUnsent = 0
    /// Spans that were given up: after the last attempt, when refused, or at the end.
    public var droppedUndelivered = 0
    /// Spans that the collector would not have, of requests that it took.
    public var rejected = 0
    /// Requests that failed, those that were sent again included.
    public var failures = 0

    public static let zero = Counters()

    /// Spans that nobody will see.
    public var dropped: Int { droppedUnsent + droppedUndelivered + rejected }
  }

  /// Sends one `ExportTraceServiceRequest` in JSON, with a time limit of its own.
  ///
  /// Must end soon when its task is cancelled. What it throws counts as a failed connection.
  public typealias Send = @Sendable (_ body: [UInt8]) async throws -> Response

  struct State {
    var queue: SpanQueue
    var counters = Counters()
    var complaints = Complaints()
    /// Dropped for want of room, and not yet told.
    var overflow = 0
    /// Opens as soon as there is a batch.
    var due: Gate?
    /// Opens when ``run()`` has ended; `nil` while it is not under way.
    var running: Gate?
    /// ``finish(within:)`` has begun.
    var isClosing = false
    /// It has ended.
    var isClosed = false
    var failuresInRow = 0
    /// Before it nothing is sent.
    var notBefore = Duration.zero
  }

  let options: Options
  let resource: Resource
  let scope: OTLP.Scope
  let clock: Clock
  let random: @Sendable () -> Double
  let send: Send
  let onProblem: @Sendable (String) -> Void
  let state: Mutex<State>
  private let closing = Gate()

  /// - Parameters:
  ///   - random: 0..<1, for the jitter of delays.
  ///   - onProblem: Told of what went wrong, at most once a minute, in a line without headers, bodies and
  ///     URLs; from the task of ``run()`` or of ``finish(within:)``, which waits for its return.
  public init(
    resource: Resource, scope: OTLP.Scope, options: Options = Options(), clock: Clock,
    random: @escaping @Sendable () -> Double = { Double.random(in: 0..<1) },
    onProblem: @escaping @Sendable (String) -> Void = { _ in }, send: @escaping Send
  ) {
    precondition(options.batchSpansMax > 0 && options.spansMax >= options.batchSpansMax)
    self.options = options
    self.resource = resource
    self.scope = scope
    self.clock = clock
    self.random = random
    self.send = send
    self.onProblem = onProblem
    state = Mutex(State(queue: SpanQueue(options)))
  }

  public var counters: Counters { state.withLock(\.counters) }
  /// Spans that wait, those under way included.
  public var queuedCount: Int { state.withLock(\.queue.count) }

  /// Takes spans in to be sent soon; those that find no room are dropped and counted.
  ///
  /// From any thread, and without waiting for anything but other calls of it.
  public func add(_ spans: [Span]) {
    let sizes = spans.map(\.approximateBytes)
    let due = state.withLock { state -> Gate? in
      for (span, bytes) in zip(spans, sizes) {
        if state.isClosed || !state.queue.append(span, bytes: bytes) {
          state.counters.droppedUnsent += 1
          state.overflow += 1
        }
      }
      return state.queue.hasBatch ? state.due.take() : nil
    }
    due?.open()
  }

  /// Sends what is added until the task is cancelled or ``finish(within:)`` is called.
  ///
  /// What is queued then stays queued, what is under way included: the collector may have got that twice in
  /// the end. May be called again after it has ended, not while it is under way.
  public func run() async {
    let running = Gate()
    let mayRun = state.withLock { state in
      precondition(state.running == nil, "the exporter runs already")
      if state.isClosing { return false }
      state.running = running
      return true
    }
    if !mayRun { return }
    await withTaskGroup { group in
      group.addTask { await self.sendUntilCancelled() }
      // Suspends the task and holds no thread; a cancelled wait ends.
      group.addTask { await self.closing.wait() }
      await group.next()
      group.cancelAll()
    }
    state.withLock { $0.running = nil }
    running.open()
  }

  /// Ends ``run()`` and sends what is queued, with retries as ever, for as long as `limit`; the rest is
  /// dropped.
  ///
  /// When the calling task is cancelled, the rest is dropped at once. Spans that are added afterwards are
  /// dropped.
  ///
  /// - Returns: Number of spans that were given up for want of time; 0 at once when it was called before.
  @discardableResult
  public func finish(within limit: Duration) async -> Int {
    let isFirst = state.withLock { state in
      defer { state.isClosing = true }
      return !state.isClosing
    }
    if !isFirst { return 0 }
    closing.open()
    await withTaskGroup { group in
      group.addTask { await self.flush() }
      group.addTask { try? await self.clock.sleep(limit) }
      await group.next()
      group.cancelAll()
    }
    let lost = state.withLock { state in
      state.isClosed = true
      let lost = state.queue.count
      state.queue.remove(lost)
      state.counters.droppedUndelivered += lost
      return lost
    }
    if lost > 0 { tell("\(lost) spans could not be sent before the end") }
    return lost
  }

  private func flush() async {
    // Suspends the task and holds no thread: two requests at once would send a batch twice.
    await state.withLock(\.running)?.wait()
    while !Task.isCancelled, await deliverBatch() > 0 {}
  }

  private func sendUntilCancelled() async {
    while let isFull = await waitUntilDue(), !Task.isCancelled {
      tellOfOverflow()
      // What comes meanwhile waits for the next time, unless it makes a batch: no request for each span.
      var due = isFull ? 0 : queuedCount
      while due > 0 || state.withLock(\.queue.hasBatch) {
        let sent = await deliverBatch()
        if sent == 0 { return }
        due -= sent
      }
      tellOfOverflow()
    }
  }

  /// - Returns: Whether there is a batch, or only the time has come; `nil` when cancelled.
  private func waitUntilDue() async -> Bool? {
    let due = state.withLock { state -> Gate? in
      if state.queue.hasBatch { return nil }
      let due = Gate()
      state.due = due
      return due
    }
    guard let due else { return true }
    return await withTaskGroup(of: Bool?.self) { group in
      group.addTask {
        await due.wait()
        return true
      }
      group.addTask {
        do {
          try await self.clock.sleep(self.options.interval)
          return false
        } catch { return nil }
      }
      defer { group.cancelAll() }
      return await group.next() ?? nil
    }
  }
}
