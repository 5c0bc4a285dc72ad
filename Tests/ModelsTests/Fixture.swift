// SPDX-License-Identifier: Apache-2.0
import Core
import Logging
import Models
import Synchronization
import TestSupport
import Transport

/// Time that passes only when somebody sleeps, and notes how long.
final class SleepingTime: TimeSource {
  private let state = Mutex<[Duration]>([])

  var slept: [Duration] { state.withLock { $0 } }

  /// 2026-11-21T09:30:00Z, plus what was slept.
  var now: Timestamp {
    Timestamp(milliseconds: 1_795_253_400_000 + Int64(elapsed / .milliseconds(1)))
  }

  var elapsed: Duration { slept.reduce(.zero, +) }

  func sleep(for duration: Duration) async throws {
    try Task.checkCancellation()
    state.withLock { $0.append(duration) }
  }
}

/// Time that stands still: who sleeps does so until cancelled.
final class StandingTime: TimeSource {
  private let (sleeps, told) = AsyncStream<Duration>.makeStream()
  private let (never, end) = AsyncStream<Never>.makeStream()

  var now: Timestamp { Timestamp(milliseconds: 1_795_253_400_000) }
  var elapsed: Duration { .zero }

  func sleep(for duration: Duration) async throws {
    told.yield(duration)
    for await _ in never {}
    throw CancellationError()
  }

  /// How long the next one wants to sleep, as soon as it does.
  func nextSleep() async -> Duration? {
    var iterator = sleeps.makeAsyncIterator()
    return await iterator.next()
  }
}

/// A client of models with real sockets and a hand-turned clock.
struct Fixture {
  let time = SleepingTime()
  let logs = LogRecorder()
  let client: HTTPClient

  init() throws { client = try HTTPClient() }

  func models(_ configuration: ModelClient.Configuration) -> ModelClient {
    let logger = Logger(label: "models") { [logs] _ in logs }
    return ModelClient(configuration: configuration, client: client, time: time, logger: logger)
  }

  func models(
    _ server: ScriptedProvider, change: (inout ProviderConfiguration) -> Void = { _ in }
  ) -> ModelClient {
    var provider = ProviderConfiguration(baseURL: server.baseURL, apiKey: "sk-secret-key", timeoutSeconds: 20)
    change(&provider)
    return models(ModelClient.Configuration(providers: [provider]))
  }

  /// Asks a provider that answers with these replies.
  func ask(_ replies: ScriptedProvider.Reply..., within deadline: Duration = .seconds(300)) async throws
    -> ModelReply
  {
    let next = Mutex(0)
    let server = try ScriptedProvider { _ in
      replies[
        min(
          next.withLock {
            $0 += 1
            return $0
          } - 1, replies.count - 1)]
    }
    return try await models(server).respond(to: .hello, within: deadline, onText: nil)
  }
}

/// Keeps every line as it would be printed.
struct LogRecorder: LogHandler {
  private final class Lines: Sendable {
    let state = Mutex<[String]>([])
  }

  private let store = Lines()
  var lines: [String] { store.state.withLock { $0 } }
  var metadata: Logger.Metadata = [:]
  var logLevel: Logger.Level = .trace

  subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }

  func log(event: LogEvent) {
    store.state.withLock { $0.append("\(event.message) \(event.metadata ?? [:])") }
  }
}

/// What a watcher was told, piece by piece.
final class Heard: Sendable {
  private let state = Mutex<[String]>([])
  var pieces: [String] { state.withLock { $0 } }
  func append(_ pieces: [String]) { state.withLock { $0 += pieces } }

  /// What tells it; `nil` when nobody listens.
  func listener(if listens: Bool = true) -> TextListener? {
    guard listens else { return nil }
    return { [self] in append($0) }
  }
}

extension ModelRequest {
  static let hello = ModelRequest(models: [], messages: [.user("hello")])
}

/// The model error that `body` throws; `nil` when it throws none.
func failure<Result>(_ body: () async throws -> Result) async -> ModelError? {
  do {
    _ = try await body()
    return nil
  } catch {
    return error as? ModelError
  }
}
