// SPDX-License-Identifier: Apache-2.0
import Core
import Metrics

/// How many jobs there are, as the store said when it was asked last.
final class JobMeters: Sendable {
  private let queued: Meter
  private let running: Meter
  private let dead: Meter

  init(registry: PrometheusRegistry) {
    func meter(_ state: String) -> Meter {
      Meter(label: "perigee_jobs", dimensions: [("state", state)], factory: registry)
    }
    (queued, running, dead) = (meter("queued"), meter("running"), meter("dead"))
    for (name, help) in [
      ("perigee_jobs", "Jobs of the data folder, by state: queued, running, dead."),
      (
        "perigee_job_attempts_total",
        "Attempts of jobs in this process, by action and outcome: done, failed, dead, released, lost."
      ), ("perigee_job_wait_seconds", "Time from when a job is due to when a worker takes it."),
      ("perigee_job_seconds", "Time of an attempt of a job."),
    ] { registry.describe(name, help) }
  }

  func set(_ counts: JobCounts) {
    queued.set(counts.queued)
    running.set(counts.running)
    dead.set(counts.dead)
  }
}
