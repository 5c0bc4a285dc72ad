// SPDX-License-Identifier: Apache-2.0
import Core
import Glibc
import JSONCodec
import Logging
import ServiceLifecycle
import Settings
import Storage
import Workspace

/// Tells which agents there are and how the server is, and forgets events that are too old.
struct Announcing: Service {
  let host: Host
  let logger: Logger

  private static let forgetInterval = Duration.seconds(60)

  func run() async throws {
    await cancelWhenGracefulShutdown {
      await withTaskGroup(of: Void.self) { group in
        group.addTask { await announceAgents() }
        group.addTask { await announceHealth() }
        group.addTask { await forget() }
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
    while !Task.isCancelled {
      try? await host.time.sleep(for: interval)
      guard !Task.isCancelled else { return }
      let load = Load.now(host.time)
      await trying("how the server is cannot be told") {
        var alerts: [JSON] = []
        if host.model.health.contains(where: { $0.state == .open }) { alerts.append("a model is left alone") }
        if !host.workspace.problems.isEmpty { alerts.append("the last edit of the scripts is not in force") }
        let jobs = try await host.store.jobCounts()
        if jobs.dead > 0 { alerts.append(.string("there are \(jobs.dead) dead letters")) }
        let data: JSON = [
          "service": "perigee", "status": alerts.isEmpty ? "healthy" : "degraded",
          "metrics": [
            "cpu_usage": .number(load.processor(since: last)), "memory_usage": .integer(load.memoryBytes),
            "active_agents": .integer(Int64(host.runner.runsInProgress)),
            "queue_size": .integer(Int64(jobs.queued)),
          ],
          "alerts": .array(alerts),
        ]
        try await host.store.keep([Event("system.health_check", at: host.time.now, data: RawJSON(data))])
      }
      last = load
    }
  }

  private func forget() async {
    let kept = Duration.seconds(86_400) * host.configuration.events.keepDays
    while !Task.isCancelled {
      await trying("old events cannot be forgotten") {
        while try await host.store.forgetEvents(before: host.time.now + (.zero - kept)) > 0 {
          try await host.time.sleep(for: .milliseconds(50))
        }
      }
      try? await host.time.sleep(for: Self.forgetInterval)
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

/// What the process has used so far.
private struct Load {
  let elapsed: Duration
  let processor: Duration
  let memoryBytes: Int64

  static func now(_ time: SystemTime) -> Load {
    var usage = rusage()
    getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
    func duration(_ value: timeval) -> Duration { .seconds(value.tv_sec) + .microseconds(value.tv_usec) }
    return Load(
      elapsed: time.elapsed, processor: duration(usage.ru_utime) + duration(usage.ru_stime),
      memoryBytes: residentBytes())
  }

  /// Of one processor, 1 = all of it.
  func processor(since earlier: Load) -> Double {
    let share = (processor - earlier.processor) / max(elapsed - earlier.elapsed, .milliseconds(1))
    return (share * 1000).rounded() / 1000
  }

  /// Source: proc(5), /proc/pid/statm, the second number: pages.
  private static func residentBytes() -> Int64 {
    guard let file = fopen("/proc/self/statm", "re") else { return 0 }
    defer { fclose(file) }
    var text = [CChar](repeating: 0, count: 128)
    guard fgets(&text, Int32(text.count), file) != nil else { return 0 }
    let words = String(decoding: text.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self).split(
      separator: " ")
    return words.count > 1 ? (Int64(words[1]) ?? 0) * Int64(sysconf(Int32(_SC_PAGESIZE))) : 0
  }
}
