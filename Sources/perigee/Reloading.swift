// SPDX-License-Identifier: Apache-2.0
import Core
import Logging
import Metrics
import ServiceLifecycle
import UnixSignals
import Workspace

/// Loads the scripts again when it is told to, and says what came of it.
struct Reloader: Sendable {
  let workspace: Workspace
  let logger: Logger
  /// To people, in the terminal; else to the log.
  let speaks: Bool
  let time: SystemTime

  func reload() async {
    let start = time.elapsed
    let problems = workspace.problems
    do {
      let isNew = try await workspace.reload()
      guard isNew || !problems.isEmpty else { return }
      count("loaded")
      let milliseconds = Int((time.elapsed - start) / .milliseconds(1))
      say("loaded \(workspace.deployment.summary) in \(milliseconds) ms")
    } catch {
      let refused = ScriptsRefused(error)
      // Told already.
      if refused.problems == problems { return }
      count("refused")
      if speaks { Console.note(refused.description) }
      let count = refused.problems.count
      let summary = "\(count) problem\(count == 1 ? "" : "s"); the version before stays in force"
      if speaks {
        Console.note("not loaded: \(summary)")
      } else {
        logger.error("the scripts were not loaded again: \(refused)")
      }
    }
  }

  func say(_ text: String) {
    if speaks { Console.note(text) } else { logger.info("\(text)") }
  }

  private func count(_ outcome: String) {
    Counter(label: "perigee_reloads_total", dimensions: [("outcome", outcome)]).increment()
  }
}

extension Deployment {
  fileprivate var summary: String {
    guard let candidate else { return active.version.shortVersion }
    return
      "\(candidate.host.version.shortVersion) for \(candidate.percent) % of sessions, \(active.version.shortVersion) for the others"
  }
}

/// SIGHUP.
struct ReloadOnHangup: Service {
  let reloader: Reloader

  func run() async throws {
    for await _ in await UnixSignalsSequence(trapping: .sighup).cancelOnGracefulShutdown() {
      await reloader.reload()
    }
  }
}

/// The workspace's folder, where that is wanted.
struct ReloadOnChange: Service {
  let reloader: Reloader

  func run() async throws {
    let watch = FolderWatch(reloader.workspace.directory, scope: .workspace)
    do {
      for try await batch in watch.cancelOnGracefulShutdown() {
        if batch.paths.contains(FolderWatch.Scope.configurationFile) {
          reloader.say("\(FolderWatch.Scope.configurationFile) has changed: restart to apply it")
        }
        if batch.isWhole || batch.paths != [FolderWatch.Scope.configurationFile] { await reloader.reload() }
      }
    } catch {
      reloader.logger.error("the folder is watched no longer, SIGHUP loads it again: \(error)")
    }
    // A service that returns would end the others.
    try? await gracefulShutdown()
  }
}

/// What `perigee activate` has written into the database, told by a file beside it.
struct ReloadOnActivation: Service {
  let reloader: Reloader
  let directory: String

  func run() async throws {
    let watch = FolderWatch(
      ActivationSignal.folder(in: directory), scope: FolderWatch.Scope(files: [ActivationSignal.name]))
    do {
      // The first batch comes without a signal: what was activated while the server started is not missed.
      for try await _ in watch.cancelOnGracefulShutdown() where await reloader.workspace.isOutdated {
        await reloader.reload()
      }
    } catch {
      reloader.logger.error("perigee activate is noticed no longer, SIGHUP makes up for it: \(error)")
    }
    try? await gracefulShutdown()
  }
}
