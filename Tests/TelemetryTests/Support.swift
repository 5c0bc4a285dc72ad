// SPDX-License-Identifier: Apache-2.0
import JSONCodec
import Synchronization

@testable import Telemetry

/// A clock that a test turns by hand.
final class ManualClock: Sendable {
  private struct Sleeper {
    let due: Duration
    let continuation: CheckedContinuation<Void, any Error>
  }

  private struct State {
    var elapsed = Duration.seconds(1000)
    var sleepers: [Int: Sleeper] = [:]
    var numbers = 0
  }

  private let state = Mutex(State())

  var clock: SpanExporter.Clock {
    .init(elapsed: { self.state.withLock(\.elapsed) }, sleep: { try await self.sleep(for: $0) })
  }

  /// How long those who sleep will sleep yet, shortest first.
  var sleeps: [Duration] {
    state.withLock { state in state.sleepers.values.map { $0.due - state.elapsed }.sorted() }
  }

  private func sleep(for duration: Duration) async throws {
    let number = state.withLock { state in
      state.numbers += 1
      return state.numbers
    }
    try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { continuation in
        let isCancelled = state.withLock { state in
          if Task.isCancelled { return true }
          state.sleepers[number] = Sleeper(due: state.elapsed + duration, continuation: continuation)
          return false
        }
        if isCancelled { continuation.resume(throwing: CancellationError()) }
      }
    } onCancel: {
      let sleeper = state.withLock { $0.sleepers.removeValue(forKey: number) }
      sleeper?.continuation.resume(throwing: CancellationError())
    }
  }

  func advance(by duration: Duration) {
    let woken = state.withLock { state in
      state.elapsed += duration
      let woken = state.sleepers.filter { $0.value.due <= state.elapsed }
      for number in woken.keys { state.sleepers[number] = nil }
      return woken.values
    }
    for sleeper in woken { sleeper.continuation.resume() }
  }
}

/// Waits for what other tasks do; the suite's time limit is its end.
func until(_ condition: @Sendable () -> Bool) async {
  while !condition(), !Task.isCancelled { await Task.yield() }
}

/// Answers requests as it was told, one after the other; the last answer stays.
final class FakeCollector: Sendable {
  enum Answer: Sendable {
    case status(Int, retryAfterSeconds: Int? = nil, body: String = "")
    case failure(any Error)
    /// Until the task is cancelled, and then a little.
    case hangs
  }

  private struct State {
    var answers: [Answer]
    var bodies: [[UInt8]] = []
    var underWay = 0
    var mostAtOnce = 0
  }

  private let state: Mutex<State>

  init(_ answers: Answer...) { state = Mutex(State(answers: answers)) }

  func send(_ body: [UInt8]) async throws -> SpanExporter.Response {
    let answer = state.withLock { state in
      state.bodies.append(body)
      state.underWay += 1
      state.mostAtOnce = max(state.mostAtOnce, state.underWay)
      return state.answers.count > 1 ? state.answers.removeFirst() : state.answers[0]
    }
    defer { state.withLock { $0.underWay -= 1 } }
    switch answer {
    case .status(let status, let seconds, let body):
      return .init(status: status, retryAfterSeconds: seconds, body: Array(body.utf8))
    case .failure(let error): throw error
    case .hangs:
      await Gate().wait()
      for _ in 0..<100 { await Task.yield() }
      throw CancellationError()
    }
  }

  var mostAtOnce: Int { state.withLock(\.mostAtOnce) }
  var requestCount: Int { state.withLock(\.bodies.count) }

  /// The names of the spans of each request.
  var requests: [[String]] {
    state.withLock(\.bodies).map { body in
      let scope = (try? JSON(parsing: body))?["resourceSpans"]?.array?.first?["scopeSpans"]?.array?.first
      return scope?["spans"]?.array?.compactMap { $0["name"]?.string } ?? []
    }
  }
}

/// An exporter, its clock and what it told.
struct Rig {
  let clock = ManualClock()
  let collector: FakeCollector
  let exporter: SpanExporter
  private let told: Told

  private final class Told: Sendable {
    let lines = Mutex<[String]>([])
  }

  init(_ collector: FakeCollector, _ change: (inout SpanExporter.Options) -> Void = { _ in }) throws {
    var options = SpanExporter.Options()
    options.batchSpansMax = 4
    options.spansMax = 10
    change(&options)
    let told = Told()
    self.told = told
    self.collector = collector
    exporter = SpanExporter(
      resource: try Resource(serviceVersion: "1", instanceID: "i"), scope: .init(version: "1"),
      options: options, clock: clock.clock, random: { 0 },
      onProblem: { line in told.lines.withLock { $0.append(line) } }, send: collector.send)
  }

  var problems: [String] { told.lines.withLock { $0 } }

  func sleeps(_ durations: Duration...) async {
    await until { [clock] in clock.sleeps == durations }
  }

  func settled(_ count: Int) async {
    await until { [exporter] in exporter.counters.exported + exporter.counters.dropped >= count }
  }

  func requests(_ count: Int) async { await until { [collector] in collector.requestCount >= count } }
}

let traceID = TraceID(ofRun: "run_1")

func span(_ name: String) -> Span {
  Span(name, traceID: traceID, spanID: SpanID(of: name, in: traceID), start: 1, end: 2)
}

func spans(_ range: Range<Int>) -> [Span] { range.map { span("s\($0)") } }
func names(_ range: Range<Int>) -> [String] { range.map { "s\($0)" } }
