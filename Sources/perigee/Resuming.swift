// SPDX-License-Identifier: Apache-2.0
import Core
import Logging
import Server
import ServiceLifecycle
import Synchronization
import Workspace

/// Goes on with runs: those that the last server left under way, and those that wait when their time has come.
struct Resuming: Service {
  let host: Host
  let logger: Logger
  private let awake = Awake()

  /// Runs that are taken up at once: each replays its journal first.
  private static let atOnce = 64
  /// Runs that were taken up and have not ended, or left again.
  private static let awakeMax = 1024
  /// Another process on the same data may have decided something.
  private static let lookInterval = Duration.seconds(1)

  init(host: Host, logger: Logger) {
    self.host = host
    self.logger = logger
  }

  /// Runs that this process has taken up and that have not ended, by their names.
  private final class Awake: Sendable {
    private let runs = Mutex<[String: UnfinishedRun.Session]>([:])

    func insert(_ run: UnfinishedRun) -> Bool {
      runs.withLock { $0.updateValue(run.session, forKey: run.runID) == nil }
    }
    func remove(_ run: UnfinishedRun) { runs.withLock { $0[run.runID] = nil } }
    var sessions: Set<UnfinishedRun.Session> { runs.withLock { Set($0.values) } }
    var count: Int { runs.withLock { $0.count } }
  }

  func run() async throws {
    if let count = host.unfinished?.count, count > 0 {
      logger.info("\(count) runs go on that were under way when the last server stopped")
    }
    await cancelWhenGracefulShutdown {
      await withTaskGroup(of: Void.self) { group in
        group.addTask { await resumeUnfinished() }
        group.addTask { await resumeDue() }
      }
    }
    // A service that returns would end the others.
    try? await gracefulShutdown()
  }

  private func resumeUnfinished() async {
    await withTaskGroup(of: Void.self) { group in
      for (position, run) in (host.unfinished ?? []).enumerated() {
        if position >= Self.atOnce { await group.next() }
        if Task.isCancelled { break }
        group.addTask { await resume(run) }
      }
    }
  }

  /// Looks for runs that are due, each second and when something was decided.
  private func resumeDue() async {
    let (looks, look) = AsyncStream<Void>.makeStream(bufferingPolicy: .bufferingNewest(1))
    await withDiscardingTaskGroup { group in
      group.addTask { for await _ in host.runner.wakeups.stream { look.yield() } }
      group.addTask {
        while !Task.isCancelled {
          look.yield()
          try? await host.time.sleep(for: Self.lookInterval)
        }
        look.finish()
      }
      var isComplete = host.unfinished != nil
      for await _ in looks {
        do {
          try await host.runner.cancelAsked()
          let limit = min(Self.atOnce, max(0, Self.awakeMax - awake.count))
          var runs = try await host.runner.dueRuns(limit: limit, except: awake.sessions)
          if runs.count == limit, limit > 0 { look.yield() }
          if !isComplete, let abandoned = try await host.abandonedRuns() {
            isComplete = true
            runs += abandoned.filter { !host.runner.isUnderWay(run: $0.runID) }
          }
          for run in runs where awake.insert(run) {
            let adopted = host.runner.adopt(run, keepingSession: false)
            group.addTask {
              await resume(adopted)
              awake.remove(run)
            }
          }
        } catch {
          logger.error("runs that are due cannot be read: \(error)")
        }
      }
      group.cancelAll()
    }
  }

  private func resume(_ adopted: AdoptedRun) async {
    let run = adopted.run
    do {
      let scripts: any ScriptHost
      do {
        scripts = try await host.workspace.host(ofVersion: run.version)
      } catch {
        let failure = Failure(
          .internal, "the scripts that the run began with cannot be loaded any more",
          diagnostic: "\(error)")
        await host.runner.giveUp(adopted, failure)
        throw failure
      }
      _ = try await host.runner.resume(adopted, on: scripts)
    } catch {
      let failure = Failure(error)
      logger.log(
        level: failure.code == .cancelled ? .debug : .warning, "a run that went on has failed: \(failure)",
        metadata: [
          "run": "\(run.runID)", "agent": "\(run.agent)", "version": "\(run.version)",
          "diagnostic": "\(failure.diagnostic ?? "")",
        ])
    }
  }
}
