// SPDX-License-Identifier: Apache-2.0
import Core
import Logging
import Server
import ServiceLifecycle
import Workspace

/// Goes on with the runs that the last server left under way.
struct Resuming: Service {
  let host: Host
  let logger: Logger

  /// Runs that are taken up at once: each replays its journal first.
  private static let atOnce = 64

  func run() async throws {
    if !host.unfinished.isEmpty {
      logger.info("\(host.unfinished.count) runs go on that were under way when the last server stopped")
      await cancelWhenGracefulShutdown { await resumeAll() }
    }
    // A service that returns would end the others.
    try? await gracefulShutdown()
  }

  private func resumeAll() async {
    await withTaskGroup(of: Void.self) { group in
      for (position, run) in host.unfinished.enumerated() {
        if position >= Self.atOnce { await group.next() }
        if Task.isCancelled { break }
        group.addTask { await resume(run) }
      }
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
