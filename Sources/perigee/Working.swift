// SPDX-License-Identifier: Apache-2.0
import Core
import Logging
import Metrics
import Server
import ServiceLifecycle
import Settings
import Storage

/// Does the jobs that were published, from the start of a process to its end.
///
/// Once told to stop it takes no more; those under way may end within the drain, then they are left to others.
struct Working: Service {
  let host: Host
  let count: Int
  let logger: Logger

  func run() async throws {
    let lease = count > 0 ? try DataLease.take(host.dataDirectory, file: "workers") : nil
    defer { lease?.giveBack() }
    if let lease, lease.isFirst {
      let jobs = try await host.store.endLeases(at: host.time.now)
      if jobs > 0 { logger.info("\(jobs) jobs are done again: their worker stopped in their middle") }
      try lease.share()
    }
    let logger = logger
    let workers = JobWorkers(
      runner: host.runner, settings: JobWorkers.Settings(count: count),
      onReport: { $0.tell(logger) },
      onFailure: { failure in
        logger.error(
          "no job can be taken: \(failure)", metadata: ["diagnostic": "\(failure.diagnostic ?? "")"])
      })
    let drain = host.configuration.server.drain
    let runner = host.runner
    await withTaskCancellationHandler {
      await withGracefulShutdownHandler {
        await workers.run()
        // A service that returns would end the others.
        try? await gracefulShutdown()
      } onGracefulShutdown: {
        workers.stop()
        runner.stop(within: drain)
      }
    } onCancel: {
      workers.stop()
      runner.stop(within: .zero)
    }
  }
}

/// Services that are told to stop at the same time; each other one is told when the one behind it has ended.
struct Together: Service {
  let services: [any Service]

  func run() async throws {
    try await withThrowingTaskGroup(of: Void.self) { group in
      for service in services { group.addTask { try await service.run() } }
      try await group.waitForAll()
    }
  }
}

extension JobReport {
  /// Counts the attempt, and logs what went wrong.
  fileprivate func tell(_ logger: Logger) {
    let job = taken.job
    let (outcome, level, text) = told
    Counter(
      label: "perigee_job_attempts_total", dimensions: [("action", job.action), ("outcome", outcome)]
    ).increment()
    Timer(label: "perigee_job_wait_seconds").recordNanoseconds(taken.waited.nanoseconds)
    Timer(label: "perigee_job_seconds").recordNanoseconds(took.nanoseconds)
    logger.log(
      level: level, "\(text)",
      metadata: [
        "job": "\(job.id)", "action": "\(job.action)", "attempt": "\(taken.attempt)", "run": "\(taken.runID)",
        "version": "\(version)", "diagnostic": "\(failure?.diagnostic ?? "")",
      ])
  }

  private var failure: Failure? {
    switch result {
    case .failed(let failure, _), .dead(let failure): failure
    case .lost(let failure): failure
    case .done, .released: nil
    }
  }

  private var told: (outcome: String, level: Logger.Level, text: String) {
    switch result {
    case .done: ("done", .debug, "a job is done")
    case .failed(let failure, let again):
      ("failed", .warning, "a job has failed and is tried again at \(again): \(failure)")
    case .released: ("released", .info, "a job was stopped and is left to other workers")
    case .dead(let failure): ("dead", .error, "a job has failed for good: \(failure)")
    case .lost(let failure):
      ("lost", .warning, "the end of a job was not kept, it is done again\(failure.map { ": \($0)" } ?? "")")
    }
  }
}

extension Duration {
  fileprivate var nanoseconds: Int64 { Int64(self / .nanoseconds(1)) }
}
