// SPDX-License-Identifier: Apache-2.0
import Core
import Glibc
import JSONCodec
import Logging
import ServiceLifecycle
import Settings
import Storage
import Workspace

/// Tells which agents there are and how the server is.
struct Announcing: Service {
  let host: Host
  let logger: Logger

  func run() async throws {
    await cancelWhenGracefulShutdown {
      await withTaskGroup(of: Void.self) { group in
        group.addTask { await announceAgents() }
        group.addTask { await announceHealth() }
      }
    }
    // A service that returns would end the others.
    try? await gracefulShutdown()
  }

  private func announceAgents() async {
    var version: String?
    let changes = host.workspace.changes()
    func announce() async {
      let scripts = host.workspace.deployment.active
      guard scripts.version != version else { return }
      await trying("agents cannot be announced") {
        try await host.store.keepAgents(
          Array(scripts.agents.keys), version: scripts.version, at: host.time.now)
        version = scripts.version
      }
    }
    await announce()
    for await _ in changes { await announce() }
  }

  private func announceHealth() async {
    let interval = host.configuration.events.health
    guard interval > .zero else { return }
    var last = Load.now(host.time)
    var ended = host.runner.totals.snapshot
    var raised: [String: String] = [:]
    while !Task.isCancelled {
      try? await host.time.sleep(for: interval)
      guard !Task.isCancelled else { return }
      let (load, totals) = (Load.now(host.time), host.runner.totals.snapshot)
      await trying("how the server is cannot be told") {
        let jobs = try await host.store.jobCounts()
        let alerts = alerts(jobs)
        try await host.store.keep(
          [health(alerts, load.processor(since: last), load, jobs)]
            + [
              usage(load.processor(since: last), load),
              performance(totals - ended, load.elapsed - last.elapsed),
            ]
            + changes(from: raised, to: alerts))
        raised = alerts
      }
      (last, ended) = (load, totals)
    }
  }

  /// What somebody should look at, by name.
  private func alerts(_ jobs: JobCounts) -> [String: String] {
    var alerts: [String: String] = [:]
    if host.model.health.contains(where: { $0.state == .open }) {
      alerts["model_open"] = "a model is left alone"
    }
    if !host.workspace.problems.isEmpty {
      alerts["scripts_refused"] = "the last edit of the scripts is not in force"
    }
    if jobs.dead > 0 { alerts["dead_letters"] = "there are \(jobs.dead) dead letters" }
    return alerts
  }

  private func event(_ type: String, _ members: [(String, JSON)]) -> Event {
    Event(
      type, at: host.time.now,
      data: RawJSON(.object(JSONObject([("service", .string("perigee"))] + members))))
  }

  private func health(
    _ alerts: [String: String], _ processor: Double, _ load: Load, _ jobs: JobCounts
  ) -> Event {
    event(
      "system.health_check",
      [
        ("status", alerts.isEmpty ? "healthy" : "degraded"),
        (
          "metrics",
          [
            "cpu_usage": .number(processor), "memory_usage": .integer(load.memoryBytes),
            "active_agents": .integer(Int64(host.runner.runsInProgress)),
            "queue_size": .integer(Int64(jobs.queued)),
          ]
        ),
        ("alerts", .array(alerts.sorted { $0.key < $1.key }.map { .string($0.value) })),
      ])
  }

  private func usage(_ processor: Double, _ load: Load) -> Event {
    let scripts = host.workspace.usage
    return event(
      "system.resource_usage",
      [
        ("cpu_usage", .number(processor)), ("memory_usage", .integer(load.memoryBytes)),
        ("scripts_memory", .integer(Int64(scripts.memoryBytes))), ("cells", .integer(Int64(scripts.cells))),
      ])
  }

  private func performance(_ ended: RunTotals.Snapshot, _ elapsed: Duration) -> Event {
    let count = ended.completed + ended.failed
    return event(
      "system.performance",
      [
        ("interval_ms", .integer(Int64(elapsed / .milliseconds(1)))),
        ("runs_completed", .integer(Int64(ended.completed))), ("runs_failed", .integer(Int64(ended.failed))),
        ("average_run_ms", count == 0 ? .null : .number(ended.time / .milliseconds(1) / Double(count))),
      ])
  }

  /// Tells what is wrong now and was not before, and what is right again.
  private func changes(from before: [String: String], to now: [String: String]) -> [Event] {
    func alert(_ name: String, _ message: String, _ status: JSON) -> Event {
      event(
        "system.error_alert",
        [("alert", .string(name)), ("message", .string(message)), ("status", status)])
    }
    return now.sorted { $0.key < $1.key }.filter { before[$0.key] == nil }.map {
      alert($0.key, $0.value, "raised")
    }
      + before.sorted { $0.key < $1.key }.filter { now[$0.key] == nil }.map {
        alert($0.key, $0.value, "resolved")
      }
  }

  private func trying(_ complaint: String, _ body: () async throws -> Void) async {
    do {
      try await body()
    } catch is CancellationError {
    } catch {
      logger.error("\(complaint): \(error)")
    }
  }
}
