// SPDX-License-Identifier: Apache-2.0
import Core
import Logging
import Models
import Synchronization
import TestSupport
import Testing
import Transport

/// Time that passes when a test says so: who sleeps is told of, and wakes then.
final class HandTime: TimeSource {
  private struct State {
    var elapsed = Duration.zero
    var sleepers: [(duration: Duration, bed: AsyncStream<Never>.Continuation)] = []
    var slept: [Duration] = []
  }

  private let state = Mutex(State())
  private let (sleeps, told) = AsyncStream<Duration>.makeStream()

  var now: Timestamp { Timestamp(milliseconds: 1_795_253_400_000) }
  var elapsed: Duration { state.withLock { $0.elapsed } }
  /// Every sleep that was begun.
  var slept: [Duration] { state.withLock { $0.slept } }

  func sleep(for duration: Duration) async throws {
    let (night, bed) = AsyncStream<Never>.makeStream()
    state.withLock { state in
      state.sleepers.append((duration, bed))
      state.slept.append(duration)
    }
    told.yield(duration)
    for await _ in night {}
    try Task.checkCancellation()
  }

  /// How long the next one wants to sleep, as soon as it does.
  func nextSleep() async -> Duration? {
    var iterator = sleeps.makeAsyncIterator()
    return await iterator.next()
  }

  /// Wakes all that sleep, when the longest of them would wake.
  func wake() {
    let sleepers = state.withLock { state in
      state.elapsed += state.sleepers.map(\.duration).max() ?? .zero
      defer { state.sleepers = [] }
      return state.sleepers
    }
    for sleeper in sleepers { sleeper.bed.finish() }
  }
}

/// Opens a gate as soon as a line has these words in it.
struct SignalLog: LogHandler {
  let words: String
  let gate: Gate
  var metadata: Logger.Metadata = [:]
  var logLevel = Logger.Level.trace

  init(_ words: String, opens gate: Gate) {
    self.words = words
    self.gate = gate
  }

  subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }

  func log(event: LogEvent) {
    if "\(event.message)".contains(words) { gate.open() }
  }
}

/// A client of one provider whose slow requests are made a second time, on time that stands until it is moved.
struct HedgeFixture {
  let time = HandTime()
  let client: HTTPClient
  /// Opens when there was no room for a second request.
  let refused = Gate()

  init() throws { client = try HTTPClient() }

  func models(
    _ provider: NumberedProvider, hedge: Double = 2, change: (inout ProviderConfiguration) -> Void = { _ in }
  ) -> ModelClient {
    var configuration = ProviderConfiguration(
      baseURL: provider.server.baseURL, apiKey: "sk-secret-key", timeoutSeconds: 3600, retries: 0,
      hedgeSeconds: hedge)
    change(&configuration)
    return ModelClient(
      configuration: ModelClient.Configuration(
        providers: [configuration],
        prices: ["gpt-4o-mini": TokenPrice(inputPerMillion: 1, outputPerMillion: 1)]),
      client: client, time: time,
      logger: Logger(label: "models") { [refused] _ in SignalLog("there is no room", opens: refused) })
  }
}

/// A provider that answers each request by its number, from 1, and tells when the answer is settled.
///
/// Of two requests at once, the one that a test has waited for here has the smaller number.
final class NumberedProvider: Sendable {
  let server: ScriptedProvider
  private let settled: AsyncStream<Void>

  init(_ answer: @escaping @Sendable (Int) -> ScriptedProvider.Reply) throws {
    let (settled, told) = AsyncStream<Void>.makeStream()
    let count = Mutex(0)
    self.settled = settled
    server = try ScriptedProvider { _ in
      defer { told.yield() }
      return answer(
        count.withLock { count in
          count += 1
          return count
        })
    }
  }

  /// Answers with each reply in turn, and with the last one from then on.
  convenience init(_ replies: ScriptedProvider.Reply...) throws {
    try self.init { replies[min($0, replies.count) - 1] }
  }

  var requests: [ScriptedProvider.Request] { server.requests }

  /// Returns when so many more requests have come since the last time.
  func next(_ count: Int = 1) async {
    var iterator = settled.makeAsyncIterator()
    for _ in 0..<count { await iterator.next() }
  }

  func closedConnections(atLeast count: Int) async { await server.closedConnections(atLeast: count) }
}

extension HedgeFixture {
  /// Waits until the first request has come and the second is waited for, and lets that be due.
  func passDelay(_ provider: NumberedProvider) async {
    #expect(await time.nextSleep() == .seconds(2))
    await provider.next()
    time.wake()
  }
}

extension ScriptedProvider.Reply {
  /// An answer in words, as a stream or whole.
  static func answer(_ text: String, isStreamed: Bool) -> Self {
    isStreamed ? .events(streamedCompletion([text]).map { (nil, $0) }) : .completion(text)
  }
}
