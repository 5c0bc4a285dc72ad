// SPDX-License-Identifier: Apache-2.0
import Core
import HTTPTypes
import HummingbirdCore
import JSONCodec

extension Services {
  var operationRoutes: [Route] {
    [
      Route(
        .get, "/health/live", name: "live", summary: "Tells that the process answers.", access: .open,
        answers: [.init(.ok, "It does.", .json("Liveness"))]
      ) { _ in .json { $0.member("status", "ok") } },
      Route(
        .get, "/health/ready", name: "ready", summary: "Tells whether each part can work.", access: .open,
        answers: [
          .init(.ok, "All can.", .json("Readiness")),
          .init(.serviceUnavailable, "One cannot.", .json("Readiness")),
        ]
      ) { _ in await readiness() },
      Route(
        .get, "/health", name: "health", summary: "Tells which parts are well.", access: .open,
        answers: [
          .init(.ok, "All are.", .json("Health")), .init(.serviceUnavailable, "One is not.", .json("Health")),
        ]
      ) { _ in await health() },
      Route(
        .get, "/metrics", name: "metrics",
        summary: "Shows counters in the Prometheus text format, or with exemplars in that of OpenMetrics.",
        access: .open,
        answers: [.init(.ok, "The metrics.", .text("text/plain"), .text("application/openmetrics-text"))]
      ) { exchange in
        let format = MetricsFormat(accept: exchange.request.headers[.accept])
        return .text(
          metrics.text(
            as: format, runsInProgress: runner.runsInProgress, queued: runner.runsQueued, scripts: scripts,
            models: model.health,
            jobs: await jobCounts.value),
          contentType: format.contentType)
      },
    ]
  }

  private func readiness() async -> Reply {
    let isStoreReady = await isStoreReady.value
    let host = host()
    let problems = scripts.problems
    let isReady = isStoreReady && !host.agents.isEmpty
    var reply = Reply.json(status: isReady ? .ok : .serviceUnavailable) {
      // What is in force still answers: degraded takes no server out of service.
      $0.member("status", isReady ? problems.isEmpty ? "ready" : "degraded" : "not_ready")
      $0.key("parts")
      $0.object { parts in
        parts.key("store")
        parts.object { $0.member("status", isStoreReady ? "ok" : "failed") }
        parts.key("scripts")
        parts.object {
          $0.member("status", host.agents.isEmpty ? "no_agents" : problems.isEmpty ? "ok" : "degraded")
          $0.member("version", host.version)
          // Whoever may ask: what they are is for those who may read the scripts.
          if !problems.isEmpty { $0.member("problems", problems.count) }
        }
        // Without a model the stubs answer, which is how a new workspace begins: no reason to take no requests.
        parts.key("model")
        parts.object { $0.member("status", model.isConfigured(for: []) ? "ok" : "not_configured") }
        // For the same reason, and because other instances would meet the same provider.
        parts.key("models")
        parts.array { list in
          for health in model.health { write(health, to: &list) }
        }
      }
    }
    if !isReady { reply.headers[.retryAfter] = "5" }
    return reply
  }

  private func health() async -> Reply {
    let (isStoreReady, room) = (await isStoreReady.value, machine())
    // Without a model the stubs answer; what is left alone for a while is not well.
    let isModelWell = model.health.isEmpty || model.health.contains { $0.state != .open }
    let checks = [
      ("database", isStoreReady), ("openai", isModelWell), ("redis", nil), ("memory", room.hasMemory),
      ("disk", room.hasDisk),
    ]
    let isHealthy = checks.allSatisfy { $0.1 != false }
    var reply = Reply.json(status: isHealthy ? .ok : .serviceUnavailable) {
      $0.member("status", isHealthy ? "healthy" : "unhealthy")
      $0.key("checks")
      $0.object {
        for (name, isWell) in checks {
          $0.member(named: name, isWell.map { $0 ? "healthy" : "unhealthy" } ?? "not_used")
        }
      }
    }
    if !isHealthy { reply.headers[.retryAfter] = "5" }
    return reply
  }

  private func write(_ health: ModelHealth, to writer: inout JSONWriter) {
    writer.object {
      $0.member("name", "\(health.provider)/\(health.model)")
      $0.member("status", health.state.rawValue)
      if let seconds = health.retryAfterSeconds { $0.member("retry_after_seconds", seconds) }
    }
  }
}
