// SPDX-License-Identifier: Apache-2.0
import Core
import Logging
import ServiceLifecycle
import Workspace

/// Begins the runs of agents with schedules when their time has come; ``Resuming`` goes on with them.
struct Scheduling: Service {
  let host: Host
  let logger: Logger

  /// The wall clock may be set, and another server may have begun what this one waits for.
  private static let lookInterval = Duration.seconds(1)

  func run() async throws {
    await cancelWhenGracefulShutdown {
      var version: String?
      while !Task.isCancelled {
        var wait = Self.lookInterval
        do {
          let scripts = host.workspace.deployment.active
          if scripts.version != version {
            try await host.runner.keepSchedules()
            version = scripts.version
          }
          if scripts.agents.values.contains(where: { !$0.schedules.isEmpty }) {
            let (reports, next) = try await host.runner.beginDueRuns()
            for report in reports { tell(report) }
            if let next { wait = max(.zero, min(wait, next - host.time.now)) }
          }
        } catch {
          logger.error("the runs of schedules cannot be begun: \(error)")
        }
        try? await host.time.sleep(for: wait)
      }
    }
    // A service that returns would end the others.
    try? await gracefulShutdown()
  }

  private func tell(_ report: Runner.ScheduleReport) {
    let names: Logger.Metadata = ["agent": "\(report.due.agent)", "schedule": "\(report.due.name)"]
    switch report.outcome {
    case .success(.begun) where report.runIDs.isEmpty:
      logger.info("a time of a schedule was missed, and is passed over", metadata: names)
    case .success(.begun):
      let runs = report.runIDs.joined(separator: " ")
      logger.info("a schedule has come", metadata: names.merging(["run": "\(runs)"]) { $1 })
    case .success(.busy):
      logger.warning(
        "a schedule has come, and its last run has not ended: it is passed over", metadata: names)
    case .success(.taken): break
    case .failure(let failure):
      logger.error("the run of a schedule cannot be begun: \(failure)", metadata: names)
    }
  }
}
