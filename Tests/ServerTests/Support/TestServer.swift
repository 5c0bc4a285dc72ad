// SPDX-License-Identifier: Apache-2.0
import Core
import FoundationEssentials
import Logging
import ServiceLifecycle
import Storage
import Testing

@testable import Server

/// A server on a port of its own, over a database of its own.
struct TestServer: Sendable {
  let port: Int
  let store: SQLiteStore
  let log: LogRecorder
  let scripts: ScriptedVersions
  private let group: ServiceGroup
  private let runner: Runner
  private let end: Signal

  func stop() async { await group.triggerGracefulShutdown() }

  /// Returns as soon as that many turns are under way, those that wait for their session too, or for others to end.
  func taken(_ count: Int) async throws {
    while runner.runsInProgress + runner.runsQueued < count {
      try Task.checkCancellation()
      await Task.yield()
    }
  }

  /// Returns when the server has stopped.
  func stopped() async { try? await end.wait() }

  /// Runs a server for the time of `body`, and then waits for it to have stopped.
  static func run(
    agents: [ScriptedAgent] = [.echo], model: any Model = SilentModel(), limits: Runner.Limits = .init(),
    aliases: [Alias] = [], configuration: Server.Configuration = .init(port: 0),
    _ body: @Sendable (TestServer) async throws -> Void
  ) async throws {
    let directory = FileManager.default.temporaryDirectory.appending(path: "server-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: directory) }
    let store = try await SQLiteStore.open(directory: directory.path(), synchronous: .normal)
    let scripts = ScriptedVersions(ScriptedHost(agents))
    let runner = Runner(store: store, model: model, time: SystemTime(), limits: limits) { scripts.deployment }
    let (ports, port) = AsyncStream<Int>.makeStream()
    let end = Signal()
    let log = LogRecorder()
    let server = try Server(
      configuration: configuration, runner: runner, store: store, model: model, time: SystemTime(),
      aliases: aliases, logger: log.logger, scripts: scripts, onListening: { port.yield($0) })
    let group = ServiceGroup(
      services: [server], logger: Logger(label: "tests") { _ in SwiftLogNoOpLogHandler() })
    try await withThrowingTaskGroup(of: Void.self) { tasks in
      tasks.addTask {
        defer {
          port.finish()
          end.send()
        }
        try await group.run()
      }
      if let number = await ports.first(where: { _ in true }) {
        do {
          try await body(
            TestServer(
              port: number, store: store, log: log, scripts: scripts, group: group, runner: runner, end: end))
        } catch {
          await group.triggerGracefulShutdown()
          throw error
        }
        await group.triggerGracefulShutdown()
      }
      try await tasks.waitForAll()
    }
    try await store.close()
  }
}

/// The machine's own clocks.
struct SystemTime: TimeSource {
  private static let start = ContinuousClock.now

  var now: Timestamp { Timestamp(milliseconds: Int64(Date().timeIntervalSince1970 * 1000)) }
  var elapsed: Duration { ContinuousClock.now - Self.start }
  func sleep(for duration: Duration) async throws { try await Task.sleep(for: duration) }
}
